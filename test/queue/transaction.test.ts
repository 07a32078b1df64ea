/** Transactions of the store beneath a queue: what becomes of its messages. */
import { stillClock } from '../crash/actor.js';
import { range } from '../store/records.js';
import { onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';

const options = { codec: 'bytes', clock: stillClock } as const;
const first = (value: Uint8Array | undefined): number | undefined => value?.[0];

onBothDisks('a message that is waiting is gone, and what is written is one', async (t, world) => {
  const [queue, other] = [
    await world.openQueue<Uint8Array>(options),
    await world.openQueue<Uint8Array>(options),
  ];
  await queue.enqueueMany([1, 2, 3].map((n) => Uint8Array.of(n)));
  t.equal(first(await other.peek()), 1);
  const indexes = await queue.store.transaction((tx) => {
    tx.delete(1);
    tx.write(Uint8Array.of(4));
    tx.delete(3);
    tx.write(Uint8Array.of(5));
  });
  t.same(indexes, [4, 5]);
  t.equal(await other.length(), 3);
  t.same((await other.dequeueMany(10)).map(first), [2, 4, 5]);
  t.equal(await queue.length(), 0);
});

onBothDisks('a message that is claimed is gone: ack resolves, the rest is LEASE_LOST', async (t, world) => {
  const [queue, other] = [
    await world.openQueue<Uint8Array>(options),
    await world.openQueue<Uint8Array>(options),
  ];
  for (const [at, writer] of [other, queue].entries()) {
    await queue.enqueueMany([1, 2, 3].map((n) => Uint8Array.of(n)));
    const claimed = [await queue.claim(), await queue.claim(), await queue.claim()];
    const indexes = claimed.map((one) => one?.index ?? 0);
    await writer.store.transaction((tx) => {
      tx.write(Uint8Array.of(9));
      for (const index of indexes) tx.delete(index);
    });
    await t.rejects(async () => claimed[0]?.nack(), { code: 'LEASE_LOST' }, `at once, ${at}`);
    t.equal(await claimed[1]?.ack(), undefined);
    await t.rejects(async () => claimed[2]?.extend(), { code: 'LEASE_LOST' });
    await until('the signal', () => claimed[2]?.signal.aborted === true);
    t.match(await queue.stats(), { length: 1, claimed: 0, dead: 0 });
    t.equal(first(await queue.dequeue()), 9);
  }
});

onBothDisks('delayed ones, dead ones, and those behind others of their key', async (t, world) => {
  const [queue, other] = [
    await world.openQueue<Uint8Array>(options),
    await world.openQueue<Uint8Array>(options),
  ];
  await queue.enqueue(Uint8Array.of(1), { delayMs: 60_000 });
  await queue.enqueue(Uint8Array.of(2), { key: 'a' });
  await queue.enqueue(Uint8Array.of(3), { key: 'a' });
  await queue.enqueue(Uint8Array.of(4), { priority: 5 });
  const dead = await queue.claim();
  await dead?.reject();
  const blocking = await other.claim();
  t.same([dead?.index, blocking?.index], [4, 2]);
  t.equal(await queue.claim({ waitMs: 0 }), undefined, 'its key is blocked');
  t.match(await queue.stats(), { delayed: 1, dead: 1, claimed: 1 });
  await queue.store.transaction((tx) => {
    for (const index of [1, 2, 4]) tx.delete(index);
    tx.write(Uint8Array.of(5));
  });
  t.match(await other.stats(), { delayed: 0, dead: 0, claimed: 0 });
  t.same((await other.dequeueMany(10)).map(first), [3, 5]);
});

onBothDisks('who waits for a message is woken, and never gets what is deleted', async (t, world) => {
  const [queue, other] = [
    await world.openQueue<Uint8Array>(options),
    await world.openQueue<Uint8Array>(options),
  ];
  for (const n of range(1, 20)) {
    const waiting = other.dequeue({ waitMs: 60_000 });
    const [index = 0] = await queue.store.transaction((tx) => {
      tx.write(Uint8Array.of(n));
      if (n > 1) tx.delete(n - 1);
    });
    t.equal(index, n);
    t.equal(first(await waiting), n);
  }
  t.equal(await queue.length(), 0);
});
