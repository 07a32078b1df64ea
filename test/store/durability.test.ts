import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Store } from '../../src/store/contract.js';
import type { StoreOptions } from '../../src/store/options.js';
import { until } from '../support/until.js';
import { MovedClock } from './moved-clock.js';
import { bytes, contents, text } from './records.js';
import { memoryWorld } from './world.js';

const LOSE = { writes: 'lose', names: 'lose' } as const;
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A store on a machine whose background never syncs by itself. */
async function start(
  t: Test,
  options: Partial<StoreOptions> = {},
): Promise<{ machine: MemoryDisk; store: Store; afterPowerCut: () => Promise<[number, string][]> }> {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ clock: new MovedClock(), ...options });
  return {
    machine,
    store,
    async afterPowerCut() {
      machine.powerCut(LOSE);
      return contents(await world.openStore());
    },
  };
}

t.test("'synced' is the default, and survives a power cut", async (t) => {
  const { store, afterPowerCut } = await start(t);
  await store.write(bytes('a'));
  await store.writeMany(['b', 'c'].map(bytes));
  await store.delete(2);
  t.same(await afterPowerCut(), [
    [1, 'a'],
    [3, 'c'],
  ]);
});

t.test("'written' does not", async (t) => {
  const { store, afterPowerCut } = await start(t, { durability: 'written' });
  await store.write(bytes('a'));
  t.equal(text(await store.read(1)), 'a');
  t.same(await afterPowerCut(), []);
});

t.test("'written' survives the death of every process", async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ durability: 'written' });
  await store.write(bytes('a'));
  machine.powerCut({ writes: 'keep', names: 'keep' });
  t.same(await contents(await world.openStore()), [[1, 'a']]);
});

t.test('a call says for itself, either way', async (t) => {
  const { store, afterPowerCut } = await start(t, { durability: 'written' });
  await store.write(bytes('a'));
  await store.write(bytes('b'), { durability: 'synced' });
  await store.write(bytes('c'));
  t.same(
    await afterPowerCut(),
    [
      [1, 'a'],
      [2, 'b'],
    ],
    'a synced write takes everything before it along',
  );
  const other = await start(t, { durability: 'synced' });
  await other.store.write(bytes('a'));
  await other.store.write(bytes('b'), { durability: 'written' });
  t.same(await other.afterPowerCut(), [[1, 'a']]);
});

t.test('a synced write takes earlier files along, and other openers’ records', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const options = { clock: new MovedClock(), maxFileSize: 400, durability: 'written' } as const;
  const [one, two] = [await world.openStore(options), await world.openStore(options)];
  for (let n = 1; n <= 9; n++) await (n % 2 === 0 ? one : two).write(new Uint8Array(100).fill(n));
  await one.write(bytes('last'), { durability: 'synced' });
  machine.powerCut(LOSE);
  t.same(
    (await contents(await world.openStore())).map(([index]) => index),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
});

/** Calls one after the other until one needed no turn of the event loop: the calling thread waited for the device itself. */
async function untilSyncedHere(call: () => Promise<unknown>): Promise<number> {
  let calls = 0;
  await until('a sync in the calling thread', async () => {
    for (let count = 0; count < 50; count++) {
      let turned = false;
      const turn = setImmediate(() => {
        turned = true;
      });
      await call();
      calls += 1;
      clearImmediate(turn);
      if (!turned) return true;
    }
    return false;
  });
  return calls;
}

t.test('what the calling thread waited for itself is on the device, and in its order', async (t) => {
  const { store, afterPowerCut } = await start(t);
  const written = await untilSyncedHere(() => store.write(bytes('x')));
  t.ok(written > 16, 'the first ones show how fast the device is');
  const last = written + 200;
  await store.writeMany(Array.from({ length: 200 }, () => bytes('y')));
  const deleted = await untilSyncedHere(() => store.deleteFirst());
  t.ok(deleted > 16, 'facts are synced for themselves');
  t.same(
    (await afterPowerCut()).map(([index]) => index),
    Array.from({ length: last - deleted }, (_, at) => deleted + 1 + at),
  );
});

