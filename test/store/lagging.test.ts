/** What an opener says while another one changes the directory between two of its looks. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onIndex, onKind, onPath } from '../../src/disk/memory-fault.js';
import { IndexSet } from '../../src/journal/index-set.js';
import type { Engine } from '../../src/store/engine.js';
import { readEntries } from '../../src/store/entry-walk.js';
import { EngineStore, openStoreOn } from '../../src/store/store.js';
import { openEngine } from './engines.js';
import { fileOf, range } from './records.js';
import { memoryWorld } from './world.js';

const options = { maxFileSize: fileOf(2, 100), durability: 'written', indexer: false } as const;

/** The next times that facts are folded find nothing, as if others had stated them a moment later. */
function foldTooEarly(engine: Engine, times: number): void {
  const { journal } = engine;
  let left = times;
  journal.catchUp = () => {
    left -= 1;
    if (left === 0) Reflect.deleteProperty(journal, 'catchUp');
    return false;
  };
}

t.test(
  'a segment in the middle goes after the facts were folded, and before the tail is followed',
  async (t) => {
    const machine = new MemoryDisk();
    const store = await memoryWorld(t, machine).openStore(options);
    await store.write(new Uint8Array(100));
    const engine = await openEngine(t, machine, options);
    const lagging = new EngineStore(engine);
    t.equal(await lagging.length(), 1);
    for (const n of range(2, 13)) t.equal(await store.write(new Uint8Array(100).fill(n)), n);
    t.equal(await store.delete([3, 4]), 2);
    await store.prune(1);
    foldTooEarly(engine, 1);
    t.equal(await lagging.length(), 11);
    t.equal(await lagging.read(3), undefined);
    t.same(await lagging.read(5), new Uint8Array(100).fill(5));
  },
);

t.test('a record that is read while it is written, and whole a moment later, is not damaged', async (t) => {
  const machine = new MemoryDisk();
  const roomy = { ...options, maxFileSize: fileOf(9, 100) };
  const store = await memoryWorld(t, machine).openStore(roomy);
  await store.write(new Uint8Array(100));
  const engine = await openEngine(t, machine, roomy);
  const lagging = new EngineStore(engine);
  t.equal(await lagging.nextIndex(), 2);
  const inTheNext = engine.tail.end + 50;
  for (const n of [2, 3]) await store.write(new Uint8Array(100).fill(n));
  // By the end of the turn the entries are there.
  await new Promise((resolve) => setImmediate(resolve));
  // Half of the second is there, until the entries are asked, which name the third already.
  const path = engine.files.dataPath(1);
  machine.flip(path, inTheNext);
  let isWhole = false;
  machine.onOperation = ({ kind, path: asked }) => {
    if (kind !== 'read' || !asked.endsWith('.idx')) return undefined;
    machine.onOperation = undefined;
    machine.flip(path, inTheNext);
    isWhole = true;
    return undefined;
  };
  t.equal(await lagging.nextIndex(), 4);
  t.ok(isWhole, 'it was not, when it was read first');
  t.notOk(engine.tail.hasDamage);
  t.equal(await lagging.write(new Uint8Array(100)), 4);
  t.equal(engine.tail.active, 1, 'and nobody turns away from the segment');
});

t.test('a record whose segment went unseen is gone, and not damaged', async (t) => {
  const machine = new MemoryDisk();
  const store = await memoryWorld(t, machine).openStore(options);
  await store.write(new Uint8Array(100));
  const engine = await openEngine(t, machine, options);
  const lagging = new EngineStore(engine);
  for (const n of range(2, 13)) await store.write(new Uint8Array(100).fill(n));
  await store.delete([3, 4]);
  await store.prune(1);
  // Twice by the look that passes over the segment, once by the read.
  foldTooEarly(engine, 3);
  t.equal(await lagging.nextIndex(), 14);
  t.equal(await lagging.read(3), undefined);
  t.equal(await lagging.length(), 11);
});

t.test('a segment that is known goes while one of its records is read', async (t) => {
  const machine = new MemoryDisk();
  const store = await memoryWorld(t, machine).openStore(options);
  for (const n of range(1, 7)) await store.write(new Uint8Array(100).fill(n));
  const engine = await openEngine(t, machine, { ...options, maxChunk: 0 });
  const lagging = new EngineStore(engine);
  await store.delete([3, 4]);
  await store.prune(1);
  foldTooEarly(engine, 1);
  t.equal(await lagging.read(3), undefined, 'it is gone, and not damaged');
  t.equal(await lagging.length(), 5);
});

