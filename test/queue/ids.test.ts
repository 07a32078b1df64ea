import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { lockFileMachine, memoryWorld, onBothDisks, type World } from '../store/world.js';
import { until } from '../support/until.js';

onBothDisks('what was enqueued with an id is not stored again', async (t, world) => {
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  t.equal(await queue.enqueue('one', { id: 'a' }), 1);
  t.equal(await queue.enqueue('other value', { id: 'a' }), 1);
  t.equal(await other.enqueue('by another process', { id: 'a' }), 1);
  t.equal(await other.enqueue('two', { id: 'b' }), 2);
  t.equal(await queue.enqueue('two', { id: 'b' }), 2);
  t.equal(await queue.enqueue('without'), 3);
  t.same(await other.peekMany(9), ['one', 'two', 'without']);
});

onBothDisks('also when it was consumed, and all were closed meanwhile', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueue('one', { id: 'a' });
  t.equal(await queue.dequeue(), 'one');
  await queue.close();
  const later = await world.openQueue<string>();
  t.equal(await later.enqueue('one', { id: 'a' }), 1);
  t.equal(await later.length(), 0);
});

onBothDisks('calls of one tick with one id are one message', async (t, world) => {
  const queue = await world.openQueue<number>();
  const indexes = await Promise.all(range(1, 5).map((value) => queue.enqueue(value, { id: 'a' })));
  t.same(indexes, [1, 1, 1, 1, 1]);
  t.same(await queue.flush(), [1]);
});

onBothDisks('a batch with an id is answered with all its indexes', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueue(0);
  t.same(await queue.enqueueMany([1, 2, 3], { id: 'batch' }), [2, 3, 4]);
  t.same(await queue.enqueueMany([1, 2], { id: 'batch' }), [2, 3, 4]);
  t.equal(await queue.enqueue(9, { id: 'batch' }), 2);
  t.same(await queue.flush(), [0, 1, 2, 3]);
});

t.test('within the window, and not beyond', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock, deduplication: { windowMs: 1000 } });
  t.equal(await queue.enqueue('x', { id: 'a' }), 1);
  clock.advance(999);
  t.equal(await queue.enqueue('x', { id: 'a' }), 1);
  clock.advance(1);
  t.equal(await queue.enqueue('x', { id: 'a' }), 2, 'counted from the first');
  t.equal(await queue.enqueue('x', { id: 'a' }), 2);
  const zero = await world.openQueue<string>({ clock, deduplication: { windowMs: 0 } });
  t.equal(await zero.enqueue('x', { id: 'a' }), 3);
});

t.test('ids are compared whole', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<number>();
  const long = 'é'.repeat(499);
  const ids = ['a', 'A', 'a ', 'a\0', long, `${long}x`, 'constructor', '__proto__'];
  for (const [at, id] of ids.entries()) t.equal(await queue.enqueue(at, { id }), at + 1);
  await queue.close();
  const later = await world.openQueue<number>();
  for (const [at, id] of ids.entries()) t.equal(await later.enqueue(at, { id }), at + 1);
  t.same(await later.flush(), range(0, ids.length - 1));
});

const SMALL: Partial<QueueOptions<string>> = { maxFileSize: 1024, durability: 'written' };

/** Consumed, and swept away with its segment. */
async function consumeAll(world: World, options: Partial<QueueOptions<string>>): Promise<void> {
  const queue = await world.openQueue<string>(options);
  while ((await queue.stats()).files < 3) await queue.enqueue('filling');
  await queue.flush();
  await queue.close();
}

for (const [name, machine] of [
  ['locks of the system', () => new MemoryDisk()],
  ['lock files', lockFileMachine],
] as const) {
  t.test(`ids outlive their segment, with ${name}`, async (t) => {
    const clock = new MovedClock();
    const world = memoryWorld(t, machine());
    const options = { ...SMALL, clock };
    const queue = await world.openQueue<string>(options);
    t.same(await queue.enqueueMany(['x', 'y'], { id: 'a' }), [1, 2]);
    t.equal(await queue.enqueue('z', { id: 'b' }), 3);
    await consumeAll(world, options);
    t.same(world.files(/_0{19}1\.dat$/), [], 'the segment is gone');
    t.same(world.files(/ids/), ['duro.ids.1']);
    t.same(await queue.enqueueMany(['x', 'y'], { id: 'a' }), [1, 2], 'for who has seen it');
    const later = await world.openQueue<string>(options);
    t.same(await later.enqueueMany(['x', 'y'], { id: 'a' }), [1, 2], 'for who has not');
    t.equal(await later.enqueue('z', { id: 'b' }), 3);
    clock.advance(120_000);
    await consumeAll(world, options);
    t.same(world.files(/ids/), [], 'what is too old is removed');
    t.not(await later.enqueue('x', { id: 'a' }), 1);
  });
}

