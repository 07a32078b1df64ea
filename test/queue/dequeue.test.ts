import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

onBothDisks('first in, first out; underflow is undefined', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.equal(await queue.dequeue(), undefined);
  await queue.enqueueMany(range(1, 5));
  for (const n of range(1, 5)) t.equal(await queue.dequeue(), n);
  t.equal(await queue.dequeue(), undefined);
  await queue.enqueue(6);
  t.equal(await queue.dequeue(), 6);
});

onBothDisks('what is dequeued is gone, in every opener and after a restart', async (t, world) => {
  const [one, two] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await one.enqueueMany(range(1, 4));
  t.equal(await two.dequeue(), 1);
  t.equal(await one.dequeue(), 2);
  t.equal(await one.read(1), undefined);
  t.equal(await two.read(2), undefined);
  await Promise.all([one.close(), two.close()]);
  const again = await world.openQueue<number>();
  t.same(await again.flush(), [3, 4]);
});

onBothDisks('dequeueMany takes what is there, up to max', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.same(await queue.dequeueMany(5), []);
  await queue.enqueueMany(range(1, 12));
  t.same(await queue.dequeueMany(0), [], 'max 0 is []');
  t.same(await queue.dequeueMany(3), [1, 2, 3]);
  t.same(await queue.dequeueMany(1), [4]);
  t.same(await queue.dequeueMany(100), range(5, 12));
  t.same(await queue.dequeueMany(Number.POSITIVE_INFINITY), []);
});

onBothDisks(
  'dequeueMany frees the files that it emptied, behind one that is pinned, too',
  async (t, world) => {
    const queue = await world.openQueue<string>({ maxFileSize: 600, durability: 'written' });
    const value = 'x'.repeat(150);
    for (let n = 1; n <= 6; n++) await queue.enqueue(value);
    t.equal(world.files(/\.dat$/).length, 3);
    await queue.claim();
    t.equal((await queue.dequeueMany(5)).length, 5);
    await until('two files are left', () => world.files(/\.dat$/).length === 2);
    t.same(world.files(/\.dat$/), ['duro_00000000000000000001.dat', 'duro_00000000000000000005.dat']);
  },
);

onBothDisks('max 0 is [] at once, even with a wait', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.same(await queue.dequeueMany(0, { waitMs: Number.POSITIVE_INFINITY }), []);
  t.same(await queue.claimMany(0, { waitMs: Number.POSITIVE_INFINITY }), []);
  t.same(await queue.peekMany(0), []);
});

onBothDisks('wrong arguments are INVALID_OPTION and take nothing', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueue(1);
  for (const max of [-1, 1.5, Number.NaN, '1', null, undefined, {}]) {
    const error = { code: 'INVALID_OPTION', message: /^max/ };
    await t.rejects(queue.dequeueMany(max as number), error);
    await t.rejects(queue.claimMany(max as number), error);
    await t.rejects(queue.peekMany(max as number), error);
  }
  const wrong: [unknown, RegExp][] = [
    [null, /^options/],
    [5, /^options/],
    [{ waitMs: -1 }, /^waitMs/],
    [{ waitMs: Number.NaN }, /^waitMs/],
    [{ waitMs: '5' }, /^waitMs/],
    [{ signal: {} }, /^signal/],
    [{ wait: 5 }, /^wait:/],
  ];
  for (const [options, message] of wrong) {
    const error = { code: 'INVALID_OPTION', message };
    await t.rejects(queue.dequeue(options as object), error);
    await t.rejects(queue.dequeueMany(1, options as object), error);
    await t.rejects(queue.claim(options as object), error);
    await t.rejects(queue.claimMany(1, options as object), error);
  }
  await t.rejects(
    queue.dequeue({ leaseMs: 5 } as object),
    { code: 'INVALID_OPTION' },
    'a lease is for claims',
  );
  for (const leaseMs of [0, -1, 1.5, '5', null]) {
    const error = { code: 'INVALID_OPTION', message: /^leaseMs/ };
    await t.rejects(queue.claim({ leaseMs: leaseMs as number }), error);
  }
  t.equal(await queue.dequeue({ waitMs: undefined, signal: undefined }), 1);
});

onBothDisks('waitMs 0 is the default and does not wait', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock });
  t.equal(await queue.dequeue(), undefined);
  t.equal(await queue.dequeue({ waitMs: 0 }), undefined);
  t.same(await queue.dequeueMany(3, { waitMs: 0 }), []);
});

onBothDisks('waitMs ends the wait with undefined or []', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock });
  const done: unknown[] = [];
  const waiting = [
    queue.dequeue({ waitMs: 1000 }).then((value) => done.push(['dequeue', value])),
    queue.dequeueMany(5, { waitMs: 2000 }).then((values) => done.push(['dequeueMany', values])),
    queue.claim({ waitMs: 3000 }).then((delivery) => done.push(['claim', delivery])),
  ];
  await settle();
  clock.advance(999);
  await settle();
  t.same(done, []);
  clock.advance(1);
  await waiting[0];
  t.same(done, [['dequeue', undefined]]);
  clock.advance(1000);
  await waiting[1];
  clock.advance(1000);
  await waiting[2];
  t.same(done, [
    ['dequeue', undefined],
    ['dequeueMany', []],
    ['claim', undefined],
  ]);
});