t.test('a walk tells of what went in the moment it was looked for', async (t) => {
  const machine = new MemoryDisk();
  const store = await memoryWorld(t, machine).openStore(options);
  for (const n of range(1, 9)) await store.write(new Uint8Array(100).fill(n));
  const lagging = new EngineStore(await openEngine(t, machine, { ...options, maxChunk: 0 }));
  const seen: unknown[] = [];
  const walk = lagging.entries({ from: 1, onGap: (gap) => seen.push(gap) });
  for (const index of [1, 2]) t.equal((await walk.next()).value?.index, index);
  // Not known here: it is found out when the third is read.
  await store.prune(7);
  t.equal((await walk.next()).value?.index, 7);
  t.same(seen, [{ from: 3, to: 7 }]);
});

t.test('a segment that went leaves nothing open here', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore(options);
  for (const n of range(1, 7)) await store.write(new Uint8Array(100).fill(n));
  const engine = await openEngine(t, machine, options);
  const lagging = new EngineStore(engine);
  for (const n of range(1, 7)) await lagging.read(n);
  for (const n of range(8, 15)) await store.write(new Uint8Array(100).fill(n));
  await store.prune();
  // As if many others had been read since: only the one being written is not open any more.
  engine.files.forget(7);
  t.equal(await lagging.nextIndex(), 16);
  t.equal(await lagging.length(), 0);
  await engine.sweeper.idle();
  const named = [...machine.snapshot().values()].reduce((sum, { length }) => sum + length, 0);
  t.equal(machine.usedBytes, named, 'no room is taken by files without a name');
});

t.test('what is gone is passed over in one step, not index by index', async (t) => {
  const machine = new MemoryDisk();
  const store = await memoryWorld(t, machine).openStore({ durability: 'written' });
  await store.writeMany(range(1, 20_000).map(() => new Uint8Array(0)));
  await store.delete(range(2, 19_999));
  const engine = await openEngine(t, machine);
  let asked = 0;
  const { lostSet } = engine.fates;
  lostSet.has = (index) => {
    asked += 1;
    return IndexSet.prototype.has.call(lostSet, index);
  };
  const found: number[] = [];
  const gaps: unknown[] = [];
  const onGap = (gap: unknown): void => void gaps.push(gap);
  for await (const { index } of readEntries(engine, { onGap })) found.push(index);
  t.same(found, [1, 20_000]);
  t.same(gaps, [], 'deleted records are no gap');
  t.equal(asked, 0, 'where nothing was lost, nothing is looked for');
});

t.test('nor by who opens a store of which only a segment just begun is left', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const small = { maxFileSize: fileOf(3000, 0) };
  const opener = machine.opener();
  const store = await openStoreOn(opener, { directory: world.directory, ...small });
  await store.writeMany(range(1, 3000).map(() => new Uint8Array(0)));
  await store.delete(range(1, 3000));
  // The segment's header is written, its first record is not.
  machine.onOperation = inject('die', onKind('write'), onPath(/3001\.dat$/), onIndex(2));
  await t.rejects(store.write(new Uint8Array(0)));
  t.ok(opener.dead);
  machine.onOperation = undefined;
  const next = await world.openStore(small);
  await next.prune(1);
  await next.close();
  t.same(world.files(/\.dat$/), ['duro_00000000000000003001.dat']);
  let asked = 0;
  const { has, firstAbsent } = IndexSet.prototype;
  IndexSet.prototype.has = function (index) {
    asked += 1;
    return has.call(this, index);
  };
  IndexSet.prototype.firstAbsent = function (index) {
    asked += 1;
    return firstAbsent.call(this, index);
  };
  t.teardown(() => Object.assign(IndexSet.prototype, { has, firstAbsent }));
  const again = await world.openStore(small);
  t.ok(asked < 100, `asked ${asked} times`);
  t.match(await again.stats(), { length: 0, lost: 0, firstIndex: 3001, nextIndex: 3001 });
});
