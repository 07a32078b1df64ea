import fc from 'fast-check';
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { SparseSuccessor } from '../../src/segment/sparse-successor.js';
import type { Engine } from '../../src/store/engine.js';
import { EngineStore, openStoreOn } from '../../src/store/store.js';
import { openEngine } from '../store/engines.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { randomFrom } from '../support/random.js';

const options = { maxFileSize: 2048, durability: 'written' } as const;
/** Nothing is made but by hand. */
const BY_HAND = { leastBytes: 0, everyMs: 2 ** 40, retryMs: 0 };

const payload = (index: number): Uint8Array => randomFrom(index).bytes((index * 37) % 200);
const headers = (index: number): Record<string, string> | undefined =>
  index % 3 === 0 ? { index: String(index) } : undefined;

async function filled(t: Test, machine: MemoryDisk, count: number): Promise<Engine> {
  const engine = await openEngine(t, machine, options, BY_HAND);
  const store = new EngineStore(engine);
  for (let index = 1; index <= count; index++) {
    // Batches whose ends may be gone, and single ones with headers.
    if (index % 4 === 1 && index + 2 <= count) {
      await store.writeMany([payload(index), payload(index + 1)]);
      index += 1;
    } else await store.write(payload(index), { headers: headers(index) });
  }
  return engine;
}

/** Has a segment succeeded, however many of its records live; false where that is refused. */
async function succeed(engine: Engine, first: number): Promise<boolean> {
  const { files, tail, fates, disk, names } = engine;
  const next = tail.segments.after(first) ?? first;
  const living: number[] = [];
  for (let index = first; index < next; index++) if (!fates.goneSet.has(index)) living.push(index);
  await new EngineStore(engine).sync();
  const successor = await SparseSuccessor.draft(files, first, living);
  if (successor === undefined) return false;
  const isPublished = successor.publish();
  successor.close();
  if (!isPublished) return false;
  disk.syncDirectoryNow(names.directory);
  files.removeSucceeded(first);
  return true;
}

/** What is wrong with what an opener reads. */
async function misread(store: EngineStore, living: readonly number[], gone: number): Promise<string[]> {
  const wrong: string[] = [];
  const seen: number[] = [];
  for await (const entry of store.entries()) {
    seen.push(entry.index);
    if (Buffer.compare(entry.data, payload(entry.index)) !== 0) wrong.push(`${entry.index} is another`);
    if (entry.headers['index'] !== undefined && entry.headers['index'] !== String(entry.index))
      wrong.push(`${entry.index} has the headers of ${entry.headers['index']}`);
  }
  if (seen.join() !== living.join()) wrong.push(`${seen.join()} instead of ${living.join()}`);
  for (const index of [...living].reverse())
    if (Buffer.compare((await store.read(index)) ?? Buffer.alloc(1), payload(index)) !== 0)
      wrong.push(`${index} is another, backwards`);
  if ((await store.read(gone)) !== undefined) wrong.push(`${gone} is there`);
  return wrong;
}

