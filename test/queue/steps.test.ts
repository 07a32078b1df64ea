/** Who takes much takes it in steps, and gets all of it; loops of calls leave the event loop to others. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';

const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

onBothDisks('many are taken at once, in order, however many commits that takes', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany(range(1, 5500), { durability: 'written' });
  t.same(await queue.dequeueMany(2500), range(1, 2500));
  const claimed = await queue.claimMany(2300);
  t.same(
    claimed.map(({ value }) => value),
    range(2501, 4800),
  );
  await Promise.all(claimed.map((one) => one.ack()));
  t.same(await queue.dequeueMany(10_000), range(4801, 5500));
  t.same(await queue.dequeueMany(10), []);
  t.equal(await queue.length(), 0);
});

t.test('exactly as many as a step takes need one', async (t) => {
  const queue = await memoryWorld(t).openQueue<number>();
  await queue.enqueueMany(range(1, 2001), { durability: 'written' });
  t.same(await queue.dequeueMany(1000), range(1, 1000));
  t.same(await queue.flush(), range(1001, 2001));
});

t.test('what has many bytes is taken in steps, too', async (t) => {
  const queue = await memoryWorld(t).openQueue<Uint8Array>({ codec: 'bytes' });
  for (const n of range(1, 12)) await queue.enqueue(filled(400_000, n), { durability: 'written' });
  t.same(
    (await queue.dequeueMany(10)).map((value) => value[0]),
    range(1, 10),
  );
  t.same(
    (await queue.flush()).map((value) => value[0]),
    [11, 12],
  );
});

t.test('on the device when the last step resolves', async (t) => {
  const machine = new MemoryDisk();
  const queue = await memoryWorld(t, machine).openQueue<number>({ indexer: false });
  await queue.enqueueMany(range(1, 3000));
  t.equal((await queue.dequeueMany(2500)).length, 2500);
  const cut = machine.fork(1);
  cut.powerCut({ writes: 'lose', names: 'lose', sizes: 'keep' });
  const after = await memoryWorld(t, cut).openQueue<number>();
  t.same(await after.flush(), range(2501, 3000));
});

t.test('on the device when what is large was taken, too', async (t) => {
  const machine = new MemoryDisk();
  const queue = await memoryWorld(t, machine).openQueue<Uint8Array>({ indexer: false, codec: 'bytes' });
  for (const n of range(1, 4)) await queue.enqueue(filled(n % 2 === 0 ? 10 : 1_100_000, n));
  const left = async (): Promise<(number | undefined)[]> => {
    const cut = machine.fork(1);
    cut.powerCut({ writes: 'lose', names: 'lose', sizes: 'keep' });
    const after = await memoryWorld(t, cut).openQueue<Uint8Array>({ codec: 'bytes' });
    return (await after.flush()).map((value) => value[0]);
  };
  t.equal((await queue.dequeue())?.[0], 1);
  t.same(await left(), [2, 3, 4]);
  t.same(
    (await queue.dequeueMany(2)).map((value) => value[0]),
    [2, 3],
  );
  t.same(await left(), [4]);
});

t.test('an unreadable message ends a step, and is met by who asks next', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>({ maxAttempts: 3 });
  await queue.enqueueMany(range(1, 1000), { durability: 'written' });
  await queue.store.write(filled(3, 1));
  await queue.enqueueMany(range(1002, 1010), { durability: 'written' });
  const claimed = await queue.claimMany(1010);
  t.equal(claimed.length, 1000);
  await t.rejects(queue.claimMany(10), { code: 'CODEC', index: 1001 }, 'for the first time');
  await t.rejects(queue.claimMany(10), { code: 'CODEC', index: 1001 });
  t.equal(await queue.deadLetters.length(), 0);
  await t.rejects(queue.claimMany(10), { code: 'CODEC', index: 1001 }, 'for the last');
  t.equal(await queue.deadLetters.length(), 1);
  t.equal((await queue.claimMany(10)).length, 9);
});

t.test('several who take much get each message once', async (t) => {
  const world = memoryWorld(t);
  const queues = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queues[0]?.enqueueMany(range(1, 9000), { durability: 'written' });
  const all = await Promise.all([...queues, ...queues].map((queue) => queue.dequeueMany(4000)));
  for (const part of all)
    t.same(
      part,
      [...part].sort((a, b) => a - b),
    );
  t.same(
    all.flat().sort((a, b) => a - b),
    range(1, 9000),
  );
});

/** Calls `step` until a timer has fired, which it never does where nobody else has a turn. */
async function untilTimer(step: () => Promise<unknown>): Promise<boolean> {
  let fired = false;
  const timer = setTimeout(() => {
    fired = true;
  }, 1);
  for (let left = 3_000_000; left > 0 && !fired; left--) await step();
  clearTimeout(timer);
  return fired;
}

t.test('loops of calls that read leave the event loop to others', async (t) => {
  const queue = await memoryWorld(t).openQueue<number>({ maxAttempts: 1 });
  await queue.enqueueMany(range(1, 10), { durability: 'written' });
  await (await queue.claim())?.reject();
  t.ok(await untilTimer(() => queue.read(5)), 'read');
  t.ok(await untilTimer(() => queue.store.read(5)), 'store.read');
  t.ok(await untilTimer(() => queue.store.entry(5)), 'entry');
  t.ok(await untilTimer(() => queue.peek()), 'peek');
  const entries = async (): Promise<void> => {
    for await (const _ of queue.store.entries());
  };
  t.ok(await untilTimer(entries), 'entries');
  const letters = async (): Promise<void> => {
    for await (const _ of queue.deadLetters.list());
  };
  t.ok(await untilTimer(letters), 'dead letters');
});

t.test('thousands of decisions of one tick are made in their order, in several commits', async (t) => {
  const queue = await memoryWorld(t).openQueue<number>();
  await queue.enqueueMany(range(1, 20_000), { durability: 'written' });
  const claimed = await queue.claimMany(20_000);
  let turns = 0;
  let running = true;
  const turn = (): void => {
    turns += 1;
    if (running) setImmediate(turn);
  };
  const order: number[] = [];
  const acks = claimed.map(async (one) => {
    await one.ack();
    order.push(one.index);
  });
  setImmediate(turn);
  await Promise.all(acks);
  running = false;
  t.same(order, range(1, 20_000));
  t.ok(turns > 1, `${turns} turns`);
  t.equal(await queue.length(), 0);
});

t.test('thousands of writes of one tick get their indexes in the order of the calls', async (t) => {
  const queue = await memoryWorld(t).openQueue<number>();
  const indexes = await Promise.all(range(1, 5000).map((n) => queue.enqueue(n, { durability: 'written' })));
  t.same(indexes, range(1, 5000));
  t.same(await queue.flush(), range(1, 5000));
});
