import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Engine } from '../../src/store/engine.js';
import type { StoreOptions } from '../../src/store/options.js';
import { EngineStore } from '../../src/store/store.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { until } from '../support/until.js';
import { openEngine } from './engines.js';
import { fileOf, range } from './records.js';

const BY_HAND = { leastBytes: 0, everyMs: 2 ** 40, retryMs: 0 };
/** Thirty records a segment. */
const options = { maxFileSize: fileOf(30, 100), durability: 'written' } as const;
const record = (index: number): Uint8Array => new Uint8Array(100).fill(index);

interface Made {
  readonly machine: MemoryDisk;
  readonly engine: Engine;
  readonly store: EngineStore;
  /** The generations of the segments there are. */
  readonly generations: () => number[];
}

/** A store with so many records, of which only some are living. */
async function made(
  t: Test,
  count: number,
  isLiving: (index: number) => boolean,
  limits = BY_HAND,
  more: Partial<StoreOptions> = {},
): Promise<Made> {
  const machine = new MemoryDisk();
  const engine = await openEngine(t, machine, { ...options, ...more }, limits);
  const store = new EngineStore(engine);
  for (const index of range(1, count)) await store.write(record(index));
  await store.delete(range(1, count).filter((index) => !isLiving(index)));
  await engine.sweeper.idle();
  return {
    machine,
    engine,
    store,
    generations: () => [...engine.tail.segments].map((first) => engine.files.generation(first)),
  };
}

t.test('which segments are succeeded', async (t) => {
  await t.test('those of which less than a tenth is living', async (t) => {
    const { engine, generations } = await made(t, 100, (index) => index <= 2 || (index > 30 && index <= 33));
    for (const _ of range(1, 5)) await engine.compactor.run();
    t.same(generations(), [1, 0, 0]);
  });
  await t.test('one at a time', async (t) => {
    const { engine, generations } = await made(t, 100, (index) => [5, 35, 65].includes(index));
    t.same(generations(), [0, 0, 0, 0]);
    await engine.compactor.run();
    t.same(generations(), [1, 0, 0, 0]);
    await engine.compactor.run();
    t.same(generations(), [1, 1, 0, 0]);
    for (const _ of range(1, 5)) await engine.compactor.run();
    t.same(generations(), [1, 1, 1, 0], 'never the last');
  });
  await t.test('not small ones', async (t) => {
    const limits = { ...BY_HAND, leastBytes: 1024 * 1024 };
    const { engine, generations } = await made(t, 100, (index) => index === 5, limits);
    for (const _ of range(1, 5)) await engine.compactor.run();
    t.same(generations(), [0, 0]);
  });
  await t.test('not where little is gained', async (t) => {
    const machine = new MemoryDisk();
    const engine = await openEngine(t, machine, options, BY_HAND);
    const store = new EngineStore(engine);
    await store.write(new Uint8Array(3000));
    for (const index of range(2, 60)) await store.write(new Uint8Array(index < 30 ? 1 : 100));
    const { bytes } = await store.stats();
    await store.delete(range(2, 60));
    await engine.sweeper.idle();
    for (const _ of range(1, 5)) await engine.compactor.run();
    t.equal(engine.files.generation(1), 0);
    t.ok(bytes > 0);
    t.same(
      [...machine.snapshot().keys()].filter((path) => path.includes('tmp')),
      [],
    );
  });
});

t.test('facts are on the device before a record is left out', async (t) => {
  const { machine, engine } = await made(t, 60, (index) => index === 5 || index > 30);
  await engine.compactor.run();
  t.equal(engine.files.generation(1), 1);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = new EngineStore(await openEngine(t, machine, options, BY_HAND));
  t.equal(await again.length(), 31);
  t.same(await again.read(5), record(5));
  t.equal(await again.read(6), undefined);
  t.equal((await again.stats()).lost, 0);
});

t.test('it happens by itself, here and where the store is opened', async (t) => {
  const limits = { leastBytes: 0, everyMs: 1, retryMs: 0 };
  const { machine, generations, store } = await made(t, 100, (index) => [5, 35, 95].includes(index), limits);
  await until('both to be succeeded', () => generations().join() === '1,1,0');
  t.equal(await store.length(), 3);
  await store.close();
  const other = await made(t, 100, (index) => [5, 35, 95].includes(index));
  await other.store.close();
  const opened = await openEngine(t, other.machine, options, limits);
  await until('a later opener to do it', () => opened.files.generation(31) === 1);
  t.same(checkDirectoryOn(machine.opener(), '/store'), []);
});

