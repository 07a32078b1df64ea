/** Deletes that ride in batches of the log until they are facts of the journal: who learns of them when, and what a crash leaves. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { openStore } from '../../src/mod.js';
import type { Store } from '../../src/store/contract.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions, type StoreOptions } from '../../src/store/options.js';
import { EngineStore, openStoreOn } from '../../src/store/store.js';
import { SHORT_JOURNALS, stillClock } from '../crash/actor.js';
import { decodeDump } from '../golden/dump.js';
import { putFiles } from '../golden/examine.js';
import { repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { openEngine } from './engines.js';
import { bytes, contents, fileOf, range } from './records.js';
import { lockFileMachine, memoryWorld } from './world.js';

const directory = '/store';
/** Nothing happens in the background. */
const options: StoreOptions = { directory, indexer: false, clock: stillClock, durability: 'written' };

interface Opened {
  readonly opener: MemoryOpener;
  readonly engine: Engine;
  readonly store: Store;
}

async function open(
  machine: MemoryDisk,
  more: Partial<StoreOptions> = {},
  limits?: typeof SHORT_JOURNALS,
): Promise<Opened> {
  const opener = machine.opener();
  const resolved = resolveStoreOptions({ ...options, ...more }, new Set());
  const engine = await Engine.open(opener, resolved, limits);
  return { opener, engine, store: new EngineStore(engine) };
}

const hundred = (n: number): Uint8Array => new Uint8Array(100).fill(n);
const fill = (store: Store, count: number): Promise<number[]> =>
  store.writeMany(range(1, count).map(hundred));
const indexes = async (store: Store): Promise<number[]> => (await contents(store)).map(([index]) => index);

const replace = (store: Store, ...deleted: readonly number[]): Promise<number[]> =>
  store.transaction((tx) => {
    tx.write(hundred(99));
    for (const index of deleted) tx.delete(index);
  });

const machines: readonly (readonly [string, () => MemoryDisk])[] = [
  ['locks of the system', () => new MemoryDisk()],
  ['lock files', lockFileMachine],
];

function onMachines(name: string, body: (t: Test, machine: MemoryDisk) => Promise<void>): void {
  t.test(name, async (t) => {
    for (const [what, make] of machines) await t.test(what, (t) => body(t, make()));
  });
}

onMachines('nobody ever sees a part of a transaction', async (t, machine) => {
  const { store, opener, engine } = await open(machine, { maxFileSize: fileOf(4, 100) });
  await fill(store, 3);
  const watcher = await open(machine);
  const seen = new Set<string>();
  const look = (): void => {
    watcher.engine.catchUp();
    const { length, tail, fates } = watcher.engine;
    seen.add(`${length} of ${tail.nextIndex - 1}, ${[...fates.goneSet.ranges()].map(({ to }) => to).join()}`);
  };
  for (const deleted of [[1], [2, 3], [4]]) {
    seen.clear();
    look();
    machine.onOperation = (operation) => {
      if (operation.opener === opener.name) look();
      return undefined;
    };
    await replace(store, ...deleted);
    machine.onOperation = undefined;
    look();
    t.equal(seen.size, 2, [...seen].join('; '));
  }
  // The first and the last had to be written into the next segment.
  t.equal(engine.tail.segments.length, 3);
  t.same(await indexes(watcher.store), [5, 6]);
  await Promise.all([store.close(), watcher.store.close()]);
});

onMachines('who dies behind the batch leaves its deletes', async (t, machine) => {
  const { opener, store } = await open(machine);
  await fill(store, 5);
  const watcher = await open(machine);
  t.same(await replace(store, 2, 4), [6]);
  machine.kill(opener);
  t.equal(await watcher.store.read(4), undefined);
  t.same(await indexes(watcher.store), [1, 3, 5, 6]);
  t.equal(await watcher.store.delete([2, 3]), 1);
  const again = await open(machine);
  t.same(await indexes(again.store), [1, 5, 6]);
  t.ok(again.engine.fates.isCarrying, 'they are no facts yet');
  await Promise.all([watcher.store.close(), again.store.close()]);
  const last = await open(machine);
  t.notOk(last.engine.fates.isCarrying, 'whoever closes makes facts of them');
  t.same(await indexes(last.store), [1, 5, 6]);
  await last.store.close();
});

