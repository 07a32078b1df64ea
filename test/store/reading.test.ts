/** How records are read: in order in blocks, anywhere by positions that are kept, and what is never read from memory. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { HEADER_BYTES } from '../../src/frame/file-header.js';
import { HEAD_BYTES } from '../../src/frame/frame.js';
import { LARGE } from '../../src/segment/stored-record.js';
import type { Engine } from '../../src/store/engine.js';
import { EngineStore } from '../../src/store/store.js';
import { openEngine } from './engines.js';
import { bytes, range } from './records.js';
import { memoryWorld } from './world.js';

const DATA = '/store/duro_00000000000000000001.dat';
const OPTIONS = { durability: 'written', indexer: false } as const;

/** Records of so many bytes, each filled with its index. */
async function made(
  t: Test,
  sizes: readonly number[],
  options: { maxChunk?: number } = {},
): Promise<{ machine: MemoryDisk; engine: Engine; store: EngineStore; reads: () => number }> {
  const machine = new MemoryDisk();
  const writer = await memoryWorld(t, machine).openStore(OPTIONS);
  await writer.writeMany(sizes.map((size, at) => new Uint8Array(size).fill(at + 1)));
  const engine = await openEngine(t, machine, { ...OPTIONS, ...options });
  let count = 0;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'read' && /\.(dat|idx)$/.test(path)) count += 1;
    return undefined;
  };
  const reads = (): number => {
    const before = count;
    count = 0;
    return before;
  };
  return { machine, engine, store: new EngineStore(engine), reads };
}

const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);
/** Comparing large arrays element by element takes tap seconds. */
const isFilled = (data: Uint8Array | undefined, size: number, value: number): boolean =>
  data !== undefined && Buffer.compare(data, filled(size, value)) === 0;

const sizesOf = (count: number, size: number): number[] => range(1, count).map(() => size);

t.test('records in order are read many at a time, by a walk and singly', async (t) => {
  const { store, reads } = await made(t, sizesOf(250, 1000));
  let next = 1;
  for await (const { index, data } of store.entries()) {
    t.equal(index, next);
    t.ok(isFilled(data, 1000, index & 0xff));
    next += 1;
  }
  t.equal(next, 251);
  t.ok(reads() < 15, 'a walk');
  for (const index of range(1, 250)) t.ok(isFilled(await store.read(index), 1000, index & 0xff));
  t.ok(reads() < 15, 'singly');
  for (const index of range(100, 250)) t.ok(isFilled(await store.read(index), 1000, index & 0xff));
  t.ok(reads() < 15, 'from the middle on');
});

t.test('without memory to keep anything in, each record is read when it is asked for', async (t) => {
  const { store, reads } = await made(t, sizesOf(50, 1000), { maxChunk: 0 });
  for await (const { index, data } of store.entries()) t.ok(isFilled(data, 1000, index));
  t.ok(reads() >= 50);
  for (const index of range(1, 50).reverse()) t.ok(isFilled(await store.read(index), 1000, index));
  t.ok(reads() >= 50);
});

t.test('the memory for it may be without a bound', async (t) => {
  const { store } = await made(t, sizesOf(300, 10), { maxChunk: Number.MAX_SAFE_INTEGER });
  for (let again = 0; again < 3; again++)
    for (const index of [300, 1, 150, 151, 7]) t.ok(isFilled(await store.read(index), 10, index & 0xff));
});

t.test('what was read is the caller’s alone, and stands where larger units can be seen in it', async (t) => {
  for (const size of [0, 1, 100, 1000, 8192, 8193, 20_000, 70_000]) {
    const { store } = await made(t, sizesOf(20, size));
    const kept: Uint8Array[] = [];
    for await (const { data } of store.entries()) kept.push(data);
    for (const index of [...range(1, 20), 7, 3, 3, 3, 3, 12]) {
      const data = await store.read(index);
      if (data === undefined) throw new Error(`${index} is not there`);
      t.ok(isFilled(data, size, index), `record ${index} of ${size} bytes`);
      t.equal(data.byteOffset % 8, 0);
      kept.push(data);
      data.fill(0xff);
    }
    for (const [at, data] of kept.entries()) {
      if (at < 20) t.ok(isFilled(data, size, at + 1));
      data.fill(0xee);
    }
    for await (const { index, data } of store.entries()) t.ok(isFilled(data, size, index));
  }
});

