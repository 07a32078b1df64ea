import t from 'tap';
import type { Delivery } from '../../src/queue/delivery.js';
import { MovedClock } from '../store/moved-clock.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { settle } from './settle.js';

const values = (deliveries: readonly Delivery<string>[]): string[] => deliveries.map(({ value }) => value);

onBothDisks('messages of one key are had one at a time, in order; others go on', async (t, world) => {
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) await queue.enqueue(name, { key: name.slice(0, 1) });
  await queue.enqueue('free');
  const [a1, b1, free] = await queue.claimMany(9);
  t.same([a1?.value, b1?.value, free?.value], ['a1', 'b1', 'free']);
  t.same(await other.claimMany(9), [], 'nor by another process');
  t.equal(await other.length(), 3, 'what a key blocks is waiting');
  await a1?.ack();
  const [a2] = await other.claimMany(9);
  t.equal(a2?.value, 'a2');
  await b1?.nack();
  const [again] = await other.claimMany(9);
  t.equal(again?.value, 'b1', 'b1 before b2');
  t.equal(again?.attempt, 2);
  await again?.ack();
  await a2?.ack();
  t.same(values(await queue.claimMany(9)), ['a3', 'b2']);
});

onBothDisks('who takes them for good gets them in a row', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueueMany(['a1', 'a2', 'a3'], { key: 'a' });
  await queue.enqueue('b1', { key: 'b' });
  t.same(await queue.peekMany(9), ['a1', 'a2', 'a3', 'b1']);
  t.same(await queue.dequeueMany(2), ['a1', 'a2']);
  t.same(await queue.flush(), ['a3', 'b1']);
});

t.test('of what is claimed the others of its key are not taken', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>();
  await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
  await queue.enqueue('b1', { key: 'b' });
  const a1 = await queue.claim();
  t.same(await queue.peekMany(9), ['b1']);
  t.same(await queue.flush(), ['b1']);
  t.equal(await queue.dequeue(), undefined);
  await a1?.ack();
  t.equal(await queue.dequeue(), 'a2');
});

t.test('priority decides among keys, not within one', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>();
  await queue.enqueue('a low', { key: 'a' });
  await queue.enqueue('b low', { key: 'b' });
  await queue.enqueue('b high', { key: 'b', priority: 9 });
  await queue.enqueue('c high', { key: 'c', priority: 9 });
  t.same(values(await queue.claimMany(9)), ['c high', 'a low', 'b low']);
});

t.test('what waited behind one of its key comes as its priority says', async (t) => {
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>();
  await queue.enqueue('k1', { key: 'k' });
  await queue.enqueue('plain');
  await queue.enqueue('k2', { key: 'k', priority: 9 });
  t.same(await queue.dequeueMany(9), ['k1', 'k2', 'plain']);
});

t.test('a delayed message keeps back those of its key', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock });
  await queue.enqueue('a1', { key: 'a', delayMs: 1000 });
  await queue.enqueue('a2', { key: 'a' });
  t.same(await queue.claimMany(9), []);
  t.equal(await queue.length(), 1);
  clock.advance(1000);
  t.same(await queue.peekMany(9), ['a1', 'a2']);
  const a1 = await queue.claim();
  await a1?.nack({ delayMs: 500 });
  t.same(await queue.claimMany(9), [], 'so does one that was put off');
  clock.advance(500);
  t.same(values(await queue.claimMany(9)), ['a1']);
});

t.test(
  'a dead one frees its key; requeued it comes before the others, when none of them is claimed',
  async (t) => {
    const world = memoryWorld(t);
    const queue = await world.openQueue<string>();
    await queue.enqueueMany(['a1', 'a2', 'a3'], { key: 'a' });
    await (await queue.claim())?.reject('no');
    const a2 = await queue.claim();
    t.equal(a2?.value, 'a2');
    t.equal(await queue.deadLetters.requeue(), 1);
    t.equal(await queue.claim(), undefined, 'one of its key is being handled');
    await a2?.ack();
    t.same(await queue.dequeueMany(9), ['a1', 'a3']);
  },
);

t.test('a message that is buried at its last attempt lets the next of its key through at once', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock, maxAttempts: 1, leaseMs: 100 });
  await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
  t.equal((await queue.claim())?.value, 'a1');
  clock.advance(100);
  t.equal((await queue.claim())?.value, 'a2');
  t.equal(await queue.deadLetters.length(), 1);
});

onBothDisks('the claims of a process that closed are free, and so are its keys', async (t, world) => {
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
  t.same(values(await queue.claimMany(9)), ['a1']);
  await queue.close();
  const [a1] = await other.claimMany(9);
  t.equal(a1?.value, 'a1');
  t.equal(a1?.attempt, 2);
});

t.test('who waits is not left waiting when a last attempt ends in the midst of its look', async (t) => {
  for (let microtasks = 0; microtasks < 8; microtasks++) {
    const clock = new MovedClock();
    const world = memoryWorld(t);
    const queue = await world.openQueue<string>({ clock, maxAttempts: 1, leaseMs: 1000, indexer: false });
    await queue.enqueueMany(['a1', 'a2'], { key: 'a', durability: 'written' });
    await queue.claim();
    clock.advance(999);
    let value: string | undefined;
    void queue.claim({ waitMs: Number.POSITIVE_INFINITY }).then((delivery) => {
      value = delivery?.value;
    });
    for (let turn = 0; turn < microtasks; turn++) await undefined;
    clock.advance(1);
    await settle(20);
    t.equal(value, 'a2', `after ${microtasks} microtasks`);
    if (value === undefined) await queue.length();
  }
});