t.test('the journal is synced for the first transaction, not for each', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine } = await open(machine);
  await fill(store, 5);
  let syncs = 0;
  machine.onOperation = ({ kind, path }) => {
    if (kind === 'sync' && /fate/.test(path)) syncs += 1;
    return undefined;
  };
  for (const [index, expected] of [
    [1, 1],
    [2, 1],
    [3, 1],
  ] as const) {
    await replace(store, index);
    t.equal(syncs, expected);
  }
  await engine.carried.settle();
  t.equal(syncs, 2);
  t.notOk(engine.fates.isCarrying);
  await replace(store, 4);
  t.equal(syncs, 3, 'and for the first behind that');
  machine.onOperation = undefined;
  await store.close();
});

t.test('another one relies on what is on the device, not on what is said', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine, opener } = await open(machine);
  await fill(store, 5);
  await store.sync();
  const other = await open(machine);
  // As if it had died between the fact and its sync.
  engine.journal.begin().carried(engine.tail.nextIndex, true);
  engine.journal.decided(1);
  engine.journal.commit();
  machine.kill(opener);
  await replace(other.store, 2, 3);
  await other.engine.syncer.upTo(6);
  machine.kill(other.opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await open(machine);
  t.same(await indexes(again.store), [1, 4, 5, 6]);
  await again.store.close();
});

t.test('a power cut that keeps the log and takes the end of the journal', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine, opener } = await open(machine);
  await fill(store, 5);
  await replace(store, 1);
  await replace(store, 3);
  await store.sync();
  await engine.locks.fate.enter();
  t.ok(engine.carried.fold());
  engine.locks.fate.leave();
  t.notOk(engine.fates.isCarrying);
  machine.kill(opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await open(machine);
  t.ok(again.engine.fates.isCarrying, 'that they are facts is lost');
  t.same(await indexes(again.store), [2, 4, 5, 6, 7]);
  await again.store.close();
});

t.test('a power cut that takes the batch takes its deletes', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine, opener } = await open(machine);
  await fill(store, 5);
  await store.sync();
  await replace(store, 1, 2);
  await engine.locks.fate.enter();
  t.ok(engine.carried.fold(), 'they are not made facts of before their batch is on the device');
  engine.locks.fate.leave();
  t.equal(engine.fates.unfolded.length, 1);
  await engine.locks.fate.enter();
  engine.journal.syncNow();
  engine.locks.fate.leave();
  machine.kill(opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await open(machine);
  t.same(await indexes(again.store), range(1, 5));
  t.equal(await again.store.nextIndex(), 6);
  t.same(await replace(again.store, 3), [6], 'the index is given again, and what it carries counts');
  await again.engine.syncer.upTo(6);
  machine.kill(again.opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const last = await open(machine);
  t.same(await indexes(last.store), [1, 2, 4, 5, 6]);
  await last.store.close();
});

t.test('what was said of an index that was lost since is said anew', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine, opener } = await open(machine);
  await fill(store, 3);
  await store.sync();
  await fill(store, 10);
  // The journal says so from 14 on; of the log only three records are on the device.
  await replace(store, 1);
  t.equal(engine.fates.carriedUpTo, 14);
  machine.kill(opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await open(machine);
  t.same(await indexes(again.store), [1, 2, 3]);
  t.same(await replace(again.store, 2), [4]);
  await again.engine.syncer.upTo(4);
  machine.kill(again.opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const last = await open(machine);
  t.same(await indexes(last.store), [1, 3, 4]);
  await last.store.close();
});

