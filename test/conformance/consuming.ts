import { suite } from './suite.js';
import { untyped, watched } from './values.js';

const letters = [...'abcdefghij'];

export const consuming = suite('consuming', (test) => {
  test('first in, first out, each message once', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(letters);
    t.same([await queue.dequeue(), await other.dequeue(), await queue.dequeue()], ['a', 'b', 'c']);
    t.same(await Promise.all([queue.dequeue(), queue.dequeueMany(2), queue.dequeue()]), [
      'd',
      ['e', 'f'],
      'g',
    ]);
    t.same(await other.dequeueMany(100), ['h', 'i', 'j']);
    t.equal(await queue.dequeue(), undefined);
    t.same(await queue.dequeueMany(5), []);
    t.same([await queue.length(), await queue.store.length()], [0, 0]);
  });

  test('many producers and consumers: every message once, in the order of each producer', async (t, place) => {
    const queues = [await place.openQueue(), await place.openQueue(), await place.openQueue()];
    const got: string[][] = queues.map(() => []);
    const produced = queues.map(async (queue, who) => {
      for (let n = 0; n < 10; n++) await queue.enqueue(`${who}:${n}`);
    });
    const consumed = queues.map(async (queue, who) => {
      while (got.flat().length < 30) {
        const value = await queue.dequeue({ waitMs: 50 });
        if (value !== undefined) got[who]?.push(value);
      }
    });
    await Promise.all([...produced, ...consumed]);
    t.equal(new Set(got.flat()).size, 30);
    t.equal(got.flat().length, 30);
    for (const mine of got)
      for (const producer of [0, 1, 2]) {
        const numbers = mine
          .filter((one) => one.startsWith(`${producer}:`))
          .map((one) => Number(one.slice(2)));
        t.same(
          numbers,
          [...numbers].sort((a, b) => a - b),
        );
      }
  });

  test('what waits is woken by whoever enqueues, and gets what is there, up to max', async (t, place) => {
    const consumer = await place.openQueue();
    const producer = await place.openQueue();
    const one = consumer.dequeue({ waitMs: Number.POSITIVE_INFINITY });
    await producer.enqueue('a');
    t.equal(await one, 'a');
    const many = consumer.dequeueMany(3, { waitMs: Number.POSITIVE_INFINITY });
    await producer.enqueueMany(['b', 'c', 'd', 'e']);
    t.same(await many, ['b', 'c', 'd']);
    t.same(await consumer.dequeueMany(3, { waitMs: Number.POSITIVE_INFINITY }), ['e'], 'one is enough');
    t.same(await consumer.dequeueMany(Number.POSITIVE_INFINITY), []);
  });

  test.timed('waiting ends after waitMs', async (t, place) => {
    const queue = await place.openQueue();
    const waits = [
      watched(queue.dequeue({ waitMs: 1000 })),
      watched(queue.dequeueMany(2, { waitMs: 1000 })),
      watched(queue.claim({ waitMs: 1000 })),
      watched(queue.claimMany(2, { waitMs: 1000 })),
    ];
    await place.pass(700);
    t.same(
      waits.map(({ state }) => state),
      ['waiting', 'waiting', 'waiting', 'waiting'],
    );
    const ended = Promise.all(waits.map(({ promise }) => promise as Promise<unknown>));
    t.same(await place.passUntil('the end of waiting', ended), [undefined, [], undefined, []]);
    t.equal(await queue.dequeue({ waitMs: 0 }), undefined);
  });

  test('max 0 is [], and waits for nothing', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    t.same(await queue.dequeueMany(0, { waitMs: Number.POSITIVE_INFINITY }), []);
    t.same(await queue.claimMany(0, { waitMs: Number.POSITIVE_INFINITY }), []);
    t.same(await queue.peekMany(0), []);
    t.equal(await queue.length(), 1);
  });

  test('an aborted wait rejects with its reason, and takes no message', async (t, place) => {
    const queue = await place.openQueue();
    const reason = new Error('enough');
    const abort = new AbortController();
    const forever = { waitMs: Number.POSITIVE_INFINITY, signal: abort.signal };
    const waits = [
      queue.dequeue(forever),
      queue.dequeueMany(2, forever),
      queue.claim(forever),
      queue.claimMany(2, forever),
    ] as Promise<unknown>[];
    const outcomes = Promise.allSettled(waits);
    setImmediate(() => abort.abort(reason));
    t.match(await outcomes, [{ reason }, { reason }, { reason }, { reason }]);
    await queue.enqueue('a');
    await t.rejects(queue.dequeue({ signal: abort.signal }), reason, 'also where a message is there');
    t.equal(await queue.dequeue(), 'a');
  });

  test('an abort after the fact never takes the message', async (t, place) => {
    const queue = await place.openQueue<number>();
    const values = Array.from({ length: 40 }, (_, n) => n);
    await queue.enqueueMany(values);
    const got: number[] = [];
    for (let round = 0; round < 40; round++) {
      const abort = new AbortController();
      const taken = queue.dequeue({ signal: abort.signal });
      for (let turn = 0; turn < round % 8; turn++) await Promise.resolve();
      if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      const value = await taken.catch(() => undefined);
      if (value !== undefined) got.push(value);
    }
    t.same([...got, ...(await queue.flush())], values, 'what did not resolve is still there');
  });

  test('flush takes what is waiting, in order', async (t, place) => {
    const queue = await place.openQueue();
    t.same(await queue.flush(), []);
    await queue.enqueueMany(letters);
    const claimed = await queue.claimMany(2);
    t.same(await (await place.openQueue()).flush(), letters.slice(2));
    t.same([await queue.length(), (await queue.stats()).claimed], [0, 2], 'claimed ones stay');
    await claimed[0]?.nack();
    t.same(await queue.flush(), ['a']);
  });

  test('arguments that are none are INVALID_OPTION, by a rejection', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    const refused = { code: 'INVALID_OPTION' };
    for (const max of [undefined, null, -1, 1.5, '1', Number.NaN]) {
      await t.rejects(queue.dequeueMany(untyped(max)), refused, `${max}`);
      await t.rejects(queue.claimMany(untyped(max)), refused, `${max}`);
      await t.rejects(queue.peekMany(untyped(max)), refused, `${max}`);
    }
    for (const options of [
      null,
      5,
      { waitMs: -1 },
      { waitMs: '1' },
      { waitMs: Number.NaN },
      { signal: {} },
      { unknown: 1 },
    ]) {
      await t.rejects(queue.dequeue(untyped(options)), refused, JSON.stringify(options));
      await t.rejects(queue.claim(untyped(options)), refused, JSON.stringify(options));
    }
    for (const leaseMs of [0, -1, 1.5, '1', Number.POSITIVE_INFINITY])
      await t.rejects(queue.claim({ leaseMs: untyped(leaseMs) }), refused, `${leaseMs}`);
    t.equal(await queue.length(), 1);
  });
});