t.test('a large record has memory of its own, a small one shares it and cannot take it away', async (t) => {
  const { store } = await made(t, [100, 9000, 100, 70_000, 9000, 9000, 100]);
  const read = async (): Promise<void> => {
    for await (const { data } of store.entries()) {
      const { length } = data;
      try {
        structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
      } catch (error) {
        // Node 20 copies what cannot be transferred, later ones refuse it.
        t.match(error, { name: 'DataCloneError' });
      }
      t.equal(data.length, length > 8192 ? 0 : length);
    }
  };
  await read();
  await read();
  for (const index of [6, 2, 7, 4, 1, 5]) {
    const data = await store.read(index);
    const own = data?.buffer.byteLength ?? 0;
    t.ok(own <= 64 * 1024 || own < (data?.length ?? 0) + 100, `record ${index} keeps ${own} bytes`);
  }
});

t.test('what is read again and again is kept, and what is read once costs its own bytes', async (t) => {
  const { store, reads } = await made(t, sizesOf(600, 1000));
  const anywhere = range(0, 99).map((n) => 2 + ((n * 251) % 598));
  for (const index of anywhere) await store.read(index);
  const first = reads();
  for (let again = 0; again < 3; again++)
    for (const index of anywhere) {
      const data = await store.read(index);
      t.ok(isFilled(data, 1000, index & 0xff));
      data?.fill(0);
    }
  t.ok(first <= 130, `${first} reads`);
  t.ok(reads() < 60);
});

t.test('what is kept of files that may not count any more is not believed', async (t) => {
  const { machine, engine } = await made(t, sizesOf(50, 100));
  const run = engine.run();
  for (const index of [1, 2]) t.ok(isFilled(engine.readKnown(index, undefined, run)?.payload, 100, index));
  // Who reads on from memory does not see what became of the file.
  for (let at = 200; at < 136 * 49; at += 50) machine.flip(DATA, at);
  t.ok(isFilled(engine.readKnown(3, undefined, run)?.payload, 100, 3));
  engine.followTakeover();
  t.throws(() => engine.readKnown(4, undefined, run), { code: 'CORRUPT' });
  engine.tail.turnBack(engine.tail.position());
  t.throws(() => engine.readKnown(5, undefined, run), { code: 'CORRUPT' });
});

t.test(
  'what is at hand ends where the log goes on in another file, and with what is known of the files',
  async (t) => {
    const { engine } = await made(t, sizesOf(200, 400));
    const file = engine.files.data(1);
    if (file === undefined) throw new Error('not there');
    const run = engine.run();
    const most = Number.POSITIVE_INFINITY;
    run.begin(file.path, 7, 1, HEADER_BYTES);
    const atHand: number[] = [];
    for (const index of range(1, 99)) {
      const record = run.takeWhole(index, 7);
      if (record !== undefined) atHand.push(index);
      const { payload } =
        record ?? run.take(index, 7, most) ?? run.read(file, index, 7, engine.tail.end, 100, most) ?? {};
      t.ok(isFilled(payload, 400, index), `record ${index}`);
    }
    t.ok(atHand.length > 70, 'all but those of the first block');
    t.equal(run.takeWhole(100, 7), undefined, 'of the other file, or nobody’s');
    t.equal(run.take(100, 7, most), undefined);
    run.begin(file.path, 7, 1, HEADER_BYTES);
    for (const index of range(1, 40))
      if (run.takeWhole(index, 7) === undefined && run.take(index, 7, most) === undefined)
        run.read(file, index, 7, engine.tail.end, 100, most);
    t.equal(run.takeWhole(41, 8), undefined, 'what was known may not count any more');
    t.equal(run.takeWhole(42, 7), undefined, 'another one');
    t.equal(run.takeWhole(41, 7)?.index, 41);
  },
);