t.test('no journal is succeeded while deletes may be lost with their batch', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine, opener } = await open(machine, {}, SHORT_JOURNALS);
  await fill(store, 9);
  await store.sync();
  await replace(store, 2);
  const { number } = engine.journal;
  for (const index of [4, 6, 8]) {
    await store.delete(index);
    t.ok(engine.journal.isLong || index === 4);
  }
  t.equal(engine.journal.number, number);
  await engine.locks.fate.enter();
  engine.journal.syncNow();
  engine.locks.fate.leave();
  machine.kill(opener);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await open(machine, {}, SHORT_JOURNALS);
  t.same(await indexes(again.store), [1, 2, 3, 5, 7, 9], 'the transaction never happened');
  await replace(again.store, 1);
  await again.engine.carried.settle();
  t.ok(again.engine.journal.number > number, 'whoever makes facts of them has it succeeded');
  t.same(await indexes(again.store), [2, 3, 5, 7, 9, 10]);
  await again.store.close();
});

onMachines('who falls behind a segment that goes learns what the next ones carry', async (t, machine) => {
  const more = { maxFileSize: fileOf(3, 100) };
  const { store } = await open(machine, more);
  await store.write(hundred(1));
  const lagging = await open(machine, more);
  await store.writeMany([hundred(2)]);
  await fill(store, 2);
  t.same(await replace(store, 4), [5]);
  await fill(store, 3);
  await fill(store, 3);
  await store.prune(4);
  t.same(await indexes(store), range(5, 11));
  t.notOk(machine.bytes(`${directory}/duro_00000000000000000001.dat`), 'the first segment has gone');
  await replace(store, 5);
  await replace(store, 9);
  await fill(store, 3);
  t.equal(await lagging.store.read(1), undefined);
  t.equal(await lagging.store.length(), (await indexes(store)).length);
  t.same(await indexes(lagging.store), await indexes(store));
  await Promise.all([store.close(), lagging.store.close()]);
});

onMachines('a commit of facts that fails does not bring deletes back', async (t, machine) => {
  const { store, engine } = await open(machine);
  await fill(store, 5);
  await replace(store, 2, 3);
  machine.onOperation = ({ kind, path }) =>
    kind === 'write' && /fate/.test(path) ? { error: 'ENOSPC' } : undefined;
  await t.rejects(store.delete(5), { code: 'DISK_FULL' });
  t.same(await indexes(store), [1, 4, 5, 6]);
  await t.rejects(engine.carried.settle(), { code: 'DISK_FULL' });
  t.same(await indexes(store), [1, 4, 5, 6], 'nor those that were to become facts');
  machine.onOperation = undefined;
  t.ok(engine.fates.isCarrying);
  await engine.carried.settle();
  t.same([engine.fates.isCarrying, engine.fates.unfolded.length], [false, 0]);
  t.same(await indexes(store), [1, 4, 5, 6]);
  t.equal(await store.delete([2, 5]), 1);
  await store.close();
});

t.test('a transaction whose facts would find no room on a full disk is refused', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine } = await open(machine, { maxFileSize: 4 * 1024 * 1024 });
  const every = range(1, 40_000);
  await store.writeMany(every.map(() => bytes('x')));
  const scattered = every.filter((index) => index % 3 === 0);
  // The log has its room; the journal gets none.
  machine.onOperation = ({ kind, path }) =>
    kind === 'write' && /fate/.test(path) ? { error: 'ENOSPC' } : undefined;
  await t.rejects(replace(store, ...scattered), { code: 'DISK_FULL' });
  machine.onOperation = undefined;
  t.equal(await store.length(), 40_000);
  await replace(store, ...scattered);
  // Now there is none anywhere, and it is emptied.
  machine.capacityBytes = machine.usedBytes;
  await engine.carried.settle();
  t.equal(await store.length(), 40_001 - scattered.length);
  t.equal(await store.delete(every), 40_000 - scattered.length);
  t.same(await indexes(store), [40_001]);
  machine.capacityBytes = Number.POSITIVE_INFINITY;
  await store.close();
});

