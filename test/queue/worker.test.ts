import { getEventListeners } from 'node:events';
import t from 'tap';
import type { Worker } from '../../src/mod.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { deferred, errorsOf, Gates, noneUnhandled } from './gates.js';
import { settle } from './settle.js';

onBothDisks('what a handler returns from is gone, one after the other, in order', async (t, world) => {
  noneUnhandled(t);
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2]);
  const seen: [number, number][] = [];
  const all = deferred();
  const worker = queue.process(async ({ value, attempt }) => {
    seen.push([value, attempt]);
    await settle(1);
    if (value === 3) all.resolve();
  });
  await queue.enqueue(3);
  await all.promise;
  await worker.close();
  t.same(seen, [
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  t.same(worker.stats(), { running: 0, done: 3, failed: 0, paused: false });
  t.equal(await queue.store.length(), 0);
});

onBothDisks('a handler that is not asynchronous is one, too', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2]);
  let failed = false;
  const worker = queue.process(({ value }) => {
    if (value === 1 && !failed) {
      failed = true;
      throw new Error('not yet');
    }
    return value;
  });
  await until('both are done', () => worker.stats().done === 2);
  t.same(worker.stats(), { running: 0, done: 2, failed: 1, paused: false });
  await worker.close();
});

onBothDisks('what a handler throws at is given back, its attempts counted', async (t, world) => {
  noneUnhandled(t);
  const queue = await world.openQueue<string>();
  const errors = errorsOf(queue as never);
  await queue.enqueue('a');
  const attempts: number[] = [];
  const worker = queue.process(async ({ attempt }) => {
    attempts.push(attempt);
    if (attempt < 3) throw new Error('again');
  });
  await until('it is done', () => worker.stats().done === 1);
  t.same(attempts, [1, 2, 3]);
  t.same(worker.stats(), { running: 0, done: 1, failed: 2, paused: false });
  t.same(errors, [], "a handler's failure is no error of the queue");
  await worker.close();
});

onBothDisks('as many run at a time as are asked for, and no more are claimed', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany(range(1, 10));
  const gates = new Gates<number>();
  const worker = queue.process(gates.handler, { concurrency: 3 });
  for (const done of range(0, 9)) {
    const begun = Math.min(10, done + 3);
    await until(`${begun} have begun`, () => gates.begun.length === begun);
    await settle();
    t.equal(gates.begun.length, begun);
    t.equal(worker.stats().running, begun - done);
    t.equal((await other.stats()).claimed, begun - done, 'nobody waits under a lease');
    gates.open(done);
    await until(`${done + 1} are done`, () => worker.stats().done === done + 1);
  }
  t.equal(gates.most, 3);
  t.same(gates.values, range(1, 10));
  await worker.close();
});

t.test('each of many messages is handled once', async (t) => {
  const world = memoryWorld(t);
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  noneUnhandled(t);
  const gates = { running: 0, most: 0 };
  const seen: number[] = [];
  const handler = async ({ value }: { value: number }): Promise<void> => {
    seen.push(value);
    gates.running += 1;
    gates.most = Math.max(gates.most, gates.running);
    await settle(1 + (value % 3));
    gates.running -= 1;
  };
  const workers = [queue, other].map((one) => one.process(handler, { concurrency: 8 }));
  for (let from = 1; from <= 500; from += 50) await queue.enqueueMany(range(from, from + 49));
  const done = (): number => workers.reduce((sum, worker) => sum + worker.stats().done, 0);
  await until('all are done', () => done() === 500);
  await Promise.all(workers.map((worker) => worker.close()));
  t.same(
    seen.sort((a, b) => a - b),
    range(1, 500),
  );
  t.ok(gates.most > 1 && gates.most <= 16, `${gates.most} at a time`);
  t.equal(await queue.store.length(), 0);
});

