import type { Test } from 'tap';
import type { Store } from '../../src/store/contract.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { MovedClock } from './moved-clock.js';
import { bytes, fileOf, text } from './records.js';
import { storeCalls } from './store-calls.js';
import { onBothDisks } from './world.js';

const FILE = 'duro_00000000000000000001.dat';

async function everythingIsClosed(t: Test, store: Store): Promise<void> {
  for (const [name, call] of storeCalls(store)) await t.rejects(call(), { code: 'CLOSED' }, name);
}

onBothDisks('after close every method is CLOSED, and never throws at once', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('kept'));
  await store.close();
  await everythingIsClosed(t, store);
  const again = await world.openStore();
  t.equal(text(await again.read(1)), 'kept');
  t.equal(await again.nextIndex(), 2, 'and did nothing');
});

onBothDisks('while it closes, too', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('kept'), { durability: 'written' });
  const closing = store.close();
  await everythingIsClosed(t, store);
  await closing;
});

onBothDisks('close is idempotent', async (t, world) => {
  const store = await world.openStore();
  await Promise.all([store.close(), store.close()]);
  await store.close();
  await store[Symbol.asyncDispose]();
  await t.rejects(store.length(), { code: 'CLOSED' });
});

onBothDisks('await using closes', async (t, world) => {
  let leaked: Store | undefined;
  {
    await using store = await world.openStore();
    await store.write(bytes('x'));
    leaked = store;
  }
  await t.rejects(leaked.length(), { code: 'CLOSED' });
});

onBothDisks('what was called before close is done', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('first'));
  const calls = [store.write(bytes('second')), store.writeMany([bytes('third')]), store.delete(1)];
  await store.close();
  t.same(await Promise.all(calls), [2, [3], 1]);
  const again = await world.openStore();
  t.equal(await again.firstIndex(), 2);
  t.equal(await again.nextIndex(), 4);
});

onBothDisks('close wakes who waits, with CLOSED', async (t, world) => {
  const store = await world.openStore({ maxFiles: 1, maxFileSize: fileOf(1, 200), whenFull: 'wait' });
  await store.write(new Uint8Array(200));
  const waiting: Promise<unknown>[] = [
    store.write(new Uint8Array(200)),
    store.writeMany([new Uint8Array(200)]),
    store.entries({ from: 'next', follow: true }).next(),
    store.entries({ from: 'next', follow: true, waitMs: 1_000_000 }).next(),
  ];
  const outcome = Promise.all(waiting.map((one, at) => t.rejects(one, { code: 'CLOSED' }, `waiter ${at}`)));
  // A turn of the event loop, so that all of them are waiting.
  await new Promise((resolve) => setImmediate(resolve));
  await store.close();
  await outcome;
  const again = await world.openStore();
  t.equal(await again.nextIndex(), 2, 'what waited for room was not written');
});

onBothDisks('closing right after a long stretch of work leaves a mark, too', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('one'));
  await store.write(bytes('two'));
  // A lock file has been kept for too long by then, and is left alone for a moment.
  for (const end = performance.now() + 12; performance.now() < end; );
  await store.close();
  world.flip(FILE, world.bytes(FILE).indexOf('two'));
  const again = await world.openStore();
  await t.rejects(again.read(2), { code: 'CORRUPT' }, 'damage to what is safe is no torn end');
  t.equal(await again.length(), 2);
  damagedOnPurpose(world.directory);
});

onBothDisks('one opener closes, the others go on', async (t, world) => {
  const [one, two] = [await world.openStore(), await world.openStore()];
  await one.write(bytes('a'));
  await one.close();
  t.equal(await two.write(bytes('b')), 2);
  t.equal(text(await two.read(1)), 'a');
});

onBothDisks('closing and opening take no room from the records', async (t, world) => {
  const options = { maxFileSize: fileOf(1, 200), maxFiles: 1 };
  for (let round = 0; round < 20; round++) await (await world.openStore(options)).close();
  const store = await world.openStore(options);
  const largest = new Uint8Array(200).fill(1);
  t.equal(await store.write(largest), 1, 'the one record that fits still fits');
  await store.close();
  const size = world.bytes(FILE).length;
  for (let round = 0; round < 20; round++) await (await world.openStore(options)).close();
  t.equal(world.bytes(FILE).length, size, 'nothing is said twice');
  t.same(await (await world.openStore(options)).read(1), largest);
});

onBothDisks('a close with calls under way is no failed sync, whoever writes meanwhile', async (t, world) => {
  const calls: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
    write: (store) => store.write(bytes('x'), { durability: 'written' }),
    transaction: (store) =>
      store.transaction((tx) => {
        tx.write(bytes('x'));
        tx.delete(1);
      }),
    delete: (store) => store.delete(2),
  };
  for (const [name, call] of Object.entries(calls))
    for (const durability of ['written', 'synced'] as const) {
      const clock = new MovedClock();
      const other = await world.openStore({ durability: 'written' });
      const store = await world.openStore({ durability, clock });
      await other.writeMany([bytes('a'), bytes('b')]);
      const called = call(store);
      const closing = store.close();
      await called;
      await closing;
      await other.write(bytes('behind it'));
      clock.advance(10_000);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      t.same(world.files(/suspect/), [], `${name}, ${durability}`);
      await other.sync();
      await other.close();
    }
});