t.test('verify and repair know what batches carry', async (t) => {
  for (const damage of ['nothing', 'the frame that says what is gone', 'the journal'] as const) {
    const machine = new MemoryDisk();
    const { store, engine, opener } = await open(machine);
    await fill(store, 5);
    await replace(store, 1, 2);
    const end = engine.tail.end;
    await store.write(hundred(7));
    await store.sync();
    // The next frame says that all this is on the device.
    await store.write(hundred(8));
    await engine.syncer.upTo(8);
    machine.kill(opener);
    if (damage === 'the frame that says what is gone')
      machine.flip(`${directory}/duro_00000000000000000001.dat`, end - 3);
    if (damage === 'the journal') machine.put(`${directory}/duro.fate.1`, new Uint8Array(200).fill(7));
    const found = await verifyOn(machine.opener(), { directory });
    t.equal(found.ok, damage === 'nothing', damage);
    t.equal(found.records, damage === 'the frame that says what is gone' ? 8 : 6);
    if (damage === 'the frame that says what is gone')
      t.match(
        found.findings.filter(({ severity }) => severity !== 'note'),
        [{ severity: 'damage', what: /what a transaction deleted/ }],
      );
    const repaired = await repairOn(machine.opener(), { directory });
    t.equal(repaired.ok, true, `${damage}, repaired`);
    const again = await open(machine);
    t.same(await indexes(again.store), range(damage === 'the frame that says what is gone' ? 1 : 3, 8));
    await again.store.close();
    t.equal((await verifyOn(machine.opener(), { directory })).ok, true);
  }
});

t.test('a store of a program that knew no transactions', async (t) => {
  for (const name of ['synced', 'jobs-announced', 'written']) {
    const path = await temporaryDirectory(t);
    const text = await readFile(join(repository, 'test', 'golden', name, 'directory.txt'), 'utf8');
    await putFiles(path, decodeDump(text));
    const store = await openStore({ directory: path });
    const before = await indexes(store);
    const [first = 0, ...others] = before;
    const written = await store.transaction((tx) => {
      tx.write(bytes('new'));
      tx.delete(first);
    });
    t.same(await indexes(store), [...others, ...written], name);
    await store.close();
    const again = await openStore({ directory: path });
    t.same(await indexes(again), [...others, ...written], name);
    await again.close();
  }
});

t.test('an opener that is alone', async (t) => {
  const machine = new MemoryDisk();
  const engine = await openEngine(t, machine, { locking: 'none' });
  const store = new EngineStore(engine);
  await fill(store, 4);
  t.same(await replace(store, 1), [5]);
  t.same(await replace(store, 5, 2), [6]);
  t.same(await indexes(store), [3, 4, 6]);
  await engine.close();
  const again = new EngineStore(await openEngine(t, machine, { locking: 'none' }));
  t.same(await indexes(again), [3, 4, 6]);
});

onMachines('a segment goes when what its batches say is on the device as facts', async (t, machine) => {
  const { store, engine, opener } = await open(machine, { maxFileSize: fileOf(3, 100) });
  for (const n of range(1, 4)) await store.write(hundred(n));
  // Its batch is in the second segment, and deletes from the first.
  t.same(await replace(store, 1), [5]);
  t.same([...engine.tail.segments], [1, 4]);
  for (const n of [6, 7, 8]) await store.write(hundred(n));
  await store.delete([4, 5]);
  await engine.sweeper.idle();
  t.notOk(machine.bytes(`${directory}/duro_00000000000000000004.dat`), 'which has gone');
  machine.kill(opener);
  machine.powerCut({ writes: 'lose', names: 'keep' });
  machine.age(machine.deathTakesMs);
  const again = await open(machine);
  t.same((await indexes(again.store)).slice(0, 2), [2, 3]);
  await again.store.close();
});