t.test('headers that are none end a walk, also where they were read ahead', async (t) => {
  const machine = new MemoryDisk();
  const writer = await openEngine(t, machine, OPTIONS);
  const odd = 60;
  for (const index of range(1, 80))
    await writer.writer.write(
      [{ payload: filled(500, index), headers: index === odd ? Buffer.from('no JSON') : undefined }],
      false,
    );
  const walk = new EngineStore(writer).entries();
  for (const index of range(1, odd - 1)) t.equal((await walk.next()).value?.index, index);
  await t.rejects(walk.next(), { code: 'CODEC', index: odd });
  t.same(await walk.next(), { value: undefined, done: true });
});

t.test(
  'positions are hints: entries that lie, are missing or come later cost a search and no record',
  async (t) => {
    const { machine, engine, store } = await made(t, sizesOf(300, 50));
    const path = engine.files.entriesPath(1);
    // The tenth points at the twelfth's frame; others at nothing, and far beyond; and lengths lie.
    const frame = (index: number): number => HEADER_BYTES + (index - 1) * (HEAD_BYTES + 50);
    machine.flip(path, 32 + 9 * 32 + 8, frame(10) ^ frame(12));
    for (const index of [20, 30]) machine.flip(path, 32 + (index - 1) * 32 + 8, index);
    for (const index of [40, 50]) machine.flip(path, 32 + (index - 1) * 32 + 11);
    for (const index of [60, 61]) machine.flip(path, 32 + (index - 1) * 32 + 15);
    for (const index of [70, 71, 72]) machine.flip(path, 32 + (index - 1) * 32);
    const asked = [
      10, 40, 20, 60, 72, 50, 30, 61, 71, 70, 9, 11, 39, 41, 59, 128, 129, 130, 256, 257, 299, 300,
    ];
    for (const index of [...asked, ...asked.reverse()])
      t.ok(isFilled(await store.read(index), 50, index & 0xff), `${index}`);
    const other = await memoryWorld(t, machine).openStore(OPTIONS);
    await other.writeMany(range(301, 450).map((index) => filled(50, index & 0xff)));
    for (const index of [450, 301, 383, 384, 385, 449, 302])
      t.ok(isFilled(await store.read(index), 50, index & 0xff), `${index}`);
  },
);

t.test('of records that are checked together the damaged one is told, and no other', async (t) => {
  const sizes = range(1, 200).map((index) => (index * 37) % 700);
  const frames = sizes.map((size) => HEAD_BYTES + size);
  const startOf = (index: number): number =>
    HEADER_BYTES + frames.slice(0, index - 1).reduce((sum, length) => sum + length, 0);
  for (const damaged of [70, 71, 120, 199, 200])
    for (const where of [0, 2, 9, 28, 33, HEAD_BYTES, HEAD_BYTES + 20]) {
      const { machine, store } = await made(t, sizes);
      machine.flip(DATA, startOf(damaged) + where);
      const seen: number[] = [];
      const walked = async (from: number): Promise<void> => {
        for await (const { index, data } of store.entries({ from })) {
          t.ok(isFilled(data, sizes[index - 1] ?? 0, index & 0xff));
          seen.push(index);
        }
      };
      await t.rejects(walked(1), { code: 'CORRUPT', indexes: { from: damaged, to: damaged } });
      await walked(damaged + 1);
      t.same(
        seen,
        range(1, 200).filter((index) => index !== damaged),
        `record ${damaged}, byte ${where}`,
      );
    }
});

t.test('what is gone may be damaged without harm to what is between', async (t) => {
  const { machine, store } = await made(t, sizesOf(400, 500));
  await store.delete(range(1, 400).filter((index) => index % 4 !== 0));
  for (let index = 1; index <= 400; index++)
    if (index % 4 !== 0) machine.flip(DATA, HEADER_BYTES + (index - 1) * (HEAD_BYTES + 500) + HEAD_BYTES);
  const seen: number[] = [];
  for await (const { index, data } of store.entries()) {
    t.ok(isFilled(data, 500, index & 0xff));
    seen.push(index);
  }
  t.same(
    seen,
    range(1, 400).filter((index) => index % 4 === 0),
  );
});