t.test(
  'nobody is answered before who asked earlier, though the calling thread could wait for him',
  async (t) => {
    const { machine, store } = await start(t);
    await store.writeMany(Array.from({ length: 200 }, () => bytes('x')));
    for (let hops = 0; hops < 16; hops++) {
      await untilSyncedHere(() => store.deleteFirst());
      const unsynced = await store.write(bytes('y'), { durability: 'written' });
      const order: string[] = [];
      machine.syncs.hold();
      // The first one waits for the record, and then for the fact.
      const first = store.delete(unsynced).then(() => order.push('first'));
      await until('its sync is under way', () => machine.syncs.count === 1);
      machine.syncs.release(1);
      for (let hop = 0; hop < hops; hop++) await null;
      const second = store.deleteFirst().then(() => order.push('second'));
      await settle();
      machine.syncs.release();
      await Promise.all([first, second]);
      t.same(order, ['first', 'second'], `${hops} microtasks behind the first sync`);
    }
  },
);

t.test('a sync that fails there fails the store, and the next opener mends it', async (t) => {
  const { machine, store, afterPowerCut } = await start(t);
  const written = await untilSyncedHere(() => store.write(bytes('x')));
  machine.onOperation = ({ kind }) => (kind === 'sync' ? { error: 'EIO', reached: 'nothing' } : undefined);
  await t.rejects(store.write(bytes('lost')), { code: 'STORE_FAILED' });
  await t.rejects(store.write(bytes('refused')), { code: 'STORE_FAILED' });
  machine.onOperation = undefined;
  await store.close();
  const found = await afterPowerCut();
  t.same(
    found.slice(0, written).map(([index, data]) => [index, data]),
    Array.from({ length: written }, (_, at) => [at + 1, 'x']),
  );
});

t.test('nor is anything synced there once a sync has failed in another process', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ clock: new MovedClock() });
  await untilSyncedHere(() => store.write(bytes('x')));
  world.put('duro.suspect', new Uint8Array());
  await t.rejects(store.write(bytes('y')), { code: 'STORE_FAILED' });
  const other = await world.openStore({ clock: new MovedClock() });
  await other.write(bytes('z'));
  await other.close();
  await store.close();
});

t.test('sync: everything written so far is on the device, deletions too', async (t) => {
  const { store, afterPowerCut } = await start(t, { durability: 'written' });
  await store.writeMany(['a', 'b', 'c'].map(bytes));
  await store.delete(2);
  t.equal(await store.sync(), undefined);
  await store.write(bytes('d'));
  t.same(await afterPowerCut(), [
    [1, 'a'],
    [3, 'c'],
  ]);
});

t.test("under 'written' a power cut may bring deleted records back, never other ones", async (t) => {
  const { store, afterPowerCut } = await start(t, { durability: 'written' });
  await store.writeMany(['a', 'b', 'c'].map(bytes));
  await store.sync();
  await store.delete(2);
  t.same(await afterPowerCut(), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ]);
});

t.test('close syncs what was written', async (t) => {
  const { store, afterPowerCut } = await start(t, { durability: 'written' });
  await store.writeMany(['a', 'b'].map(bytes));
  await store.delete(1);
  await store.close();
  t.same(await afterPowerCut(), [[2, 'b']]);
});

t.test("under 'written' it is synced in the background within syncIntervalMs", async (t) => {
  const clock = new MovedClock();
  const { store, afterPowerCut } = await start(t, { clock, durability: 'written', syncIntervalMs: 500 });
  await store.write(bytes('a'));
  clock.advance(400);
  await store.write(bytes('b'));
  await settle();
  t.equal((await store.stats()).syncedIndex, 0);
  clock.advance(100);
  await settle();
  t.equal((await store.stats()).syncedIndex, 2, 'all at once');
  await store.write(bytes('c'));
  t.same(await afterPowerCut(), [
    [1, 'a'],
    [2, 'b'],
  ]);
});

