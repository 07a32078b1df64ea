import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { settle } from './settle.js';

onBothDisks('higher priorities first; first in, first out within one', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueue('plain 1');
  await queue.enqueue('low', { priority: 1 });
  await queue.enqueue('high 1', { priority: 9 });
  await queue.enqueue('plain 2', { priority: 0 });
  await queue.enqueue('high 2', { priority: 9 });
  const line = ['high 1', 'high 2', 'low', 'plain 1', 'plain 2'];
  t.same(await queue.peekMany(9), line);
  const other = await world.openQueue<string>();
  t.same(await other.peekMany(9), line, 'also for who opens later');
  t.equal(await other.dequeue(), 'high 1');
  t.same(await queue.dequeueMany(9), line.slice(1));
});

onBothDisks('a message that comes again comes at its place', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2], { priority: 3 });
  await queue.enqueueMany([3, 4]);
  const [one] = await queue.claimMany(1);
  t.same(await queue.peekMany(9), [2, 3, 4]);
  await one?.nack();
  t.same(await queue.peekMany(9), [1, 2, 3, 4]);
});

onBothDisks('front: before everything of its priority; a batch keeps its order', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueueMany(['a', 'b']);
  await queue.enqueue('urgent', { priority: 2 });
  await queue.enqueueMany(['first 1', 'first 2'], { front: true });
  await queue.enqueueMany(['second 1', 'second 2'], { front: true });
  await queue.enqueue('urgent first', { priority: 2, front: true });
  const line = ['urgent first', 'urgent', 'second 1', 'second 2', 'first 1', 'first 2', 'a', 'b'];
  t.same(await queue.peekMany(9), line);
  await queue.close();
  const later = await world.openQueue<string>();
  t.same(await later.peekMany(9), line);
  const deliveries = await later.claimMany(4);
  await deliveries[2]?.nack();
  t.same(await later.peekMany(9), ['second 1', ...line.slice(4)]);
});

t.test('delayed: not before its time, then at its place, and counted as delayed until then', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock });
  await queue.enqueue('later', { delayMs: 1000 });
  await queue.enqueue('now');
  t.same(await queue.peekMany(9), ['now']);
  const { waiting, delayed, length } = await queue.stats();
  t.same({ waiting, delayed, length }, { waiting: 1, delayed: 1, length: 2 });
  t.equal(await queue.length(), 1);
  clock.advance(999);
  t.same(await queue.peekMany(9), ['now']);
  clock.advance(1);
  t.same(await queue.peekMany(9), ['later', 'now'], 'its index is the lower one');
  t.equal((await queue.stats()).delayed, 0);
});

t.test('who waits wakes when it is due, also for what others delayed', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const [waiter, producer] = [
    await world.openQueue<string>({ clock }),
    await world.openQueue<string>({ clock }),
  ];
  const first = waiter.claim({ waitMs: 60_000 });
  await settle(8);
  await producer.enqueue('late', { delayMs: 5000, durability: 'written' });
  await producer.enqueue('soon', { delayMs: 3000, durability: 'written' });
  let isHere = false;
  void first.then(() => {
    isHere = true;
  });
  for (const _ of range(1, 29)) {
    clock.advance(100);
    await settle(8);
  }
  t.equal(isHere, false, 'after 2900 ms nothing');
  for (const _ of range(1, 3)) {
    clock.advance(100);
    await settle(8);
  }
  t.equal((await first)?.value, 'soon');
  t.equal(await waiter.claim(), undefined);
});

t.test('a wall clock that is set is looked at within a second', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock });
  await queue.enqueue('tomorrow', { delayMs: 24 * 3600 * 1000, durability: 'written' });
  const claimed = queue.claim({ waitMs: 60_000 });
  await settle(8);
  clock.setWall(clock.now() + 24 * 3600 * 1000);
  for (const _ of range(1, 11)) {
    clock.advance(100);
    await settle(8);
  }
  t.equal((await claimed)?.value, 'tomorrow');
});

t.test('a delayed message may be deleted, cleared and cancelled; flush leaves it', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<number>({ clock });
  await queue.enqueueMany(range(1, 5), { delayMs: 1000 });
  await queue.enqueue(6);
  t.same(await queue.flush(), [6]);
  t.equal(await queue.cancel(2), true);
  t.equal(await queue.delete([3, 4]), 2);
  t.equal((await queue.stats()).delayed, 2);
  t.equal(await queue.clear(), 2);
  clock.advance(2000);
  t.same(await queue.peekMany(9), []);
  t.equal((await queue.stats()).delayed, 0);
});

t.test('what keeps a segment is told to be delayed', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ maxFileSize: 1024 });
  await queue.enqueue('x', { delayMs: 1e6 });
  while ((await queue.stats()).files < 2) await queue.enqueue('filling');
  t.same(
    (await queue.stats()).pinnedBy.map(({ index, why }) => ({ index, why })),
    [{ index: 1, why: 'delayed' }],
  );
});

t.test('entries are a cache: without them the marks are found in the records', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>();
  for (const value of range(1, 20)) await queue.enqueue(value, value % 3 === 0 ? { priority: 5 } : {});
  const line = await queue.peekMany(99);
  t.same(line.slice(0, 7), [3, 6, 9, 12, 15, 18, 1]);
  await queue.close();
  for (const name of world.files(/\.idx$/)) world.remove(name);
  t.same(await (await world.openQueue<number>()).peekMany(99), line);
});

t.test('a batch of messages with marks must fit into a file with them', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ maxFileSize: 1024 });
  await t.rejects(queue.enqueue('x', { key: 'k'.repeat(1000) }), { code: 'RECORD_TOO_LARGE' });
  t.equal(await queue.length(), 0);
});