onBothDisks('close takes no more and waits for what runs', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany(range(1, 4));
  const gates = new Gates<number>();
  const worker = queue.process(gates.handler, { concurrency: 2 });
  await until('two have begun', () => gates.begun.length === 2);
  let closed = false;
  const closing = worker.close().then(() => {
    closed = true;
  });
  t.equal(worker.close(), worker.close(), 'one closing, however often');
  gates.open(0);
  await until('one is done', () => worker.stats().done === 1);
  await settle();
  t.equal(closed, false);
  gates.open(1);
  await closing;
  t.same(gates.values, [1, 2]);
  t.same(worker.stats(), { running: 0, done: 2, failed: 0, paused: false });
  t.same(await queue.flush(), [3, 4]);
  await worker.close();
});

onBothDisks('await using closes it', async (t, world) => {
  const queue = await world.openQueue<number>();
  let done = 0;
  {
    await using worker = queue.process(() => {
      done += 1;
    });
    await queue.enqueue(1);
    await until('it is done', () => worker.stats().done === 1);
  }
  await queue.enqueue(2);
  await settle();
  t.equal(done, 1);
  t.equal(await queue.length(), 1);
});

t.test('who closes or pauses while messages come loses none', async (t) => {
  noneUnhandled(t);
  const world = memoryWorld(t);
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const errors = errorsOf(queue as never);
  const handled: number[] = [];
  let expected = 0;
  for (const turns of range(0, 40)) {
    for (const deed of ['close', 'pause'] as const) {
      const worker = queue.process(
        ({ value }) => {
          handled.push(value);
        },
        { concurrency: 3 },
      );
      await settle();
      const enqueuing = other.enqueueMany(range(expected + 1, expected + 3));
      expected += 3;
      for (let turn = 0; turn < turns; turn++) await (turn % 4 === 3 ? settle(1) : undefined);
      const before = handled.length;
      if (deed === 'close') await worker.close();
      else worker.pause();
      const between = handled.length;
      t.equal(between, before, `nothing begins after ${deed}, ${turns} turns behind`);
      await enqueuing;
      if (deed === 'pause') {
        await settle();
        worker.resume();
        await until('they are handled', () => handled.length === expected);
        await worker.close();
      } else handled.push(...(await queue.flush()));
    }
  }
  t.same(
    handled.sort((a, b) => a - b),
    range(1, expected),
    'each once',
  );
  t.same(errors, []);
});

t.test('what comes at the moment of closing is given back, or handled at its last attempt', async (t) => {
  for (const maxAttempts of [5, 1]) {
    const world = memoryWorld(t);
    const queue = await world.openQueue<number>({ maxAttempts });
    await queue.enqueue(1);
    const seen: number[] = [];
    let worker: Worker | undefined;
    const claimMany = queue.claimMany.bind(queue);
    // What was claimed is there, and in the same moment it is closed.
    queue.claimMany = async (max, options) => {
      const deliveries = await claimMany(max, options);
      void worker?.close();
      return deliveries;
    };
    worker = queue.process(({ value }) => {
      seen.push(value);
    });
    await until('it closes', () => seen.length > 0 || queue.length().then((length) => length > 0));
    await worker.close();
    t.same(seen, maxAttempts === 1 ? [1] : []);
    if (maxAttempts === 1) t.equal(await queue.store.length(), 0);
    else t.equal((await claimMany(1))[0]?.attempt, 2, 'the attempt counts');
  }
});

onBothDisks('paused, it takes no more, and what runs goes on', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2, 3]);
  const gates = new Gates<number>();
  const worker = queue.process(gates.handler, { concurrency: 2 });
  worker.pause();
  t.equal(worker.stats().paused, true);
  await settle(10);
  t.equal(gates.begun.length, 0);
  worker.resume();
  t.equal(worker.stats().paused, false);
  await until('two have begun', () => gates.begun.length === 2);
  t.same(
    gates.begun.map(({ attempt }) => attempt),
    [1, 1],
    'paused in the turn in which it was made, it has claimed nothing',
  );
  worker.pause();
  worker.pause();
  gates.open(0);
  await until('one is done', () => worker.stats().done === 1);
  await settle(10);
  t.equal(gates.begun.length, 2);
  t.equal(await queue.length(), 1);
  worker.resume();
  await until('the last has begun', () => gates.begun.length === 3);
  gates.openAll();
  await until('three are done', () => worker.stats().done === 3);
  await settle();
  worker.pause();
  await queue.enqueue(4);
  await settle(10);
  t.equal(gates.begun.length, 3);
  worker.resume();
  await until('it has begun', () => gates.begun.length === 4);
  t.equal(gates.begun[3]?.attempt, 1, 'paused while it waited, it has claimed nothing');
  worker.pause();
  gates.openAll();
  await worker.close();
  t.equal(worker.stats().done, 4);
});

