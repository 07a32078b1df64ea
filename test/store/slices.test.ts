/** What is large is summed and read in slices, with turns of the event loop in between and no lock held, and written at once. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { range } from './records.js';
import { lockFileMachine } from './world.js';

const SLICE = 1000;
const MIB = 1024 * 1024;

type Bytes = Queue<Uint8Array>;

async function open(
  t: Test,
  disk: MemoryOpener,
  options: Partial<QueueOptions<Uint8Array>> = {},
): Promise<Bytes> {
  const queue = await openQueueOn<Uint8Array>(
    disk,
    { directory: '/q', codec: 'bytes', indexer: false, ...options },
    undefined,
    { slices: { writeBytes: SLICE } },
  );
  t.teardown(() => disk.dead || queue.close());
  return queue;
}

const isFrames = ({ kind, path }: Operation): boolean => kind === 'write' && path.endsWith('.dat');

/** Sizes of the writes to data files from now on. */
function writesOf(machine: MemoryDisk): number[] {
  const sizes: number[] = [];
  machine.onOperation = (operation) => {
    if (isFrames(operation)) sizes.push(operation.write?.bytes.length ?? 0);
    return undefined;
  };
  return sizes;
}

const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Calls `then` before the n-th write to a data file from now on. */
function atWrite(machine: MemoryDisk, n: number, then: () => void): void {
  let count = 0;
  machine.onOperation = (operation) => {
    if (!isFrames(operation)) return undefined;
    count += 1;
    if (count === n) then();
    return undefined;
  };
}

t.test('its sums are made in turns, then it is one write', async (t) => {
  for (const machine of [new MemoryDisk(), lockFileMachine()]) {
    const queue = await open(t, machine.opener());
    const sizes = writesOf(machine);
    let turns = 0;
    let running = true;
    const turn = (): void => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    t.equal(await queue.enqueue(filled(10 * SLICE, 1), { durability: 'written' }), 1);
    running = false;
    t.equal(sizes.length, 1);
    t.ok(turns >= 10, `${turns} turns`);
    t.same(await queue.dequeue(), filled(10 * SLICE, 1));
  }
});

t.test('nobody waits for a lock meanwhile', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  const other = await open(t, machine.opener(), { durability: 'written' });
  const large = queue.enqueue(filled(100 * SLICE, 1));
  await nextTurn();
  t.equal(await other.enqueue(filled(1, 2)), 1);
  t.equal(await large, 2);
  t.same(await other.dequeueMany(3), [filled(1, 2), filled(100 * SLICE, 1)]);
});

t.test('the order is that of the calls, whatever is large', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener());
  const other = await open(t, machine.opener());
  const sizes = [10, 5 * SLICE, 20, 30, 3 * SLICE, 40];
  const first = sizes.map((size, at) => queue.enqueue(filled(size, at), { durability: 'written' }));
  // Queued behind, from this process and from another, while the first large one is being written.
  const later: Promise<number>[] = [];
  atWrite(machine, 2, () => {
    later.push(
      queue.enqueue(filled(50, 6)),
      other.enqueue(filled(60, 9)),
      queue.enqueue(filled(2 * SLICE, 7)),
    );
  });
  const own = await Promise.all(first);
  t.same(
    own,
    [...own].sort((a, b) => a - b),
  );
  // The other process may come in wherever the lock is free.
  const [six = 0, nine = 0, seven = 0] = await Promise.all(later);
  t.ok(six > (own.at(-1) ?? 0) && seven > six);
  const expected = [...own.map((index, at) => [index, at]), [six, 6], [nine, 9], [seven, 7]].sort(
    ([a = 0], [b = 0]) => a - b,
  );
  t.same(
    expected.map(([index]) => index),
    range(1, 9),
  );
  const values = await other.dequeueMany(20);
  t.same(
    values.map((value) => value[0]),
    expected.map(([, value]) => value),
  );
});

t.test('others of this process decide and take meanwhile', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  await queue.enqueueMany([filled(1, 1), filled(1, 2), filled(1, 3)]);
  let isWritten = false;
  const writing = queue.enqueue(filled(200 * SLICE, 4)).then((index) => {
    isWritten = true;
    return index;
  });
  t.same(await queue.dequeue(), filled(1, 1));
  const two = await queue.claim();
  t.same(two?.value, filled(1, 2));
  await two?.ack();
  t.notOk(isWritten);
  t.equal(await writing, 4);
  t.equal(await queue.length(), 2);
});

t.test('closing waits for what was begun', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener());
  const writing = queue.enqueue(filled(10 * SLICE, 1));
  await nextTurn();
  await queue.close();
  t.equal(await writing, 1);
  const again = await open(t, machine.opener());
  t.same(await again.dequeue(), filled(10 * SLICE, 1));
});