onBothDisks('a message that comes ends the wait, whoever enqueued it', async (t, world) => {
  const [consumer, producer] = [await world.openQueue<number>(), await world.openQueue<number>()];
  for (const [n, queue] of [consumer, producer, producer].entries()) {
    const waiting = consumer.dequeue({ waitMs: Number.POSITIVE_INFINITY });
    await settle();
    await queue.enqueue(n);
    t.equal(await waiting, n);
  }
});

onBothDisks('dequeueMany waits for at least one, and then takes what is there', async (t, world) => {
  const [consumer, producer] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const waiting = consumer.dequeueMany(10, { waitMs: Number.POSITIVE_INFINITY });
  await settle();
  await producer.enqueueMany([1, 2, 3]);
  t.same(await waiting, [1, 2, 3]);
});

// So few that one piece of a turn decides for them all: of more, those of a later piece may find what those of the first did not.
onBothDisks('15 waiters are served in the order in which they came', async (t, world) => {
  const [consumer, producer] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const served: [waiter: number, value: number | undefined][] = [];
  const waiters = range(1, 15).map(async (waiter) => {
    served.push([waiter, await consumer.dequeue({ waitMs: Number.POSITIVE_INFINITY })]);
  });
  await settle();
  let next = 1;
  for (const count of [1, 1, 5, 1, 4, 3]) {
    await producer.enqueueMany(range(next, next + count - 1));
    next += count;
  }
  await Promise.all(waiters);
  t.same(
    served,
    range(1, 15).map((n) => [n, n]),
  );
});

onBothDisks('a signal that has fired rejects with its reason and takes nothing', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueue(1);
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await t.rejects(queue.dequeue({ signal }), reason);
  await t.rejects(queue.dequeueMany(1, { signal }), reason);
  await t.rejects(queue.claim({ signal }), reason);
  await t.rejects(queue.claimMany(1, { signal }), reason);
  t.equal(await queue.length(), 1);
});

onBothDisks('an abort ends the wait with its reason, and that one only', async (t, world) => {
  const queue = await world.openQueue<number>();
  const abort = new AbortController();
  const reason = new Error('enough');
  const aborted = queue.dequeue({ waitMs: Number.POSITIVE_INFINITY, signal: abort.signal });
  const claiming = queue.claim({ waitMs: Number.POSITIVE_INFINITY, signal: abort.signal });
  const patient = queue.dequeue({ waitMs: Number.POSITIVE_INFINITY });
  await settle();
  const rejected = [t.rejects(aborted, reason), t.rejects(claiming, reason)];
  abort.abort(reason);
  await Promise.all(rejected);
  await queue.enqueue(1);
  t.equal(await patient, 1);
});

onBothDisks(
  'an abort never takes a message: two racing consumers, each message exactly once',
  async (t, world) => {
    const count = 400;
    const producer = await world.openQueue<number>({ durability: 'written' });
    const consumers = [await world.openQueue<number>(), await world.openQueue<number>()];
    const found: number[] = [];
    let aborted = 0;
    const consume = async (consumer: (typeof consumers)[number]): Promise<void> => {
      while (found.length < count) {
        const abort = new AbortController();
        const taking = consumer.dequeue({ waitMs: Number.POSITIVE_INFINITY, signal: abort.signal });
        setImmediate(() => setImmediate(() => abort.abort()));
        try {
          const value = await taking;
          if (value !== undefined) found.push(value);
        } catch (error) {
          if (error !== abort.signal.reason) throw error;
          aborted += 1;
        }
      }
    };
    const consuming = Promise.all(consumers.map(consume));
    for (const n of range(1, count)) {
      await producer.enqueue(n);
      if (n % 5 === 0) await settle(3);
    }
    await consuming;
    t.same(
      found.sort((a, b) => a - b),
      range(1, count),
    );
    t.ok(aborted > 0, `${aborted} waits were aborted`);
  },
);

onBothDisks('close ends every wait with CLOSED and takes nothing', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const waiting = [
    queue.dequeue({ waitMs: Number.POSITIVE_INFINITY }),
    queue.dequeueMany(3, { waitMs: 1_000_000 }),
    queue.claim({ waitMs: Number.POSITIVE_INFINITY }),
    queue.claimMany(3, { waitMs: 1_000_000 }),
  ].map((one: Promise<unknown>) => t.rejects(one, { code: 'CLOSED' }));
  await settle();
  await queue.close();
  await Promise.all(waiting);
  await other.enqueue(1);
  t.equal(await other.dequeue(), 1);
});

onBothDisks('close while messages come: each was given out or is still there', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const waiting = Promise.allSettled(
    range(1, 20).map(() => queue.dequeue({ waitMs: Number.POSITIVE_INFINITY })),
  );
  await settle();
  const enqueueing = other.enqueueMany(range(1, 10));
  const closing = queue.close();
  await enqueueing;
  const outcomes = await waiting;
  await closing;
  const given = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const left = await other.flush();
  t.same([...given, ...left], range(1, 10));
});
