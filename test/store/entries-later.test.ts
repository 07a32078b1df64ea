/** Entries that are left for the end of the turn of the event loop. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { Batch } from '../../src/segment/batch.js';
import { entryPosition } from '../../src/segment/entry.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { openEngine } from './engines.js';
import { fileOf, range } from './records.js';
import { memoryWorld, onBothDisks, type World } from './world.js';

const options = { durability: 'written', indexer: false } as const;
const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const record = (n: number): Uint8Array => new Uint8Array(100).fill(n);

/** Writes records in one stretch of code, each by a commit of its own; returns their indexes. */
async function writeNow(engine: Engine, values: readonly number[], isSynced = false): Promise<number[]> {
  await engine.locks.write.enter();
  engine.tenure.enter();
  engine.appender.catchUp();
  const written = values.map((n) => {
    const batch = new Batch();
    batch.begin();
    batch.add(record(n));
    if (!engine.appender.fits(batch.length)) engine.appender.roll(engine.clock.now());
    return engine.appender.append(batch, 0, 1, engine.clock.now(), isSynced);
  });
  engine.locks.write.leave();
  engine.noteChange();
  return written;
}

async function opened(
  t: Test,
  maxFileSize = fileOf(500, 100),
): Promise<{ world: World; engine: Engine; machine: MemoryDisk }> {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const engine = await openEngine(t, machine, { ...options, maxFileSize });
  await endOfTurn();
  return { world, engine, machine };
}

/** How many entries each file has. */
const entries = (world: World): number[] =>
  world
    .files(/\.idx$/)
    .map(
      (name) =>
        (world.bytes(name).length - entryPosition(1, 1)) / (entryPosition(1, 2) - entryPosition(1, 1)),
    );

t.test('of many commits of one turn the first writes its entry, the others when the turn ends', async (t) => {
  const { world, engine } = await opened(t);
  t.same(await writeNow(engine, range(1, 20)), range(1, 20));
  t.same(entries(world), [1]);
  await endOfTurn();
  t.same(entries(world), [20]);
  await writeNow(engine, [21]);
  t.same(entries(world), [21], 'in the next turn so again');
});

t.test('where a sync comes next, all of them when the turn ends', async (t) => {
  const { world, engine } = await opened(t);
  await writeNow(engine, [1], true);
  t.same(entries(world), [0]);
  await endOfTurn();
  t.same(entries(world), [1]);
});

t.test('no more than 128 are left for later', async (t) => {
  const { world, engine } = await opened(t);
  await writeNow(engine, range(1, 150));
  t.same(entries(world), [129]);
  await endOfTurn();
  t.same(entries(world), [150]);
});

t.test('with a lock that can be taken away none are', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const engine = await openEngine(t, machine, { ...options, locking: 'lockfile' });
  await endOfTurn();
  await writeNow(engine, range(1, 5));
  t.same(entries(world), [5]);
});

t.test('this opener looks for a record by its entry, others search', async (t) => {
  const { world, engine } = await opened(t);
  const other = await openEngine(t, (engine.disk as MemoryOpener).machine, options);
  await writeNow(engine, range(1, 20));
  t.same(other.read(15)?.payload, record(15));
  t.same(entries(world), [1]);
  t.same(engine.read(15)?.payload, record(15));
  t.same(entries(world), [20]);
});

t.test('a seal comes behind all entries of its segment', async (t) => {
  const { world, engine } = await opened(t, fileOf(7, 100));
  await writeNow(engine, range(1, 20));
  t.same(entries(world), [7, 7, 0]);
  await endOfTurn();
  t.same(entries(world), [7, 7, 6]);
});

t.test('what others wrote between two of them has entries of its own', async (t) => {
  const { world, engine, machine } = await opened(t);
  const other = await openEngine(t, machine, options);
  await endOfTurn();
  for (const from of [1, 5, 9]) {
    t.same(await writeNow(engine, range(from, from + 1)), range(from, from + 1));
    t.same(await writeNow(other, range(from + 2, from + 3)), range(from + 2, from + 3));
  }
  await endOfTurn();
  t.same(entries(world), [12]);
  const reader = await openEngine(t, machine, options);
  for (const n of range(1, 12)) t.same(reader.read(n)?.payload, record(n));
});

t.test('they go to the file that was open, whatever has become of its name', async (t) => {
  const { world, engine, machine } = await opened(t);
  await writeNow(engine, range(1, 5));
  const name = world.files(/\.idx$/)[0] ?? '';
  machine.opener().unlink(`/store/${name}`);
  machine.put(`/store/${name}`, Buffer.from("another's"));
  engine.files.forget(1);
  await endOfTurn();
  t.equal(world.bytes(name).toString(), "another's");
});

t.test('a process that dies before the turn ends has lost no record', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const opener = machine.opener();
  const dying = await Engine.open(
    opener,
    resolveStoreOptions({ directory: '/store', ...options }, new Set()),
  );
  await endOfTurn();
  await writeNow(dying, range(1, 50));
  opener.die();
  t.same(entries(world), [1]);
  const store = await world.openStore(options);
  t.equal(await store.write(record(51)), 51);
  for (const n of range(1, 51)) t.same(await store.read(n), record(n));
});

onBothDisks('after a close all entries are there', async (t, world) => {
  const store = await world.openStore(options);
  for (const n of range(1, 20)) await store.write(record(n));
  await store.close();
  t.same(entries(world), [20]);
});
