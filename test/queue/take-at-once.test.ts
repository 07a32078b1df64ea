/** Who takes goes by what is known, and looks at what others did under the lock alone. */
import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { osLocks } from '../../src/disk/os-lock.js';
import type { Codec } from '../../src/queue/codec.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks, osWorld } from '../store/world.js';

onBothDisks('what others put in with a higher priority comes first all the same', async (t, world) => {
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  await queue.enqueueMany(['a', 'b', 'c']);
  await other.enqueue('urgent', { priority: 5 });
  t.equal(await queue.dequeue(), 'urgent');
  await other.enqueue('first', { front: true });
  t.equal((await queue.claim())?.value, 'first');
  t.same(await queue.dequeueMany(9), ['a', 'b', 'c']);
});

onBothDisks(
  'what others took is not had again, and who asks for many gets all there are',
  async (t, world) => {
    const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
    await queue.enqueueMany(range(1, 10));
    t.same(await other.dequeueMany(2), [1, 2]);
    t.equal(await queue.dequeue(), 3);
    t.same(await other.dequeueMany(2), [4, 5]);
    await other.enqueue(11, { priority: 1 });
    t.same(await queue.dequeueMany(3), [11, 6, 7]);
    await other.delete([9]);
    const claimed = await queue.claimMany(9);
    t.same(
      claimed.map(({ value }) => value),
      [8, 10],
    );
  },
);

onBothDisks('of a key the next one comes when another one has finished the first', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany([1, 2], { key: 'k' });
  await queue.enqueue(3);
  const first = await other.claim();
  t.equal((await queue.claim())?.value, 3);
  await first?.ack();
  t.equal((await queue.claim())?.value, 2);
});

t.test('the acknowledgements of one turn are one frame of facts', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>({ durability: 'written', indexer: false });
  await queue.enqueueMany(range(1, 100));
  const deliveries = await queue.claimMany(100);
  let bytes = 0;
  machine.onOperation = (operation) => {
    if (operation.path.includes('fate')) bytes += operation.write?.bytes.length ?? 0;
    return undefined;
  };
  await Promise.all(deliveries.map((delivery) => delivery.ack()));
  machine.onOperation = undefined;
  t.ok(bytes > 0 && bytes < 36 + 13 + 99 * 3 + 1, `${bytes} bytes`);
  t.equal(await (await world.openQueue<number>()).length(), 0);
});

onBothDisks('one of them that comes too late is told, the others are made', async (t, world) => {
  const [queue, other] = [
    await world.openQueue<number>({ maxAttempts: 5 }),
    await world.openQueue<number>({ maxAttempts: 5 }),
  ];
  await queue.enqueueMany(range(1, 6));
  const [a, b, c, d, e, f] = await queue.claimMany(6);
  await other.delete([3]);
  await f?.nack({ delayMs: 0 });
  const results = await Promise.allSettled([
    a?.ack(),
    f?.ack(),
    b?.ack(),
    c?.ack(),
    e?.nack({ delayMs: 0 }),
    d?.ack(),
    d?.ack(),
    e?.ack(),
  ]);
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
  t.match(results[1], { reason: { code: 'LEASE_LOST' } });
  t.same(await other.dequeueMany(9), [5, 6]);
  t.equal(await other.length(), 0);
});

onBothDisks('those who ask in one tick get theirs in the order in which they asked', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany(range(1, 6));
  await other.delete([2, 3]);
  t.same(await Promise.all([queue.dequeueMany(3), queue.dequeue()]), [[1, 4, 5], 6]);
});

/** A codec of the user's, whose code is never run while others wait for the lock. */
const own = (decoding: () => void = () => {}): Codec<number> => ({
  name: 'own',
  encode: (value) => Buffer.from(String(value)),
  decode(bytes) {
    decoding();
    return Number(Buffer.from(bytes).toString());
  },
});

onBothDisks('the same where nothing may be read under the lock', async (t, world) => {
  const codec = own();
  const [queue, other] = [await world.openQueue<number>({ codec }), await world.openQueue<number>({ codec })];
  await queue.enqueueMany(range(1, 6));
  await other.delete([2, 3]);
  t.same(await Promise.all([queue.dequeueMany(3), queue.dequeue()]), [[1, 4, 5], 6]);
});