t.test('any set of living records reads back exactly', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 }),
      fc.constantFrom(0, 1 << 16),
      fc.boolean(),
      async (firstGone, thenGone, maxChunk, isEvicted) => {
        const machine = new MemoryDisk();
        const engine = await filled(t, machine, 60);
        const store = new EngineStore(engine);
        const late = await openEngine(t, machine, { ...options, maxChunk }, BY_HAND);
        const lagging = new EngineStore(late);
        const all = Array.from({ length: 60 }, (_, at) => at + 1);
        const gone = new Set<number>();
        for (const some of [firstGone, thenGone]) {
          await store.delete(some);
          for (const index of some) gone.add(index);
          await engine.sweeper.idle();
          const sealed = [...engine.tail.segments].slice(0, -1);
          for (const first of sealed)
            if (!(await succeed(engine, first))) throw new Error(`no successor of ${first}`);
          const living = all.filter((index) => !gone.has(index));
          const opened = new EngineStore(await openEngine(t, machine, { ...options, maxChunk }, BY_HAND));
          // What it had open of the predecessors, or what it finds in their place.
          if (isEvicted) late.files.descriptors.forgetAll();
          const wrong: string[] = [];
          for (const [who, reader] of Object.entries({ store, lagging, opened })) {
            for (const what of await misread(reader, living, firstGone[0] ?? 1))
              wrong.push(`${who}: ${what}`);
          }
          wrong.push(...checkDirectoryOn(machine.opener(), '/store'));
          await opened.close();
          if (wrong.length > 0) throw new Error(wrong.join('\n'));
        }
        await lagging.close();
        await store.close();
        const alone = await openStoreOn(machine.opener(), { directory: '/store', ...options });
        if ((await alone.length()) !== 60 - gone.size) throw new Error('another length');
        if ((await alone.nextIndex()) !== 61) throw new Error('another next index');
        if ((await alone.stats()).lost !== 0) throw new Error('something is called lost');
        await alone.close();
      },
    ),
    { numRuns: 25 },
  );
  t.pass();
});

/** A store whose first segment has 1, 6 and 9 left, succeeded by a sparse one. */
async function succeeded(t: Test): Promise<{ machine: MemoryDisk; engine: Engine; store: EngineStore }> {
  const machine = new MemoryDisk();
  const engine = await filled(t, machine, 60);
  const store = new EngineStore(engine);
  const next = engine.tail.segments.after(1) ?? 0;
  const gone = Array.from({ length: next - 1 }, (_, at) => at + 1).filter(
    (index) => ![1, 6, 9].includes(index),
  );
  await store.delete(gone);
  t.ok(await succeed(engine, 1));
  return { machine, engine, store };
}

const DATA = '/store/duro_00000000000000000001.1.dat';
const ENTRIES = '/store/duro_00000000000000000001.1.idx';

t.test('the files of a sparse segment', async (t) => {
  const { machine, engine, store } = await succeeded(t);
  const names = [...machine.snapshot().keys()].filter((path) => path.includes('_00000000000000000001.'));
  t.same(names.sort(), [DATA, ENTRIES]);
  const entries = Buffer.from(machine.bytes(ENTRIES) ?? []);
  t.equal(entries.length, 32 + 3 * 32, 'an entry for each record it holds');
  t.same([entries[4], entries.readUIntLE(16, 6), entries.readUIntLE(22, 6)], [5, 1, 1]);
  t.same(
    [0, 1, 2].map((at) => entries.readUIntLE(32 + 32 * at, 6)),
    [1, 6, 9],
  );
  t.same([(machine.bytes(DATA) ?? [])[4], engine.files.generation(1)], [4, 1]);
  const stats = await store.stats();
  t.equal(stats.pinnedBy[0]?.file, DATA);
  t.equal(stats.bytes, await store.size());
});

