/** What an opener says while another one changes the directory between two of its looks. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Engine } from '../../src/store/engine.js';
import { EngineStore } from '../../src/store/store.js';
import { openEngine } from './engines.js';
import { fileOf, range } from './records.js';
import { memoryWorld } from './world.js';

const options = { maxFileSize: fileOf(2, 100), durability: 'written', indexer: false } as const;

/** The next time that facts are folded finds nothing, as if others had stated them a moment later. */
function foldOnceTooEarly(engine: Engine): void {
  const { journal } = engine;
  journal.catchUp = () => {
    Reflect.deleteProperty(journal, 'catchUp');
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
    foldOnceTooEarly(engine);
    t.equal(await lagging.length(), 11);
    t.equal(await lagging.read(3), undefined);
    t.same(await lagging.read(5), new Uint8Array(100).fill(5));
  },
);

t.test('a segment that is known goes while one of its records is read', async (t) => {
  const machine = new MemoryDisk();
  const store = await memoryWorld(t, machine).openStore(options);
  for (const n of range(1, 7)) await store.write(new Uint8Array(100).fill(n));
  const engine = await openEngine(t, machine, { ...options, maxChunk: 0 });
  const lagging = new EngineStore(engine);
  await store.delete([3, 4]);
  await store.prune(1);
  foldOnceTooEarly(engine);
  t.equal(await lagging.read(3), undefined, 'it is gone, and not damaged');
  t.equal(await lagging.length(), 5);
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