t.test('code of the user is not run under the lock, whoever was faster', async (t) => {
  const world = await osWorld(t);
  const lock = openSync(new FileNames(world.directory, 'duro').lock('fate'), 'a+');
  t.teardown(() => closeSync(lock));
  const locks = osLocks();
  let decoded = 0;
  const codec = own(() => {
    t.ok(locks.tryLock(lock, 'exclusive'), 'nobody has the lock');
    locks.unlock(lock);
    decoded += 1;
  });
  const [queue, other] = [await world.openQueue<number>({ codec }), await world.openQueue<number>({ codec })];
  await queue.enqueueMany(range(1, 9));
  t.equal(await queue.dequeue(), 1);
  t.equal(await other.dequeue(), 2);
  t.equal(await queue.dequeue(), 3);
  t.equal((await other.claim())?.value, 4);
  t.same(await queue.dequeueMany(9), range(5, 9));
  t.ok(decoded >= 9, `${decoded} were decoded`);
});

onBothDisks('small and large ones come singly in their order, whoever asks', async (t, world) => {
  const [one, two] = [
    await world.openQueue<Uint8Array>({ codec: 'bytes' }),
    await world.openQueue<Uint8Array>({ codec: 'bytes' }),
  ];
  const sizes = [10, 64 * 1024, 64 * 1024 + 1, 20, 2 ** 21, 30, 2 ** 20, 40, 50, 100_000];
  for (const [at, size] of sizes.entries()) await one.enqueue(Buffer.alloc(size, at));
  const had: (Uint8Array | undefined)[] = [
    await two.dequeue(),
    await one.dequeue(),
    await two.dequeue(),
    await one.dequeue(),
    ...(await Promise.all([two.dequeue(), two.dequeue(), two.dequeue()])),
    await one.dequeue(),
    ...(await Promise.all([two.dequeue(), two.dequeue(), two.dequeue()])),
  ];
  t.same(
    had.map((value) => value?.length),
    [...sizes, undefined],
  );
  for (const [at, value] of had.entries()) t.ok(value?.every((byte) => byte === at) ?? at === sizes.length);
});

t.test('large ones are read once, and not under the lock, where the one before was large', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<Uint8Array>({ codec: 'bytes', durability: 'written', indexer: false });
  // Large by their frames, not by their values.
  for (const _ of range(1, 6)) await queue.enqueue(new Uint8Array(64 * 1024 - 10));
  t.equal((await queue.dequeue())?.length, 64 * 1024 - 10);
  let frames = 0;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path.includes('fate')) frames += 1;
    if (kind === 'read' && path.endsWith('.dat')) reads += 1;
    return undefined;
  };
  let reads = 0;
  for (const _ of range(1, 5)) t.equal((await queue.dequeue())?.length, 64 * 1024 - 10);
  machine.onOperation = undefined;
  t.equal(frames, 5);
  t.ok(reads <= 5 * 4, `${reads} reads`);
});

t.test('what has to be searched for is not searched for under the lock', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const written = await world.openQueue<number>({ durability: 'written', indexer: false });
  await written.enqueueMany(range(1, 400));
  t.same(await written.dequeueMany(300), range(1, 300));
  await written.close();
  world.remove('duro_00000000000000000001.idx');
  const queue = await world.openQueue<number>({ durability: 'written', indexer: false });
  let locks = 0;
  let reads = 0;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'lock' && path.endsWith('fate.lock')) locks += 1;
    if (kind === 'read' && path.endsWith('.dat')) reads += 1;
    return undefined;
  };
  t.equal(await queue.dequeue(), 301);
  machine.onOperation = undefined;
  t.ok(reads > 100, `${reads} reads`);
  t.equal(locks, 2, 'the lock was left for them, and entered again');
  t.same(await queue.dequeueMany(200), range(302, 400));
});

onBothDisks('no more is read under the lock than one turn allows, and order holds', async (t, world) => {
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  const values = range(1, 60).map((n) => `${n}`.padStart(30_000));
  await queue.enqueueMany(values);
  const gone = values.splice(0, 20);
  const calls = range(1, 20).map(() => other.dequeue());
  t.same(await Promise.all(calls), gone);
  // What the first one knows of is gone: each reads two or three under the lock, and then they ask again.
  const first = [
    queue.dequeue(),
    queue.dequeueMany(7),
    queue.dequeue(),
    ...range(1, 5).map(() => queue.dequeue()),
  ];
  t.same((await Promise.all(first)).flat(), values.splice(0, 14));
  t.same(await Promise.all([other.dequeueMany(5), other.dequeue()]), [values.splice(0, 5), values.shift()]);
  t.same(
    await Promise.all([queue.claim(), queue.claim()]).then((two) => two.map((one) => one?.value)),
    values.splice(0, 2),
  );
  t.same(await other.dequeueMany(99), values);
});
