import t, { type Test } from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { Store } from '../../src/store/contract.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { EngineStore, openStoreOn } from '../../src/store/store.js';
import { until } from '../support/until.js';

const directory = '/store';
const names = new FileNames(directory, 'duro');
const options = { directory, locking: 'lockfile', indexer: false } as const;

const open = async (t: Test, opener: MemoryOpener): Promise<Store> => {
  const store = await openStoreOn(opener, options);
  t.teardown(() => opener.dead || store.close());
  return store;
};

/** Somebody dies with the lock, and time passes. */
async function dieWithTheLock(machine: MemoryDisk): Promise<void> {
  const opener = machine.opener('dead');
  const engine = await Engine.open(opener, resolveStoreOptions(options, new Set()));
  await engine.locks.write.enter();
  machine.kill(opener);
}

/** Epochs of the data files there are, and how many take-overs were published. */
function state(machine: MemoryDisk): { epochs: number[]; takeovers: number } {
  const epochs: number[] = [];
  let takeovers = 0;
  for (const path of machine.snapshot().keys()) {
    const parsed = names.parse(path.slice(directory.length + 1));
    if (parsed?.kind === 'data') epochs.push(parsed.epoch);
    if (parsed?.kind === 'takeover') takeovers += 1;
  }
  return { epochs, takeovers };
}

const text = async (store: Store): Promise<string[]> => {
  const seen: string[] = [];
  for await (const { index, data } of store.entries()) seen.push(`${index} ${Buffer.from(data)}`);
  return seen;
};

t.test('a take-over that fails is made by the next who comes in, and nobody writes before', async (t) => {
  for (const [error, code] of [
    ['ENOSPC', 'DISK_FULL'],
    ['EIO', 'STORE_FAILED'],
  ] as const) {
    for (const path of [/tmp\./, /fate\.2\.e/]) {
      const machine = new MemoryDisk({ deathTakesMs: 60_000 });
      const store = await open(t, machine.opener('own'));
      await store.write(Buffer.from('one'));
      await dieWithTheLock(machine);
      machine.onOperation = inject({ error }, onOpener('own'), onKind('create'), onPath(path));
      await t.rejects(store.write(Buffer.from('lost')), { code }, `${error} of ${path}`);
      machine.onOperation = undefined;
      t.same(state(machine), { epochs: [0], takeovers: 0 });
      const before = machine.bytes(names.data(1));
      const next = error === 'EIO' ? await open(t, machine.opener()) : store;
      t.equal(await next.write(Buffer.from('two')), 2);
      t.same(state(machine), { epochs: [0, state(machine).epochs[1]], takeovers: 1 });
      t.ok((state(machine).epochs[1] ?? 0) > 0, 'it stands in a file of a later epoch');
      const after = machine.bytes(names.data(1));
      t.ok(before && after && Buffer.compare(before, after) === 0, 'and the one before is as it was');
      t.same(await text(next), ['1 one', '2 two']);
    }
  }
});

t.test('who only reads follows a take-over, and so does who waits', async (t) => {
  const machine = new MemoryDisk({ deathTakesMs: 60_000 });
  const reader = await open(t, machine.opener());
  await reader.write(Buffer.from('one'));
  const following = (async () => {
    for await (const { index, data } of reader.entries({ from: 'next', follow: true, limit: 2 }))
      if (index === 3) return `${index} ${Buffer.from(data)}`;
    return 'nothing';
  })();
  await dieWithTheLock(machine);
  const writer = await open(t, machine.opener());
  t.equal(await writer.write(Buffer.from('two')), 2);
  t.same(await text(reader), ['1 one', '2 two']);
  await dieWithTheLock(machine);
  t.equal(await writer.write(Buffer.from('three')), 3);
  t.same(await text(reader), ['1 one', '2 two', '3 three']);
  t.equal(await following, '3 three');
  t.equal(state(machine).takeovers, 1, 'the last take-over knows of those before it');
});