t.test('what could not be made is tried again later', async (t) => {
  const { machine, engine, store, generations } = await made(t, 100, (index) => index === 5);
  await store.sync();
  machine.capacityBytes = machine.usedBytes;
  await engine.compactor.run();
  t.same(generations(), [0, 0]);
  t.same(
    [...machine.snapshot().keys()].filter((path) => path.includes('tmp')),
    [],
  );
  t.same(await store.read(5), record(5), 'nobody is told');
  machine.capacityBytes = Number.POSITIVE_INFINITY;
  await engine.compactor.run();
  t.same(generations(), [1, 0]);
});

t.test('a sparse segment counts against maxFiles by its size', async (t) => {
  const more = { maxFiles: 3 };
  const { engine, store, generations } = await made(t, 90, (index) => [5, 35].includes(index), BY_HAND, more);
  await store.writeMany(range(91, 120).map(record));
  await t.rejects(store.write(record(121)), { code: 'STORE_FULL' }, 'two files for the sake of two records');
  for (const _ of range(1, 3)) await engine.compactor.run();
  t.same(generations(), [1, 1, 0]);
  t.equal(await store.write(record(121)), 121);
  t.same((await store.stats()).files, 4);
});

t.test('whoever waits for room finds it', async (t) => {
  const more = { maxFiles: 3, whenFull: 'wait' } as const;
  const { engine, store } = await made(t, 90, (index) => [5, 35].includes(index), BY_HAND, more);
  await store.writeMany(range(91, 120).map(record));
  const waiting = store.write(record(121));
  for (const _ of range(1, 3)) await engine.compactor.run();
  t.equal(await waiting, 121);
});

t.test("'drop-oldest' drops sparse ones too, until there is room", async (t) => {
  const more = { maxFiles: 2, whenFull: 'drop-oldest' } as const;
  const { engine, store, generations } = await made(
    t,
    60,
    (index) => index === 5 || index > 30,
    BY_HAND,
    more,
  );
  await engine.compactor.run();
  t.same(generations(), [1, 0]);
  await store.writeMany(range(61, 90).map(record));
  await engine.sweeper.idle();
  t.equal(await store.firstIndex(), 31);
  t.equal(await store.length(), 60);
});

t.test('a sparse segment that is wholly gone goes, with what it succeeded', async (t) => {
  const { machine, engine, store } = await made(t, 60, (index) => index === 5 || index > 30);
  const dense = '/store/duro_00000000000000000001.dat';
  const bytes = machine.bytes(dense) ?? new Uint8Array(0);
  const lagging = await openEngine(t, machine, options, BY_HAND);
  await engine.compactor.run();
  machine.put(dense, bytes);
  // By one who has not seen that there is a successor.
  await new EngineStore(lagging).delete(5);
  await lagging.sweeper.idle();
  t.same(
    [...machine.snapshot().keys()].filter((path) => path.includes('_00000000000000000001')),
    [],
  );
  t.equal(await store.firstIndex(), 31);
});

t.test('one that lags finds the entries of the successor where its own are gone', async (t) => {
  const { machine, engine } = await made(t, 60, (index) => index === 5 || index > 30);
  const lagging = await openEngine(t, machine, { ...options, maxChunk: 0 }, BY_HAND);
  t.same(lagging.read(5)?.index, 5);
  await engine.compactor.run();
  lagging.files.descriptors.forget(lagging.files.entriesPath(1));
  t.equal(lagging.files.generation(1), 0);
  t.same(lagging.read(5)?.payload, record(5));
  t.equal(lagging.files.generation(1), 1);
});

t.test('one that wrote in a segment and fell behind reads on in its successor', async (t) => {
  const { machine, engine, store } = await made(t, 10, () => true);
  const lagging = await openEngine(t, machine, { ...options, maxChunk: 0 }, BY_HAND);
  for (const index of range(11, 60)) await store.write(record(index));
  await store.delete(range(1, 30).filter((index) => index !== 9 && index !== 28));
  await engine.compactor.run();
  t.equal(engine.files.generation(1), 1);
  lagging.files.descriptors.forgetAll();
  t.same(lagging.read(9)?.payload, record(9));
  t.same(await new EngineStore(lagging).nextIndex(), 61);
  t.same(lagging.read(28)?.payload, record(28));
  t.equal(lagging.read(27), undefined);
  t.same(lagging.tail.gaps, []);
  t.equal(await new EngineStore(lagging).write(record(61)), 61);
});

t.test('closing waits for one that is being made, and makes no other', async (t) => {
  const { machine, engine, store } = await made(t, 100, (index) => [5, 35].includes(index));
  const running = engine.compactor.run();
  await store.close();
  await running;
  t.same(checkDirectoryOn(machine.opener(), '/store'), []);
});