t.test('what is not written yet can be given up', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener());
  const abort = new AbortController();
  const { signal } = abort;
  const answers = Promise.allSettled([
    queue.enqueue(filled(10 * SLICE, 1), { signal, durability: 'written' }),
    queue.enqueue(filled(3 * SLICE, 2), { durability: 'written' }),
    queue.enqueue(filled(3 * SLICE, 3), { signal, durability: 'written' }),
  ]);
  await nextTurn();
  abort.abort(new Error('no more'));
  t.match(await answers, [
    { reason: { message: 'no more' } },
    { value: 1 },
    { reason: { message: 'no more' } },
  ]);
  t.same(
    (await queue.dequeueMany(5)).map((value) => value[0]),
    [2],
  );
});

t.test('a disk without room for all of it takes nothing', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  await queue.enqueue(filled(10, 0));
  const size = await queue.size();
  machine.capacityBytes = machine.usedBytes + 5 * SLICE;
  await t.rejects(queue.enqueue(filled(10 * SLICE, 1)), { code: 'DISK_FULL' });
  t.equal(await queue.size(), size);
  machine.capacityBytes = Number.POSITIVE_INFINITY;
  t.equal(await queue.enqueue(filled(10 * SLICE, 2)), 2);
  t.same(await queue.dequeueMany(3), [filled(10, 0), filled(10 * SLICE, 2)]);
});

t.test('bytes are what they were when they were given, whatever becomes of them', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  const value = filled(10 * SLICE, 1);
  const written = queue.enqueue(value);
  value.fill(2);
  await written;
  t.same(await queue.dequeue(), filled(10 * SLICE, 1));
});

t.test('values of a codec of ours are copied later', async (t) => {
  const machine = new MemoryDisk();
  const queue = await openQueueOn<string>(machine.opener(), { directory: '/q', indexer: false }, undefined, {
    slices: { writeBytes: SLICE },
  });
  t.teardown(() => queue.close());
  const values = ['a'.repeat(5 * SLICE), 'b', 'c'.repeat(2 * SLICE - 40), 'd'.repeat(SLICE)];
  await Promise.all(values.map((value) => queue.enqueue(value, { headers: { of: value.slice(0, 1) } })));
  t.same(await queue.flush(), values);
});

t.test('a large record is read in slices, and is whole though it is removed meanwhile', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { maxFileSize: 4 * MIB });
  const large = Buffer.alloc(3 * MIB + 5);
  for (let at = 0; at < large.length; at += 4) large.writeUInt32LE(at, Math.min(at, large.length - 4));
  await queue.enqueue(large, { headers: { a: 'b' }, durability: 'written' });
  await queue.enqueue(filled(10, 9), { durability: 'written' });
  let largest = 0;
  machine.onOperation = ({ kind }) => {
    if (kind === 'read') largest += 1;
    return undefined;
  };
  const reading = queue.store.entry(1);
  await queue.delete(1);
  const entry = await reading;
  t.ok(large.equals(entry?.data ?? filled(1, 0)));
  t.same(entry?.headers, { a: 'b' });
  t.ok(largest >= 4, `${largest} reads`);
  t.equal(await queue.read(1), undefined);
});

t.test('a large record that is damaged is CORRUPT, and what is behind it is read', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  await queue.enqueueMany([filled(2 * MIB, 1), filled(10, 2)]);
  machine.flip('/q/duro_00000000000000000001.dat', MIB);
  await t.rejects(queue.read(1), { code: 'CORRUPT' });
  await t.rejects(queue.dequeue(), { code: 'CORRUPT' });
  t.equal(await queue.delete(1), 1);
  t.same(await queue.dequeue(), filled(10, 2));
});

t.test('everybody gets one, whatever is large', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  const sizes = [10, 2 * MIB, 20, MIB + 1, 30];
  for (const [at, size] of sizes.entries()) await queue.enqueue(filled(size, at));
  const first = [queue.dequeue(), queue.claim(), queue.dequeue()];
  await nextTurn();
  const [zero, one, two, three, four] = await Promise.all([...first, queue.claim(), queue.dequeue()]);
  const contentOf = (got: unknown): number | undefined => {
    const value = got instanceof Uint8Array ? got : (got as { value?: Uint8Array } | undefined)?.value;
    return value?.[0];
  };
  t.same([zero, one, two, three, four].map(contentOf).sort(), [0, 1, 2, 3, 4]);
  t.equal(await queue.length(), 0);
});

t.test('entries() gives large ones between small ones', async (t) => {
  const machine = new MemoryDisk();
  const queue = await open(t, machine.opener(), { durability: 'written' });
  const sizes = [10, 2 * MIB, 20, MIB + 1, 30];
  await queue.enqueueMany(sizes.map((size, at) => filled(size, at)));
  const found: [number, number][] = [];
  for await (const { index, data } of queue.store.entries()) found.push([index, data.length]);
  t.same(
    found,
    sizes.map((size, at) => [at + 1, size]),
  );
  t.same(
    (await queue.peekMany(9)).map((value) => value.length),
    sizes,
  );
});