onBothDisks('a signal closes it, and is left without listeners', async (t, world) => {
  const queue = await world.openQueue<number>();
  const abort = new AbortController();
  const listeners = (): number => getEventListeners(abort.signal, 'abort').length;
  const gates = new Gates<number>();
  const worker = queue.process(gates.handler, { signal: abort.signal });
  const another = queue.process(gates.handler, { signal: abort.signal });
  await queue.enqueue(1);
  await until('it has begun', () => gates.begun.length === 1);
  t.equal(listeners(), 1, 'one for both: Node warns of more than ten');
  const idle = worker.stats().running === 0 ? worker : another;
  const busy = idle === worker ? another : worker;
  await idle.close();
  t.equal(listeners(), 1, 'the other one still listens');
  abort.abort();
  gates.open(0);
  await busy.close();
  t.equal(listeners(), 0);
  t.equal(busy.stats().done, 1, 'what ran was waited for');
  await queue.enqueue(2);
  const never = queue.process(gates.handler, { signal: abort.signal });
  await never.close();
  t.equal(gates.begun.length, 1, 'aborted from the first: it takes nothing');
});

onBothDisks('queue.close waits for running handlers, which have the queue to the last', async (t, world) => {
  noneUnhandled(t);
  const queue = await world.openQueue<string>();
  await queue.enqueueMany(['a', 'b']);
  const gate = deferred();
  const begun = deferred();
  const worker = queue.process(async ({ value, progress: _, ...rest }) => {
    begun.resolve();
    await gate.promise;
    await queue.enqueue(`behind ${value}`);
    t.type(rest, 'object');
  });
  await begun.promise;
  const closing = queue.close();
  t.throws(() => queue.process(() => {}), { code: 'CLOSED' }, 'no more workers');
  await settle();
  gate.resolve();
  await closing;
  t.same(worker.stats(), { running: 0, done: 1, failed: 0, paused: false });
  await t.rejects(queue.length(), { code: 'CLOSED' });
  t.throws(() => queue.process(() => {}), { code: 'CLOSED' });
  const again = await world.openQueue<string>();
  t.same(await again.flush(), ['b', 'behind a'], 'what it did not take is there');
});

onBothDisks('impossible options are refused', async (t, world) => {
  const queue = await world.openQueue<number>();
  const handler = (): void => {};
  for (const [options, message] of [
    [{ concurrency: 0 }, /^concurrency/],
    [{ concurrency: 1.5 }, /^concurrency/],
    [{ concurrency: Number.POSITIVE_INFINITY }, /^concurrency/],
    [{ timeoutMs: 0 }, /^timeoutMs/],
    [{ leaseMs: -1 }, /^leaseMs/],
    [{ rateLimit: { max: 0, perMs: 1 } }, /^rateLimit\.max/],
    [{ rateLimit: { max: 1 } }, /^rateLimit\.perMs/],
    [{ rateLimit: { perMs: 1 } }, /^rateLimit\.max/],
    [{ rateLimit: { max: 1, perMs: 1, burst: 1 } }, /^rateLimit\.burst/],
    [{ rateLimit: 5 }, /^rateLimit/],
    [{ signal: {} }, /^signal/],
    [{ retries: 3 }, /^retries/],
    [null, /^options/],
  ] as const) {
    t.throws(() => queue.process(handler, options as object), { code: 'INVALID_OPTION', message });
  }
  t.throws(() => queue.process(1 as unknown as () => void), { code: 'INVALID_OPTION', message: /^handler/ });
  const worker = queue.process(handler, {
    concurrency: undefined,
    rateLimit: undefined,
    timeoutMs: undefined,
    leaseMs: undefined,
    signal: undefined,
  });
  await worker.close();
});
