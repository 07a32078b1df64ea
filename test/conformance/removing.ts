import { suite } from './suite.js';
import { bytes, textsOf, untyped } from './values.js';

const letters = [...'abcdefghij'];

export const removing = suite('removing', (test) => {
  test('delete tells how many were there', async (t, place) => {
    const store = await place.openStore();
    await store.writeMany(letters.map(bytes));
    t.equal(await store.delete(3), 1);
    t.equal(await store.delete(3), 0);
    t.equal(await store.delete([1, 3, 5, 5, 99]), 2, 'each counts once');
    t.equal(await store.delete([]), 0, 'and nothing is nothing');
    t.same((await textsOf(store)).join(''), 'bdfghij');
    for (const index of [1.5, '1', null, [1, '2'], {}])
      await t.rejects(store.delete(untyped(index)), { code: 'INVALID_OPTION' });
    t.equal(await store.length(), 7);
  });

  test('two that delete the same at once delete it once', async (t, place) => {
    const [one, other] = [await place.openStore(), await place.openStore()];
    await one.writeMany(letters.map(bytes));
    const all = letters.map((_, at) => at + 1);
    const counts = await Promise.all([one.delete(all), other.delete(all), one.delete(5)]);
    t.equal(
      counts.reduce((sum, count) => sum + count, 0),
      10,
    );
    t.equal(await one.length(), 0);
  });

  test('deleteFirst deletes the oldest, and tells its index', async (t, place) => {
    const store = await place.openStore();
    t.equal(await store.deleteFirst(), undefined);
    await store.writeMany(letters.map(bytes));
    await store.delete(2);
    t.same([await store.deleteFirst(), await store.deleteFirst()], [1, 3]);
    t.same(await Promise.all([store.deleteFirst(), store.deleteFirst()]), [4, 5]);
    t.equal((await textsOf(store)).join(''), 'fghij');
  });

  test('prune deletes everything, or all below an index', async (t, place) => {
    const store = await place.openStore();
    await store.writeMany(letters.map(bytes));
    await store.prune(1);
    t.equal(await store.length(), 10);
    await store.prune(4);
    t.equal((await textsOf(store)).join(''), 'defghij');
    await store.prune(2);
    t.equal(await store.length(), 7);
    await store.prune();
    t.equal(await store.length(), 0);
    t.same([await store.firstIndex(), await store.nextIndex()], [11, 11]);
    await t.rejects(store.prune(untyped('x')), { code: 'INVALID_OPTION' });
  });

  test('an index is never used again, not even after everything was deleted and the store reopened', async (t, place) => {
    const store = await place.openStore({ maxFileSize: 512 });
    await store.writeMany(letters.slice(0, 4).map(bytes));
    for (const one of letters) await store.write(bytes(one));
    await store.delete([13, 14]);
    t.equal(await store.write(bytes('x')), 15);
    await store.prune();
    await store.close();
    const again = await place.openStore({ maxFileSize: 512 });
    t.equal(await again.nextIndex(), 16);
    await again.prune();
    t.equal(await again.write(bytes('y')), 16);
    t.same(await textsOf(again), ['y']);
  });

  test('deleted records stay deleted for who opens again', async (t, place) => {
    const store = await place.openStore();
    await store.writeMany(letters.map(bytes));
    await store.delete([2, 4]);
    await store.deleteFirst();
    await store.close();
    t.equal((await textsOf(await place.openStore())).join(''), 'cefghij');
  });
});