t.test('an abort and closing end a walk that has read ahead', async (t) => {
  const { store } = await made(t, sizesOf(100, 1000));
  const controller = new AbortController();
  const aborted = store.entries({ signal: controller.signal });
  const closed = store.entries();
  const left = store.entries();
  const limited = store.entries({ limit: 30 });
  const bounded = store.entries({ to: 31 });
  for (const walk of [aborted, closed, left, limited, bounded])
    for (const index of range(1, 30)) t.equal((await walk.next()).value?.index, index);
  for (const walk of [limited, bounded]) t.same(await walk.next(), { value: undefined, done: true });
  await left.return?.();
  t.same(await left.next(), { value: undefined, done: true });
  controller.abort(new Error('enough'));
  await t.rejects(aborted.next(), { message: 'enough' });
  t.same(await aborted.next(), { value: undefined, done: true });
  await store.close();
  await t.rejects(closed.next(), { code: 'CLOSED' });
  t.same(await closed.next(), { value: undefined, done: true });
});

t.test('what is larger than was asked for is left to be read in slices, in order and anywhere', async (t) => {
  const { engine } = await made(t, [100, 5000, 100, 5000, 100]);
  const run = engine.run();
  for (const own of [run, undefined])
    for (const [index, size] of [
      [1, 100],
      [2, 5000],
      [3, 100],
      [4, 5000],
      [5, 100],
    ] as const) {
      const record = engine.readKnown(index, 1000, own);
      t.equal(record === LARGE, size > 1000);
      const whole = record === LARGE ? await engine.slowly(record) : record;
      t.equal(whole?.index, index);
      t.ok(isFilled(whole?.payload, size, index));
    }
});

t.test('what was removed by another is not read from what is kept here', async (t) => {
  const { machine, store } = await made(t, sizesOf(200, 400));
  const other = await memoryWorld(t, machine).openStore(OPTIONS);
  for (const index of [5, 6, 7, 100, 101, 150]) for (let n = 0; n < 3; n++) await store.read(index);
  await other.delete([7, 8, 100, 102]);
  for (const index of [7, 8, 100, 102]) t.equal(await store.read(index), undefined);
  for (const index of [6, 9, 101, 150]) t.ok(isFilled(await store.read(index), 400, index));
  const walk = store.entries({ from: 9 });
  t.equal((await walk.next()).value?.index, 9);
  await store.delete([10, 12]);
  t.equal((await walk.next()).value?.index, 11, 'deleted here, while it was read ahead');
  t.equal((await walk.next()).value?.index, 13);
  for (const index of range(14, 40)) t.equal((await walk.next()).value?.index, index);
  await store.delete([41, 42, 44]);
  for (const index of [43, 45]) t.equal((await walk.next()).value?.index, index, 'from the same block');
  await other.delete([46, 47]);
  await store.refresh();
  t.equal((await walk.next()).value?.index, 48, 'by another, as soon as that is known');
});

t.test('a walk answers its calls in their order, whoever waits', async (t) => {
  const { store } = await made(t, [10, 10]);
  const walk = store.entries({ follow: true });
  const calls = range(1, 5).map(() => walk.next());
  const end = walk.return?.();
  const late = walk.next();
  await store.writeMany([bytes('3'), bytes('4'), bytes('5'), bytes('6')]);
  t.same(
    (await Promise.all(calls)).map(({ value }) => value?.index),
    [1, 2, 3, 4, 5],
  );
  t.same(await end, { value: undefined, done: true });
  t.same(await late, { value: undefined, done: true });
  const thrown = store.entries();
  t.equal((await thrown.next()).value?.index, 1);
  await t.rejects(async () => thrown.throw?.(new Error('enough')), { message: 'enough' });
  t.same(await thrown.next(), { value: undefined, done: true });
});

t.test('whoever is told of a gap may ask for the next one at once', async (t) => {
  const { store } = await made(t, sizesOf(5, 10));
  await store.delete([1, 2]);
  const found: unknown[] = [];
  const walk = store.entries({ from: 1, onGap: () => void found.push(walk.next()) });
  const first = await walk.next();
  t.equal(first.value?.index, 3);
  t.match(await Promise.all(found), [{ value: { index: 4 }, done: false }]);
  t.equal((await walk.next()).value?.index, 5);
  const failing = store.entries({
    from: 1,
    onGap: () => {
      throw new Error('mine');
    },
  });
  await t.rejects(failing.next(), { message: 'mine' });
  t.same(await failing.next(), { value: undefined, done: true });
});
