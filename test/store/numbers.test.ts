import { bytes, fileOf, range } from './records.js';
import { onBothDisks } from './world.js';

onBothDisks('an empty store', async (t, world) => {
  const store = await world.openStore();
  t.equal(await store.firstIndex(), 1);
  t.equal(await store.nextIndex(), 1);
  t.equal(await store.length(), 0);
  t.match(await store.stats(), {
    length: 0,
    files: 1,
    firstIndex: 1,
    nextIndex: 1,
    syncedIndex: 0,
    lost: 0,
    cuts: 0,
    pinnedBy: [],
  });
});

onBothDisks('firstIndex, nextIndex and length follow every change, in every opener', async (t, world) => {
  const stores = [await world.openStore(), await world.openStore()] as const;
  const [writer, deleter] = stores;
  const expect = async (first: number, next: number, length: number): Promise<void> => {
    for (const store of stores) {
      t.equal(await store.firstIndex(), first);
      t.equal(await store.nextIndex(), next);
      t.equal(await store.length(), length);
    }
  };
  await writer.writeMany(range(1, 5).map((n) => bytes(`${n}`)));
  await expect(1, 6, 5);
  await deleter.delete(3);
  await expect(1, 6, 4);
  await deleter.delete([1, 2]);
  await expect(4, 6, 2);
  await writer.write(bytes('6'));
  await expect(4, 7, 3);
  await writer.prune();
  await expect(7, 7, 0);
});

onBothDisks(
  'size grows with what is written, whoever wrote it, and shrinks when files are freed',
  async (t, world) => {
    const [store, other] = [await world.openStore({ maxFileSize: 20_000 }), await world.openStore()];
    const empty = await store.size();
    for (const n of range(1, 20)) await store.write(new Uint8Array(5000).fill(n));
    const full = await store.size();
    t.ok(full - empty >= 100_000, `${full - empty} bytes for 100,000 of data`);
    t.ok(full - empty < 105_000, 'and little more: space prepared ahead is not counted');
    t.equal(await other.size(), full);
    t.equal((await store.stats()).bytes, full);
    await store.prune();
    t.ok((await store.size()) < empty + 20_000);
    t.equal(await other.size(), await store.size());
  },
);

onBothDisks('preparedBytes and bytes account for every byte of the files', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('synced, so space is prepared'));
  await store.delete(1);
  const { bytes: counted, preparedBytes } = await store.stats();
  const onDisk = world
    .files(/\.(dat|idx)$|\.fate\.\d+$/)
    .reduce((sum, name) => sum + world.bytes(name).length, 0);
  t.equal(counted + preparedBytes, onDisk);
});

onBothDisks('stats tell what pins a file', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(2, 200) });
  for (let n = 1; n <= 7; n++) await store.write(new Uint8Array(200));
  await store.delete([1, 3, 4]);
  const file = (first: number): string => `duro_0000000000000000000${first}.dat`;
  const { pinnedBy, files } = await store.stats();
  t.match(pinnedBy, [
    { file: new RegExp(`${file(1)}$`), index: 2, why: 'waiting' },
    { file: new RegExp(`${file(5)}$`), index: 5, why: 'waiting' },
  ]);
  t.equal(pinnedBy.length, 2, 'the active file is not pinned');
  t.equal(files, world.files(/\.dat$/).length);
});

onBothDisks('syncedIndex is what is known to be on the device', async (t, world) => {
  const store = await world.openStore({ syncIntervalMs: 2 ** 31 - 1 });
  await store.write(bytes('a'), { durability: 'written' });
  await store.write(bytes('b'), { durability: 'written' });
  t.equal((await store.stats()).syncedIndex, 0);
  await store.write(bytes('c'), { durability: 'synced' });
  t.equal((await store.stats()).syncedIndex, 3, 'a synced write syncs everything before it');
  await store.write(bytes('d'), { durability: 'written' });
  t.equal((await store.stats()).syncedIndex, 3);
  await store.sync();
  t.equal((await store.stats()).syncedIndex, 4);
});

onBothDisks('refresh shows what others did', async (t, world) => {
  const [store, other] = [await world.openStore({ indexer: false }), await world.openStore()];
  await other.write(bytes('a'));
  t.equal(await store.refresh(), undefined);
  t.equal(await store.nextIndex(), 2);
  await other.delete(1);
  await store.refresh();
  t.equal(await store.length(), 0);
});