t.test('damage to a sparse segment costs what is damaged', async (t) => {
  const { machine, store } = await succeeded(t);
  await store.close();
  const open = async (t: Test, damage: (machine: MemoryDisk) => void): Promise<EngineStore> => {
    const fork = machine.fork(1);
    damage(fork);
    return new EngineStore(await openEngine(t, fork, options, BY_HAND));
  };
  const readable = async (store: EngineStore, ...indexes: number[]): Promise<boolean> => {
    for (const index of indexes)
      if (Buffer.compare((await store.read(index)) ?? Buffer.alloc(1), payload(index)) !== 0) return false;
    return true;
  };

  await t.test('an entry', async (t) => {
    for (let entry = 0; entry < 3; entry++)
      t.ok(await readable(await open(t, (disk) => disk.flip(ENTRIES, 32 + 32 * entry + 9)), 9, 6, 1));
  });
  await t.test('all entries', async (t) => {
    t.ok(await readable(await open(t, (disk) => void disk.opener().unlink(ENTRIES)), 9, 6, 1));
    t.ok(await readable(await open(t, (disk) => disk.put(ENTRIES, new Uint8Array(7))), 9, 6, 1));
  });
  await t.test('a body', async (t) => {
    const at = Buffer.from(machine.bytes(ENTRIES) ?? []).readUInt32LE(32 + 32 + 8);
    const store = await open(t, (disk) => disk.flip(DATA, at + 40));
    await t.rejects(store.read(6), { code: 'CORRUPT', file: DATA, position: at });
    t.ok(await readable(store, 1, 9));
  });
  await t.test('a head', async (t) => {
    const at = Buffer.from(machine.bytes(ENTRIES) ?? []).readUInt32LE(32 + 32 + 8);
    const store = await open(t, (disk) => disk.flip(DATA, at + 9));
    await t.rejects(store.read(6), { code: 'CORRUPT' });
    t.ok(await readable(store, 1, 9));
  });
  await t.test('the seal', async (t) => {
    const size = machine.bytes(DATA)?.length ?? 0;
    const store = await open(t, (disk) => disk.flip(DATA, size - 3));
    t.ok(await readable(store, 1, 6, 9, 60));
    t.equal((await store.stats()).lost, 0);
    t.equal(await store.write(payload(61)), 61, 'the log goes on');
    t.same((await store.stats()).cuts, 0, 'and nothing is cut');
  });
  await t.test('the header', async (t) => {
    await t.rejects(
      open(t, (disk) => disk.flip(DATA, 20)),
      { code: 'CORRUPT', file: DATA },
    );
    await t.rejects(
      open(t, (disk) => disk.put(DATA, new Uint8Array(500))),
      { code: 'CORRUPT', file: DATA },
      'zeros are no unfinished birth',
    );
  });
});

t.test('a segment with damage is not succeeded', async (t) => {
  const machine = new MemoryDisk();
  const engine = await filled(t, machine, 60);
  await new EngineStore(engine).delete([1, 2, 3]);
  const before = [...machine.snapshot().keys()].sort();
  const entries = Buffer.from(machine.bytes('/store/duro_00000000000000000001.idx') ?? []);
  machine.flip('/store/duro_00000000000000000001.dat', entries.readUInt32LE(32 + 4 * 32 + 8) + 37);
  t.equal(await succeed(engine, 1), false);
  t.same([...machine.snapshot().keys()].sort(), before, 'and nothing is left of the attempt');
  t.equal(await succeed(engine, engine.tail.segments.after(1) ?? 0), true);
});

t.test('two make one at the same time', async (t) => {
  const machine = new MemoryDisk();
  const engine = await filled(t, machine, 60);
  const other = await openEngine(t, machine, options, BY_HAND);
  await new EngineStore(engine).delete([2, 3]);
  const next = engine.tail.segments.after(1) ?? 0;
  const living = Array.from({ length: 60 }, (_, at) => at + 1).filter((index) => index !== 2 && index !== 3);
  const inFirst = living.filter((index) => index < next);
  const winner = await SparseSuccessor.draft(engine.files, 1, inFirst);
  const loser = await SparseSuccessor.draft(other.files, 1, inFirst);
  t.equal(winner?.publish(), true);
  t.equal(loser?.publish(), false, 'the loser obeys');
  loser?.close();
  winner?.close();
  other.catchUp();
  t.ok(await succeed(other, 1), 'and goes on from there');
  t.equal(other.files.generation(1), 2);
  engine.files.removeSucceeded(1);
  t.equal(engine.files.generation(1), 2, 'the first one sees that it was succeeded itself');
  t.same(await misread(new EngineStore(engine), living, 2), []);
  t.same(await misread(new EngineStore(other), living, 2), []);
});

t.test("entries that somebody left who died over them are in nobody's way", async (t) => {
  const machine = new MemoryDisk();
  const engine = await filled(t, machine, 60);
  await new EngineStore(engine).delete([2, 3]);
  machine.put(ENTRIES, new Uint8Array(100));
  t.ok(await succeed(engine, 1));
  t.same(checkDirectoryOn(machine.opener(), '/store'), []);
});