onMachines('a segment that a transaction has emptied goes when that is on the device', async (t, machine) => {
  const { store, engine, opener } = await open(machine, { maxFileSize: fileOf(3, 100) });
  for (const n of range(1, 4)) await store.write(hundred(n));
  await store.sync();
  t.same(await replace(store, 1, 2, 3), [5]);
  await engine.sweeper.idle();
  t.notOk(machine.bytes(`${directory}/duro_00000000000000000001.dat`), 'it has gone');
  machine.kill(opener);
  machine.powerCut({ writes: 'lose', names: 'keep' });
  machine.age(machine.deathTakesMs);
  const again = await open(machine);
  t.same(await indexes(again.store), [4, 5]);
  t.equal((await again.store.stats()).lost, 0);
  await again.store.close();
});

t.test('a segment is succeeded by a sparse one when they are', async (t) => {
  const machine = new MemoryDisk();
  const opener = machine.opener();
  const resolved = resolveStoreOptions({ ...options, maxFileSize: 8192 }, new Set());
  const byHand = { leastBytes: 0, everyMs: 1000, retryMs: 0 };
  const engine = await Engine.open(opener, resolved, undefined, byHand);
  const store = new EngineStore(engine);
  const many = (count: number): Promise<number[]> => store.writeMany(range(1, count).map(() => bytes('x')));
  await many(20);
  await replace(store, 3);
  await many(100);
  while (engine.tail.segments.length < 3) await many(20);
  const [, second = 0] = engine.tail.segments;
  await store.delete(range(10, second - 1));
  for (const _ of range(1, 3)) await engine.compactor.run();
  t.equal(engine.files.generation(1), 1);
  machine.kill(opener);
  const again = await open(machine);
  t.same((await indexes(again.store)).slice(0, 9), [1, 2, 4, 5, 6, 7, 8, 9, second]);
  await again.store.close();
});

t.test('who has no file of a segment that has gone passes over the next ones', async (t) => {
  const machine = new MemoryDisk();
  const more = { maxFileSize: fileOf(3, 100) };
  const { store, engine } = await open(machine, more);
  await store.write(hundred(1));
  const lagging = await open(machine, more);
  for (const n of range(2, 6)) await store.write(hundred(n));
  await store.prune(4);
  await engine.sweeper.idle();
  await replace(store, 5);
  for (const n of range(8, 12)) await store.write(hundred(n));
  lagging.engine.files.forget(1);
  t.same(await lagging.store.read(5), undefined);
  t.ok(lagging.engine.tail.seenFrom > 7, 'it has not read the batch as it came');
  t.same(await indexes(lagging.store), await indexes(store));
  await Promise.all([store.close(), lagging.store.close()]);
});

t.test('a journal that is succeeded says again what the one before it said of batches', async (t) => {
  const machine = new MemoryDisk();
  const { store, engine, opener } = await open(machine, {}, SHORT_JOURNALS);
  await fill(store, 9);
  machine.onOperation = ({ kind, path }) =>
    kind === 'write' && path.endsWith('.dat') ? { error: 'ENOSPC' } : undefined;
  await t.rejects(replace(store, 1), { code: 'DISK_FULL' });
  machine.onOperation = undefined;
  t.ok(engine.fates.isCarrying, 'it was said before there was any');
  const { number } = engine.journal;
  for (const index of [2, 4, 6, 8]) await store.delete(index);
  t.ok(engine.journal.number > number);
  await replace(store, 3);
  machine.kill(opener);
  const again = await open(machine, {}, SHORT_JOURNALS);
  t.same(await indexes(again.store), [1, 5, 7, 9, 10]);
  await again.store.close();
});

