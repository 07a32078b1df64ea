import { until } from '../support/until.js';
import { bytes, contents, fileOf, range, text } from './records.js';
import { onBothDisks } from './world.js';

onBothDisks('delete tells how many were there', async (t, world) => {
  const store = await world.openStore();
  await store.writeMany(range(1, 10).map((n) => bytes(`${n}`)));
  t.equal(await store.delete(3), 1);
  t.equal(await store.delete(3), 0, 'the second time');
  t.equal(await store.delete([2, 3, 4]), 2);
  t.equal(await store.delete([5, 5, 5]), 1, 'named three times, there once');
  t.equal(await store.delete([]), 0);
  t.equal(await store.delete([10, 1, 7]), 3, 'in any order');
  for (const absent of [0, -1, 11, Number.MAX_SAFE_INTEGER])
    t.equal(await store.delete(absent), 0, `${absent}`);
  t.same(await contents(store), [
    [6, '6'],
    [8, '8'],
    [9, '9'],
  ]);
  t.equal(await store.length(), 3);
  t.equal(await store.nextIndex(), 11);
});

onBothDisks('an absent index that is written later is not deleted by then', async (t, world) => {
  const store = await world.openStore();
  t.equal(await store.delete([1, 2, 3]), 0);
  await store.writeMany(['a', 'b'].map(bytes));
  await store.close();
  const again = await world.openStore();
  t.same(await contents(again), [
    [1, 'a'],
    [2, 'b'],
  ]);
});

onBothDisks('delete refuses what is no index, and deletes nothing', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('a'));
  for (const wrong of [
    1.5,
    Number.NaN,
    '1',
    null,
    undefined,
    {},
    [1, 1.5],
    [1, '1'],
    [undefined],
    new Set([1]),
  ]) {
    await t.rejects(store.delete(wrong as number), { code: 'INVALID_OPTION' });
  }
  t.equal(await store.length(), 1);
});

onBothDisks('deletions of one tick count each record once', async (t, world) => {
  const store = await world.openStore();
  await store.writeMany(range(1, 5).map((n) => bytes(`${n}`)));
  const counts = await Promise.all([
    store.delete([1, 2]),
    store.delete([2, 3]),
    store.deleteFirst(),
    store.delete(4),
  ]);
  t.same(counts, [2, 1, 4, 0]);
  t.same(await contents(store), [[5, '5']]);
});

onBothDisks('two openers that delete the same records share them out', async (t, world) => {
  const [one, two] = [await world.openStore(), await world.openStore()];
  await one.writeMany(range(1, 200).map((n) => bytes(`${n}`)));
  const counts = await Promise.all(range(1, 200).flatMap((n) => [one.delete(n), two.delete(n)]));
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    200,
  );
  t.equal(await one.length(), 0);
  t.equal(await two.length(), 0);
});

onBothDisks('deleteFirst deletes the oldest and tells its index', async (t, world) => {
  const store = await world.openStore();
  t.equal(await store.deleteFirst(), undefined, 'of an empty store');
  await store.writeMany(['a', 'b', 'c', 'd'].map(bytes));
  await store.delete(2);
  t.equal(await store.deleteFirst(), 1);
  t.equal(text(await store.read()), 'c');
  t.equal(await store.deleteFirst(), 3);
  t.same(await Promise.all([store.deleteFirst(), store.deleteFirst()]), [4, undefined]);
  t.equal(await store.nextIndex(), 5);
});

onBothDisks(
  'deleteFirst sees what another opener has written, and frees files as delete does',
  async (t, world) => {
    const [writer, deleter] = [
      await world.openStore({ maxFileSize: fileOf(2, 200) }),
      await world.openStore(),
    ];
    for (const n of range(1, 7)) t.equal(await writer.write(new Uint8Array(200)), n);
    for (const n of range(1, 7)) t.equal(await deleter.deleteFirst(), n);
    await until('only the active file is left', () => world.files(/\.dat$/).length === 1);
    t.equal(await writer.deleteFirst(), undefined);
  },
);

onBothDisks('prune deletes everything', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(2, 200) });
  for (let n = 1; n <= 7; n++) await store.write(new Uint8Array(200));
  t.equal(world.files(/\.dat$/).length, 4);
  t.equal(await store.prune(), undefined);
  t.equal(await store.length(), 0);
  t.equal(await store.firstIndex(), 8);
  t.equal(await store.nextIndex(), 8);
  t.equal(await store.read(), undefined);
  t.same(world.files(/\.(dat|idx)$/), ['duro_00000000000000000007.dat', 'duro_00000000000000000007.idx']);
  await store.prune();
  t.equal(await store.write(bytes('next')), 8);
});

onBothDisks('prune below an index keeps that index and what follows', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(2, 200) });
  for (let n = 1; n <= 9; n++) await store.write(new Uint8Array(200).fill(n));
  await store.delete(7);
  await store.prune(6);
  t.equal(await store.firstIndex(), 6);
  t.equal(await store.length(), 3);
  t.same(
    (await contents(store)).map(([index]) => index),
    [6, 8, 9],
  );
  t.equal(world.files(/\.dat$/).length, 3, 'what holds none of them is gone from the disk');
  await store.prune(3);
  t.equal(await store.firstIndex(), 6, 'below the oldest nothing happens');
  await store.prune(8);
  t.equal(await store.firstIndex(), 8);
  await store.prune(1000);
  t.equal(await store.length(), 0);
  t.equal(
    await store.write(bytes('x')),
    10,
    'above the newest it is everything, and no promise for what comes',
  );
  t.equal(await store.length(), 1);
  for (const wrong of [0, -1, 1.5, '2', null, Number.POSITIVE_INFINITY])
    await t.rejects(store.prune(wrong as number), { code: 'INVALID_OPTION', message: /^before/ });
});

onBothDisks('a file whose records are all gone is removed, whoever deleted them', async (t, world) => {
  const options = { maxFileSize: fileOf(3, 200) };
  const [one, two] = [await world.openStore(options), await world.openStore(options)];
  for (let n = 1; n <= 9; n++) await one.write(new Uint8Array(200));
  t.equal(world.files(/\.dat$/).length, 3);
  await one.delete([4, 5]);
  t.equal(world.files(/\.dat$/).length, 3);
  await two.delete(6);
  await until('the file in the middle is gone', () => world.files(/\.dat$/).length === 2);
  t.same(world.files(/\.dat$/), ['duro_00000000000000000001.dat', 'duro_00000000000000000007.dat']);
  for (const store of [one, two]) {
    t.equal((await store.stats()).files, 2, 'and every opener lets go of it');
    t.same(
      (await contents(store)).map(([index]) => index),
      [1, 2, 3, 7, 8, 9],
    );
    t.equal(await store.read(5), undefined);
  }
  await one.delete([7, 8, 9]);
  t.ok(world.files(/\.dat$/).includes('duro_00000000000000000007.dat'), 'never the last one');
});