t.test('a damaged archive of ids is CORRUPT; messages without ids go on', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>(SMALL);
  await queue.enqueue('x', { id: 'a' });
  await consumeAll(world, SMALL);
  await queue.close();
  world.flip('duro.ids.1', 50);
  const later = await world.openQueue<string>(SMALL);
  await t.rejects(later.enqueue('x', { id: 'a' }), { code: 'CORRUPT', message: /duro\.ids\.1/ });
  await later.enqueue('y');
  t.same(await later.flush(), ['y']);
});

t.test('who fell behind while segments came and went looks into their archives', async (t) => {
  const world = memoryWorld(t);
  const options = { ...SMALL, indexer: false } as const;
  const [lagging, busy] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
  await lagging.enqueue('x', { id: 'a' });
  for (const at of range(1, 60)) await busy.enqueue('m', { id: `id ${at}` });
  await busy.flush();
  await until('the segments to go', () => world.files(/\.dat$/).length === 1);
  for (const at of range(1, 60)) t.equal(await lagging.enqueue('m', { id: `id ${at}` }), at + 1);
  t.equal(await lagging.length(), 0);
});

t.test('a clock that was ahead once keeps ids no longer than the window', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock, deduplication: { windowMs: 1000 } });
  const now = clock.now();
  clock.setWall(now + 30 * 24 * 3600 * 1000);
  await queue.enqueue('while it was ahead');
  clock.setWall(now);
  t.equal(await queue.enqueue('x', { id: 'a' }), 2);
  clock.advance(999);
  t.equal(await queue.enqueue('x', { id: 'a' }), 2);
  clock.advance(1);
  t.equal(await queue.enqueue('x', { id: 'a' }), 3);
});

t.test('a full disk can be emptied of messages with ids', async (t) => {
  const machine = new MemoryDisk({ capacityBytes: 1_000_000 });
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<Uint8Array>({
    maxFileSize: 50_000,
    durability: 'written',
    codec: 'bytes',
  });
  let count = 0;
  for (const size of [500, 0]) {
    const write = async (): Promise<boolean> => {
      await queue.enqueue(new Uint8Array(size), { id: `${count} ${'x'.repeat(100)}` });
      count += 1;
      return true;
    };
    while (await write().catch(() => false));
  }
  let had = 0;
  for (let some = 1; some > 0; had += some) some = (await queue.dequeueMany(100)).length;
  t.equal(had, count);
  await until('the segments to go', () => world.files(/\.dat$/).length === 1);
  for (const at of range(1, 20)) t.equal(await queue.enqueue(new Uint8Array(500)), count + at);
});

t.test('ids outlive the succession of their segment by a sparse one', async (t) => {
  const machine = new MemoryDisk();
  const options = { directory: '/store', durability: 'written', maxFileSize: 4096 } as const;
  const open = (): Promise<Queue<number>> =>
    openQueueOn<number>(machine.opener(), options, undefined, {
      compaction: { leastBytes: 0, everyMs: 1, retryMs: 1 },
    });
  const queue = await open();
  const world = memoryWorld(t, machine);
  for (const at of range(1, 80)) await queue.enqueue(at, { id: `id ${at}` });
  await queue.delete(range(2, 80));
  await until('a sparse segment', () => world.files(/\.1\.dat$/).length > 0);
  const kept = await open();
  for (const one of [queue, kept])
    for (const at of range(1, 80)) t.equal(await one.enqueue(at, { id: `id ${at}` }), at);
  await queue.close();
  await kept.close();
});

t.test('a damaged archive keeps no other segment from going, and is CORRUPT each time', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>(SMALL);
  await queue.enqueue('x', { id: 'a' });
  await consumeAll(world, SMALL);
  await queue.close();
  world.flip('duro.ids.1', 50);
  const later = await world.openQueue<string>(SMALL);
  for (const _ of range(1, 3)) await t.rejects(later.enqueue('x', { id: 'a' }), { code: 'CORRUPT' });
  await consumeAll(world, SMALL);
  await until('the segments to go', () => world.files(/\.dat$/).length === 1);
  t.same(world.files(/ids/), ['duro.ids.1']);
});

onBothDisks(
  'the messages of one caller are in the order of its calls, also where ids are looked up first',
  async (t, world) => {
    const before = await world.openQueue<number>({ durability: 'written' });
    await Promise.all(range(1, 1500).map((n) => before.enqueue(n, { id: `before ${n}` })));
    await before.close();
    const queue = await world.openQueue<number>({ durability: 'written' });
    const calls = range(0, 11).map((n) => queue.enqueue(n, n % 3 === 0 ? { id: `now ${n}` } : {}));
    t.same(await Promise.all(calls), range(1501, 1512));
  },
);