t.test('they become facts in the background', async (t) => {
  for (const durability of ['synced', 'written'] as const) {
    const machine = new MemoryDisk();
    const engine = await openEngine(t, machine, { durability, syncIntervalMs: 5 });
    const store = new EngineStore(engine);
    await fill(store, 3);
    await replace(store, 1);
    t.ok(engine.fates.isCarrying);
    await until('facts', () => !engine.fates.isCarrying && engine.journal.safe === engine.journal.fact);
    t.equal(engine.fates.unfolded.length, 0);
    const other = await openEngine(t, machine, { durability, syncIntervalMs: 5 });
    t.same(await indexes(new EngineStore(other)), [2, 3, 4]);
    await replace(store, 2);
    machine.kill(engine.disk as MemoryOpener);
    other.catchUp();
    t.ok(other.fates.isCarrying);
    await until('facts, by who lives', () => !other.fates.isCarrying);
    t.same(await indexes(new EngineStore(other)), [3, 4, 5]);
    await new EngineStore(other).transaction((tx) => {
      tx.write(hundred(6));
      tx.delete(3);
    });
    await other.syncer.upTo(6);
    t.ok(other.fates.isCarrying);
    machine.kill(other.disk as MemoryOpener);
    const last = await openEngine(t, machine, { durability, syncIntervalMs: 5 });
    t.ok(last.fates.isCarrying);
    await until('facts, by who comes', () => !last.fates.isCarrying);
    t.same(await indexes(new EngineStore(last)), [4, 5, 6]);
  }
});

t.test(
  'room that was prepared in the journal and cut away by another opener is prepared again',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const store = await world.openStore();
    const other = await world.openStore();
    await store.writeMany(['a', 'b', 'c'].map(bytes));
    const replace = (index: number): Promise<number[]> =>
      store.transaction((tx) => {
        tx.write(bytes('x'));
        tx.delete(index);
      });
    await replace(1);
    // Somebody died in the midst of a frame of facts; who looks next cuts it off, and says nothing.
    const name = world.files(/\.fate\.1$/)[0] as string;
    const facts = world.bytes(name);
    const end = facts.length - [...facts].reverse().findIndex((byte) => byte !== 0);
    facts.set([60, 0, 0, 0, 9, 1, 2, 3], end);
    const opener = machine.opener();
    const file = opener.open(`${world.directory}/${name}`, 'write');
    file?.write(facts, end, 8, end);
    file?.close();
    t.same(await other.consumers(), []);
    t.same(await replace(2), [5]);
    t.equal(await other.length(), 3);
  },
);

t.test('who opens finds what batches carry behind a segment whose seal a power cut took', async (t) => {
  for (const make of [lockFileMachine, () => new MemoryDisk()]) {
    const machine = make();
    const world = memoryWorld(t, machine);
    const opener = machine.opener();
    const options = { maxFileSize: fileOf(3, 100), durability: 'written', indexer: false } as const;
    const doomed = await openStoreOn(opener, { directory: world.directory, ...options });
    const hundred = (n: number): Uint8Array => bytes(`${n}`.padEnd(100));
    await doomed.write(hundred(1));
    await doomed.transaction((tx) => {
      tx.write(hundred(2));
      tx.delete(1);
    });
    for (const n of range(3, 8)) await doomed.write(hundred(n));
    await doomed.transaction((tx) => {
      tx.write(hundred(9));
      tx.delete(5);
    });
    await doomed.write(hundred(10));
    opener.die();
    const inner = world.files(/\.dat$/).at(1) as string;
    const whole = world.bytes(inner);
    const seal = whole.length - [...whole].reverse().findIndex((byte) => byte !== 0) - 40;
    world.put(inner, Buffer.concat([whole.subarray(0, seal), Buffer.alloc(whole.length - seal)]));
    const store = await world.openStore(options);
    const found = (await contents(store)).map(([index]) => index);
    t.same(
      found,
      [2, 3, 4, 6, 7, 8, 9, 10].filter((index) => found.includes(index)),
    );
    t.ok(found.includes(9), 'the batch is there');
    t.equal(await store.read(5), undefined, 'and so is what it deleted');
    t.equal(await store.read(1), undefined);
  }
});

