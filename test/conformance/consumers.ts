import { suite } from './suite.js';
import { bytes, text } from './values.js';

const letters = [...'abcdefghij'];
const forever = { waitMs: Number.POSITIVE_INFINITY };

const textOf = (entries: readonly { readonly data: Uint8Array }[]): string =>
  entries.map(({ data }) => text(data)).join('');

export const consumers = suite('consumers', (test) => {
  test('it goes on behind what was committed, whoever opens it', async (t, place) => {
    const [store, other] = [await place.openStore(), await place.openStore()];
    await store.writeMany(letters.map(bytes));
    const first = await store.consumer('mail');
    t.equal(first.name, 'mail');
    t.equal(text((await first.next())?.data), 'a');
    t.equal(textOf(await first.nextMany(3)), 'bcd');
    t.equal(await first.commit(), undefined);
    t.equal(textOf(await first.nextMany(2)), 'ef');
    await first.close();
    const second = await other.consumer('mail', { from: 'first' });
    t.equal(textOf(await second.nextMany(100)), 'efghij');
    t.equal(await second.next(), undefined);
    t.same(await second.nextMany(5), []);
    t.same(await second.nextMany(0), []);
  });

  test('each holder gets everything, and commits move forward only', async (t, place) => {
    const [store, other] = [await place.openStore(), await place.openStore()];
    await store.writeMany(letters.map(bytes));
    const [a, b] = [await store.consumer('mail'), await other.consumer('mail')];
    t.equal(textOf(await a.nextMany(100)), 'abcdefghij');
    t.equal(textOf(await b.nextMany(4)), 'abcd');
    await a.commit();
    await b.commit();
    await b.commit(2);
    t.same([await a.lag(), await b.lag()], [0, 0]);
    t.equal(textOf(await b.nextMany(100)), 'efghij');
    t.same(
      (await store.consumers()).map(({ name, lag, holders }) => [name, lag, holders]),
      [['mail', 0, 2]],
    );
  });

  test('seek: forwards and backwards', async (t, place) => {
    const store = await place.openStore();
    const indexes = await store.writeMany(letters.map(bytes));
    const consumer = await store.consumer('mail', { from: -2 });
    t.equal(textOf(await consumer.nextMany(100)), 'ij');
    await consumer.commit();
    await consumer.seek(indexes[3] as number);
    t.equal(await consumer.lag(), 7);
    t.equal(textOf(await consumer.nextMany(2)), 'de');
    await consumer.seek('first');
    t.equal(text((await consumer.next())?.data), 'a');
    await consumer.seek('next');
    t.equal(await consumer.next(), undefined);
    await consumer.close();
    t.equal(await (await store.consumer('mail')).lag(), 0);
  });

  test("'next' misses nothing that comes, and who waits is woken, aborted, closed", async (t, place) => {
    const [store, writer] = [await place.openStore(), await place.openStore()];
    await writer.write(bytes('before'));
    const consumer = await store.consumer('mail', { from: 'next' });
    const waiting = consumer.next(forever);
    await writer.write(bytes('x'));
    t.equal(text((await waiting)?.data), 'x');
    const controller = new AbortController();
    const aborted = consumer.next({ ...forever, signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await t.rejects(aborted, reason);
    const closed = t.rejects(consumer.nextMany(3, forever), { code: 'CLOSED' });
    await consumer.close();
    await closed;
    await t.rejects(consumer.next(), { code: 'CLOSED' });
    await t.rejects(consumer.commit(), { code: 'CLOSED' });
    await t.resolves(consumer.close());
  });

  test('exclusive: LOCK_UNAVAILABLE, either way', async (t, place) => {
    const [store, other] = [await place.openStore(), await place.openStore()];
    const alone = await store.consumer('mail', { exclusive: true });
    await t.rejects(other.consumer('mail'), { code: 'LOCK_UNAVAILABLE' });
    await t.rejects(store.consumer('mail', { exclusive: true }), { code: 'LOCK_UNAVAILABLE' });
    await alone.close();
    const shared = await other.consumer('mail');
    await t.rejects(store.consumer('mail', { exclusive: true }), { code: 'LOCK_UNAVAILABLE' });
    await shared.close();
    await t.resolves(store.consumer('mail', { exclusive: true }));
  });

  test('listed and removed; of that name there is a new one then', async (t, place) => {
    const store = await place.openStore();
    await store.writeMany(letters.map(bytes));
    for (const name of ['b', 'a', 'c.1']) await (await store.consumer(name)).close();
    t.same(
      (await store.consumers()).map(({ name, lag, holders }) => [name, lag, holders]),
      [
        ['a', 10, 0],
        ['b', 10, 0],
        ['c.1', 10, 0],
      ],
    );
    const consumer = await store.consumer('b');
    await consumer.nextMany(5);
    await consumer.commit();
    await consumer.close();
    t.same([await store.removeConsumer('b'), await store.removeConsumer('b')], [true, false]);
    t.equal(text((await (await store.consumer('b')).next())?.data), 'a');
  });

  test('what is no name, and no option, is INVALID_OPTION', async (t, place) => {
    const store = await place.openStore();
    await store.write(bytes('a'));
    await store.consumer('mail');
    for (const name of ['', 'a/b', '..', 'a.', '-a', 'MAIL', 'n'.repeat(101)])
      await t.rejects(store.consumer(name), { code: 'INVALID_OPTION' }, name);
    const consumer = await store.consumer('other');
    await t.rejects(consumer.nextMany(-1), { code: 'INVALID_OPTION' });
    await t.rejects(consumer.commit((await store.nextIndex()) + 5), { code: 'INVALID_OPTION' });
    await t.rejects(consumer.seek(0), { code: 'INVALID_OPTION' });
  });
});
