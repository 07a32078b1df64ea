import { suite } from './suite.js';
import { aborted, untyped } from './values.js';

export const workers = suite('workers', (test) => {
  test('a handler that returns acknowledges', async (t, place) => {
    const queue = await place.openQueue();
    const handled: string[] = [];
    await queue.enqueueMany(['a', 'b']);
    const worker = queue.process((delivery) => {
      handled.push(`${delivery.value}${delivery.index}${delivery.attempt}`);
    });
    await (await place.openQueue()).enqueue('c');
    await place.until('all to be handled', () => worker.stats().done === 3);
    t.same(handled, ['a11', 'b21', 'c31'], 'one after the other, in order');
    await worker.close();
    t.match(worker.stats(), { running: 0, done: 3, failed: 0, paused: false });
    t.same([await queue.length(), await queue.store.length()], [0, 0]);
  });

  test('one that throws gives the message back, until it is dead', async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 3 });
    const attempts: string[] = [];
    const worker = queue.process(async ({ value, attempt }) => {
      attempts.push(`${value}${attempt}`);
      if (value === 'bad') throw new Error(`no ${value}`);
    });
    await queue.enqueueMany(['bad', 'good']);
    await place.until('its death', async () => (await queue.deadLetters.length()) === 1);
    await place.until('the other', () => worker.stats().done === 1);
    t.same([...attempts].sort(), ['bad1', 'bad2', 'bad3', 'good1']);
    for await (const letter of queue.deadLetters.list())
      t.match(letter, { index: 1, attempts: 3, reason: /no bad/ });
    await worker.close();
    t.match(worker.stats(), { done: 1, failed: 3 });
  });

  test('concurrency: so many at a time', async (t, place) => {
    const queue = await place.openQueue<number>();
    await queue.enqueueMany([1, 2, 3, 4, 5, 6, 7, 8]);
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const worker = queue.process(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => gates.push(resolve));
        running -= 1;
      },
      { concurrency: 3 },
    );
    while (worker.stats().done < 8) {
      await place.until('handlers', () => gates.length > 0 || worker.stats().done === 8);
      t.ok(worker.stats().running <= 3);
      gates.splice(0).forEach((open) => void open());
    }
    t.equal(most, 3);
    await worker.close();
  });

  test('each message is handled once, however many workers there are', async (t, place) => {
    const queues = [await place.openQueue<number>(), await place.openQueue<number>()];
    const handled: number[] = [];
    const all = Array.from({ length: 40 }, (_, n) => n);
    const running = queues.map((queue) =>
      queue.process(async ({ value }) => void handled.push(value), { concurrency: 4 }),
    );
    await queues[0]?.enqueueMany(all);
    await place.until('all', () => handled.length >= 40);
    await Promise.all(running.map((worker) => worker.close()));
    t.same(
      handled.sort((a, b) => a - b),
      all,
    );
  });

  test.timed('leases renew by themselves while a handler runs', async (t, place) => {
    const queue = await place.openQueue({ leaseMs: 1000 });
    const other = await place.openQueue();
    let end: (() => void) | undefined;
    let isAborted = false;
    const worker = queue.process(async ({ signal }) => {
      signal.addEventListener('abort', () => {
        isAborted = true;
      });
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    await queue.enqueue('a');
    await place.until('the handler', () => end !== undefined);
    for (let n = 0; n < 12; n++) {
      await place.pass(200);
      // Behind the renewal, if one was asked for: locks take their real time.
      await queue.enqueue('for dequeue');
      t.equal(await queue.dequeue(), 'for dequeue');
    }
    t.equal(await other.claim(), undefined);
    t.equal(isAborted, false);
    end?.();
    await place.until('its end', () => worker.stats().done === 1);
    await worker.close();
    t.equal(await queue.store.length(), 0);
  });

  test('close waits for running handlers, and takes no more', async (t, place) => {
    const queue = await place.openQueue();
    const gates: (() => void)[] = [];
    const worker = queue.process(() => new Promise<void>((resolve) => gates.push(resolve)));
    await queue.enqueueMany(['a', 'b']);
    await place.until('the handler', () => gates.length === 1);
    let isClosed = false;
    const closed = worker.close().then(() => {
      isClosed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(isClosed, false);
    gates[0]?.();
    await closed;
    await worker.close();
    t.match(worker.stats(), { running: 0, done: 1 });
    t.same(await queue.flush(), ['b']);
  });

  test('queue.close waits for running handlers, too', async (t, place) => {
    const queue = await place.openQueue();
    let end: (() => void) | undefined;
    queue.process(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    await queue.enqueue('a');
    await place.until('the handler', () => end !== undefined);
    const closed = queue.close();
    setImmediate(() => end?.());
    await closed;
    t.equal(await (await place.openQueue()).store.length(), 0, 'it was acknowledged');
  });

  test('pause takes no more, resume goes on', async (t, place) => {
    const queue = await place.openQueue();
    const handled: string[] = [];
    const worker = queue.process(({ value }) => void handled.push(value));
    worker.pause();
    t.equal(worker.stats().paused, true);
    await queue.enqueue('a');
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(await queue.length(), 1);
    worker.resume();
    t.equal(worker.stats().paused, false);
    await place.until('the message', () => handled.length === 1);
    await worker.close();
  });

  test('a signal closes the worker', async (t, place) => {
    const queue = await place.openQueue();
    const abort = new AbortController();
    const handled: string[] = [];
    const worker = queue.process(({ value }) => void handled.push(value), { signal: abort.signal });
    await queue.enqueue('a');
    await place.until('the message', () => worker.stats().done === 1);
    abort.abort();
    await worker.close();
    await queue.enqueue('b');
    t.same(await queue.dequeue(), 'b');
  });

  test.timed('timeoutMs: its signal aborts, the attempt has failed', async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 2 });
    const reasons: unknown[] = [];
    const worker = queue.process(
      async ({ signal }) => {
        reasons.push(await aborted(signal));
      },
      { timeoutMs: 1000 },
    );
    await queue.enqueue('a');
    await place.until('its death', async () => {
      await place.pass(200);
      return (await queue.deadLetters.length()) === 1;
    });
    t.equal(reasons.length, 2);
    await worker.close();
    t.match(worker.stats(), { done: 0, failed: 2 });
  });

  test.timed('rateLimit: so many in any stretch of time', async (t, place) => {
    const queue = await place.openQueue<number>();
    await queue.enqueueMany([1, 2, 3, 4, 5]);
    const handled: number[] = [];
    const worker = queue.process(({ value }) => void handled.push(value), {
      concurrency: 5,
      rateLimit: { max: 2, perMs: 1000 },
    });
    if (place.clock !== undefined) {
      await place.pass(10);
      const counts: number[] = [];
      for (let n = 0; n < 3; n++) {
        counts.push(handled.length);
        await place.pass(1000);
      }
      t.ok(
        counts.every((count, n) => count <= 2 * (n + 1)),
        `${counts}`,
      );
    }
    await place.until('all', async () => {
      await place.pass(200);
      return handled.length === 5;
    });
    await worker.close();
  });

  test('arguments that are none are INVALID_OPTION', async (t, place) => {
    const queue = await place.openQueue();
    t.throws(() => queue.process(untyped('handler')), { code: 'INVALID_OPTION' });
    for (const options of [
      { concurrency: 0 },
      { concurrency: 1.5 },
      { rateLimit: { max: 0, perMs: 1 } },
      { rateLimit: { max: 1 } },
      { timeoutMs: 0 },
      { timeoutMs: -1 },
      { leaseMs: 0 },
      { signal: {} },
      { unknown: 1 },
    ])
      t.throws(
        () => queue.process(() => {}, untyped(options)),
        { code: 'INVALID_OPTION' },
        JSON.stringify(options),
      );
  });
});
