import { suite } from './suite.js';
import { bytes, textsOf } from './values.js';

export const durability = suite('durability', (test) => {
  test("'synced': what resolved is on the device", async (t, place) => {
    const store = await place.openStore();
    await store.writeMany([bytes('a'), bytes('b')]);
    t.equal((await store.stats()).syncedIndex, 2);
    const written = await store.write(bytes('c'), { durability: 'written' });
    t.ok((await store.stats()).syncedIndex <= written);
    await store.write(bytes('d'));
    t.equal((await store.stats()).syncedIndex, 4, 'and everything before it');
  });

  test("'written': sync makes it safe, and so does closing", async (t, place) => {
    const store = await place.openStore({ durability: 'written' });
    await store.writeMany([bytes('a'), bytes('b')]);
    await store.sync();
    t.equal((await store.stats()).syncedIndex, 2);
    await store.write(bytes('c'));
    await store.write(bytes('d'), { durability: 'synced' });
    t.equal((await store.stats()).syncedIndex, 4, 'a call may ask for more');
    await store.write(bytes('e'));
    await store.close();
    const again = await place.openStore();
    t.equal((await again.stats()).syncedIndex, 5);
    t.same(await textsOf(again), ['a', 'b', 'c', 'd', 'e']);
  });

  test.timed("'written' is synced in the background within the interval", async (t, place) => {
    const store = await place.openStore({ durability: 'written', syncIntervalMs: 100 });
    await store.write(bytes('a'));
    await place.until('the sync', async () => (await store.stats()).syncedIndex === 1);
    t.equal(await store.length(), 1);
  });

  test('the same for a queue', async (t, place) => {
    const queue = await place.openQueue({ durability: 'written' });
    await queue.enqueueMany(['a', 'b']);
    await queue.enqueue('c', { durability: 'synced' });
    t.equal((await queue.stats()).syncedIndex, 3);
    await queue.store.sync();
    t.equal(await queue.dequeue(), 'a');
    await queue.close();
    t.same(await (await place.openQueue()).flush(), ['b', 'c']);
  });
});