t.test(
  'who has read a batch before it folded that indexes are given again knows what it carries',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const options = { durability: 'written', syncIntervalMs: 1_000_000, indexer: false } as const;
    const before = await world.openStore(options);
    for (const n of range(1, 10)) await before.write(bytes(`${n}`));
    await before.sync();
    for (const n of [11, 12]) await before.write(bytes(`${n}`));
    await before.transaction((tx) => {
      tx.write(bytes('13'));
      tx.delete(4);
    });
    // The journal has it that batches may carry deletes from 13 on; the log ends at 10.
    machine.powerCut({ writes: 'lose', names: 'lose' });
    const one = await world.openStore(options);
    const other = await world.openStore(options);
    t.equal(await one.nextIndex(), 11);
    t.same(
      await other.transaction((tx) => {
        tx.write(bytes('eleven'));
        tx.delete(5);
      }),
      [11],
    );
    t.equal(await one.write(bytes('twelve')), 12, 'which looks at the log alone');
    t.equal(await one.read(5), undefined);
    await one.sync();
    await one.close();
    await other.close();
    const later = await world.openStore(options);
    t.equal(await later.read(5), undefined);
    t.same(
      (await contents(later)).map(([index]) => index),
      [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12],
    );
  },
);

onMachines(
  'what was deleted before a transaction deletes it again comes back without its batch alone',
  async (t, machine) => {
    const { store, opener } = await open(machine);
    await fill(store, 4);
    // Then the journal has said that there are such batches.
    await replace(store, 1);
    await store.sync();
    t.equal(await store.delete([2]), 1, 'which is only written');
    t.same(await replace(store, 2, 3), [6]);
    await store.write(hundred(6), { durability: 'synced' });
    machine.kill(opener);
    machine.powerCut({ writes: 'lose', names: 'lose' });
    const again = await open(machine);
    t.same(await indexes(again.store), [4, 5, 6, 7]);
    await again.store.close();
  },
);

t.test('what a batch deleted that a power cut takes is deleted by a later one that it leaves', async (t) => {
  let survived = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const machine = new MemoryDisk({ seed });
    const { store, opener } = await open(machine, { maxFileSize: 1200, syncIntervalMs: 1_000_000 });
    await fill(store, 4);
    await replace(store, 1);
    await store.sync();
    await replace(store, 2);
    await fill(store, 1);
    // In the next file, which the cut may leave where it takes the end of the one before.
    const [index = 0] = await store.transaction((tx) => {
      for (let n = 0; n < 4; n++) tx.write(hundred(80));
      tx.delete(2);
      tx.delete(3);
    });
    machine.kill(opener);
    machine.powerCut({ writes: 'random', names: 'keep', seed });
    const again = await open(machine);
    const there = await indexes(again.store);
    if (there.includes(index)) {
      survived += 1;
      t.notOk(there.includes(2) || there.includes(3), `${seed}: ${there}`);
    }
    await again.store.close();
  }
  t.ok(survived > 0 && survived < 60, `${survived} of 60 came through`);
});

onMachines(
  'who opens says from where on batches carry deletes, where what was said is of what is lost',
  async (t, machine) => {
    const { store, opener } = await open(machine);
    await fill(store, 10);
    await store.sync();
    await store.writeMany([hundred(11), hundred(12)]);
    await replace(store, 4);
    machine.kill(opener);
    machine.powerCut({ writes: 'lose', names: 'lose' });
    const again = await open(machine);
    t.equal(again.engine.tail.nextIndex, 11);
    t.same([again.engine.fates.isCarrying, again.engine.fates.carriedUpTo], [true, 11]);
    const { fact, safe } = again.engine.journal;
    t.equal(safe, fact, 'on the device');
    t.same(await replace(again.store, 5), [11]);
    t.same(await indexes(again.store), [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    await again.store.close();
  },
);