t.test('others sync what a dead writer has written, after twice the interval', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const clock = new MovedClock();
  const options = { clock, durability: 'written', syncIntervalMs: 500 } as const;
  const survivor = await world.openStore(options);
  const writer = await world.openStore({ ...options, syncIntervalMs: 2 ** 31 - 1 });
  await writer.write(bytes('a'));
  await survivor.refresh();
  clock.advance(999);
  await settle();
  t.equal((await survivor.stats()).syncedIndex, 0);
  clock.advance(1);
  await settle();
  t.equal((await survivor.stats()).syncedIndex, 1);
});

t.test(
  'a synced write resolves when it is synced, and not before; a written one does not wait',
  async (t) => {
    const { machine, store } = await start(t);
    await store.write(bytes('a'));
    machine.syncs.hold();
    let resolved = false;
    const synced = store.write(bytes('b')).then((index) => {
      resolved = true;
      return index;
    });
    t.equal(await store.write(bytes('c'), { durability: 'written' }), 3);
    t.equal(text(await store.read(2)), 'b', 'everybody sees it meanwhile');
    await settle();
    t.equal(resolved, false);
    machine.syncs.release();
    t.equal(await synced, 2);
  },
);

t.test('an abort while it is being synced takes nothing back: the call resolves', async (t) => {
  const { machine, store } = await start(t);
  await store.write(bytes('a'));
  machine.syncs.hold();
  const abort = new AbortController();
  const writing = store.write(bytes('b'), { signal: abort.signal });
  await settle();
  abort.abort(new Error('too late'));
  machine.syncs.release();
  t.equal(await writing, 2);
  t.equal(await store.length(), 2);
});

t.test('close waits for what is being synced', async (t) => {
  const { machine, store } = await start(t);
  await store.write(bytes('a'));
  machine.syncs.hold();
  const writing = store.write(bytes('b'));
  await settle();
  const closing = store.close();
  machine.syncs.release();
  await closing;
  t.equal(await writing, 2);
});

t.test('a close calls nothing synced that others wrote while it synced', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const options = { clock: new MovedClock(), durability: 'written', indexer: false } as const;
  const [closer, writer] = [await world.openStore(options), await world.openStore(options)];
  await closer.write(bytes('a'));
  machine.syncs.hold();
  const closing = closer.close();
  await until('its sync is under way', () => machine.syncs.count > 0);
  await writer.write(bytes('b'));
  machine.syncs.release();
  await closing;
  t.equal((await writer.stats()).syncedIndex, 0, 'no frame calls anything safe');
  await writer.sync();
  t.equal((await writer.stats()).syncedIndex, 2);
  machine.powerCut(LOSE);
  t.same(await contents(await world.openStore()), [
    [1, 'a'],
    [2, 'b'],
  ]);
});

t.test("an own write is synced within its interval, also where others' were seen before", async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const clock = new MovedClock();
  const options = { clock, durability: 'written', syncIntervalMs: 500, indexer: false } as const;
  const store = await world.openStore(options);
  const other = await world.openStore({ ...options, syncIntervalMs: 2 ** 31 - 1 });
  await other.write(bytes('a'));
  await store.refresh();
  clock.advance(100);
  await store.write(bytes('b'));
  clock.advance(499);
  await settle();
  t.equal((await store.stats()).syncedIndex, 0);
  clock.advance(1);
  await settle();
  t.equal((await store.stats()).syncedIndex, 2);
});

t.test("under 'written' deletions are synced in the background, too", async (t) => {
  for (const who of ['who deleted', 'somebody else']) {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const clock = new MovedClock();
    const options = { clock, durability: 'written', indexer: false } as const;
    const lazy = await world.openStore({ ...options, syncIntervalMs: 2 ** 31 - 1 });
    const busy = await world.openStore({ ...options, syncIntervalMs: 500 });
    await busy.writeMany(['a', 'b', 'c'].map(bytes));
    await busy.sync();
    // Whatever was to be synced of the records has been.
    clock.advance(1000);
    await settle();
    const deleter = who === 'who deleted' ? busy : lazy;
    t.equal(await deleter.delete(2), 1);
    await busy.refresh();
    clock.advance(who === 'who deleted' ? 500 : 1000);
    await settle();
    machine.powerCut(LOSE);
    t.same(
      await contents(await world.openStore()),
      [
        [1, 'a'],
        [3, 'c'],
      ],
      `by ${who}`,
    );
  }
});