t.test('behind a fence that nobody has resolved a reader believes nothing new', async (t) => {
  const machine = new MemoryDisk();
  const reader = await open(t, machine.opener());
  const writer = await open(t, machine.opener('writer'));
  await writer.write(Buffer.from('one'));
  t.same(await text(reader), ['1 one']);
  // The fence comes between the write and the look.
  await writer.write(Buffer.from('two'));
  machine.opener().create(names.epoch(1))?.close();
  t.same(await text(reader), ['1 one'], 'it may not count');
  t.equal(await writer.write(Buffer.from('three')), 3, 'the writer takes over, and counts what was there');
  t.same(await text(reader), ['1 one', '2 two', '3 three']);
});

t.test('who lost the lock while it was about to take over takes nothing over', async (t) => {
  const machine = new MemoryDisk({ deathTakesMs: 60_000 });
  const sleeper = await open(t, machine.opener('sleeper'));
  await sleeper.write(Buffer.from('one'));
  const other = await Engine.open(machine.opener('other'), resolveStoreOptions(options, new Set()));
  other.locks.renounce();
  await dieWithTheLock(machine);
  let fences = 0;
  machine.onOperation = ({ opener, kind, path }) => {
    if (opener !== 'sleeper' || kind !== 'create' || !/epoch/.test(path)) return undefined;
    fences += 1;
    if (fences < 2) return undefined;
    // It has the lock, and is about to put up its own fence. The other one gets the lock, and gets no further.
    machine.onOperation = undefined;
    machine.age(60_000);
    t.ok(other.locks.write.tryEnter());
    return undefined;
  };
  const late = sleeper.write(Buffer.from('late'));
  await until('it sees that it lost the lock', () => machine.onOperation === undefined);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(state(machine).takeovers, 0, 'an epoch that it began would be theirs, both');
  other.tenure.enter();
  t.equal(state(machine).takeovers, 1);
  other.locks.write.leave();
  other.locks.renounce();
  t.equal(await late, 2);
  t.same(await text(sleeper), ['1 one', '2 late']);
  await other.close();
});

for (const when of ['before the sleeper looks', 'behind that'] as const)
  t.test(
    `facts that a take-over has cut reach the device ${when}, and others have their numbers`,
    async (t) => {
      const machine = new MemoryDisk({ deathTakesMs: 60_000 });
      const opened = (name: string): Promise<Engine> =>
        Engine.open(machine.opener(name), resolveStoreOptions(options, new Set()));
      const sleeper = await opened('sleeper');
      const store = new EngineStore(sleeper);
      for (const text of ['one', 'two', 'three']) await store.write(Buffer.from(text));
      const { journal, tenure, locks, tail } = sleeper;
      const other = await opened('other');
      other.locks.renounce();
      await locks.fate.enter();
      tenure.enter();
      machine.age(60_000);
      t.ok(other.locks.fate.tryEnter());
      other.tenure.enter();
      other.locks.fate.leave();
      other.locks.renounce();
      // It wakes, and says over the fence that the first is gone.
      journal.begin().gone(1, 2);
      journal.decided(1);
      journal.commit();
      const { fact } = journal;
      t.ok(tenure.isLost(tail.position()));
      locks.fate.leave();
      // In the background that comes to the device, where it counts for nothing.
      if (when === 'behind that') machine.syncs.hold();
      const inBackground = journal.sync();
      if (when !== 'behind that') await inBackground;
      const isDeleted = store.delete(2);
      await until('another fact has its number', () => journal.fact === fact && !sleeper.has(2));
      if (when === 'behind that') machine.syncs.release(1);
      await inBackground;
      t.ok(journal.safe < fact || when !== 'behind that', 'that is not on the device by that');
      machine.syncs.release();
      t.equal(await isDeleted, 1);
      machine.powerCut({ writes: 'lose', names: 'lose' });
      t.same(await text(await open(t, machine.opener())), ['1 one', '3 three']);
    },
  );
