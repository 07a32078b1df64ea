import { suite } from './suite.js';
import { bytes, entriesOf, text, textsOf, untyped, watched } from './values.js';

const letters = [...'abcdefghij'];

export const reading = suite('reading', (test) => {
  test('read: by index, or the oldest there is; what is gone or never was is undefined', async (t, place) => {
    const store = await place.openStore();
    t.equal(await store.read(), undefined);
    t.equal(await store.read(1), undefined);
    await store.writeMany(letters.map(bytes));
    t.same(
      [text(await store.read(3)), text(await store.read()), await store.read(11)],
      ['c', 'a', undefined],
    );
    await store.delete([1, 3]);
    t.same([await store.read(1), await store.read(3), text(await store.read())], [undefined, undefined, 'b']);
    await store.prune();
    t.equal(await store.read(), undefined);
    for (const index of [1.5, Number.NaN, '1', null])
      await t.rejects(store.read(untyped(index)), { code: 'INVALID_OPTION' });
  });

  test('what one wrote, all others see', async (t, place) => {
    const writer = await place.openStore();
    const reader = await place.openStore();
    t.equal(await writer.write(bytes('x')), 1);
    t.equal(text(await reader.read(1)), 'x');
    t.same([await reader.length(), await reader.nextIndex()], [1, 2]);
    t.equal(await reader.delete(1), 1);
    t.equal(await writer.read(1), undefined);
    t.equal(await writer.length(), 0);
  });

  test('entries: ranges', async (t, place) => {
    const store = await place.openStore();
    await store.writeMany(letters.map(bytes));
    await store.delete([1, 5]);
    const of = async (range?: Parameters<typeof textsOf>[1]): Promise<string> =>
      (await textsOf(store, range)).join('');
    t.equal(await of(), 'bcdfghij');
    t.equal(await of({ from: 'first' }), 'bcdfghij');
    t.equal(await of({ from: 5 }), 'fghij', 'from the next one that there is');
    t.equal(await of({ from: 8 }), 'hij');
    t.equal(await of({ from: 'next' }), '', 'only what comes');
    t.equal(await of({ from: -3 }), 'hij', 'the last so many');
    t.equal(await of({ from: -7 }), 'cdfghij', 'of those that there are');
    t.equal(await of({ from: -100 }), 'bcdfghij');
    t.equal(await of({ to: 4 }), 'bc', 'to is exclusive');
    t.equal(await of({ from: 3, to: 8 }), 'cdfg');
    t.equal(await of({ from: 8, to: 3 }), '');
    t.equal(await of({ limit: 2 }), 'bc');
    t.equal(await of({ limit: 0 }), '');
    t.equal(await of({ from: 100 }), '');
    const [first] = await entriesOf(store, { limit: 1 });
    t.match(first, { index: 2, size: 1 });
  });

  test('entries: follow waits for more, whoever writes it', async (t, place) => {
    const store = await place.openStore();
    const other = await place.openStore();
    await store.write(bytes('a'));
    const following = store.entries({ follow: true });
    t.equal(text((await following.next()).value?.data), 'a');
    const next = following.next();
    await other.write(bytes('b'));
    t.equal(text((await next).value?.data), 'b');
    const limited = textsOf(store, { from: 'next', follow: true, limit: 2 });
    await other.writeMany([bytes('c'), bytes('d'), bytes('e')]);
    t.same(await limited, ['c', 'd'], "'next' is what comes after the call");
    await following.return?.();
    t.equal((await following.next()).done, true);
  });

  test('entries: an abort ends the wait with its reason, closing with CLOSED', async (t, place) => {
    const store = await place.openStore();
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborted = store.entries({ follow: true, signal: abort.signal }).next();
    const closed = store.entries({ follow: true }).next();
    const outcomes = Promise.allSettled([aborted, closed]);
    abort.abort(reason);
    await t.rejects(aborted, reason);
    await t.rejects(
      store.entries({ signal: abort.signal }).next(),
      reason,
      'also where nothing is waited for',
    );
    await store.close();
    t.match(await outcomes, [{ reason }, { reason: { code: 'CLOSED' } }]);
    await t.rejects(store.entries().next(), { code: 'CLOSED' });
  });

  test.timed('entries: so long without a record ends it cleanly', async (t, place) => {
    const store = await place.openStore();
    await store.write(bytes('a'));
    const all = watched(textsOf(store, { follow: true, waitMs: 1000 }));
    await place.pass(900);
    await store.write(bytes('b'));
    await place.pass(900);
    t.equal(all.state, 'waiting', 'a new record begins the time anew');
    t.same(await place.passUntil('the end', all.promise), ['a', 'b']);
  });

  test('entries: gaps below the oldest are told', async (t, place) => {
    const store = await place.openStore();
    await store.writeMany(letters.map(bytes));
    await store.prune(4);
    const gaps: object[] = [];
    const onGap = (gap: object): void => void gaps.push(gap);
    t.same(await textsOf(store, { from: 2, limit: 2, onGap }), ['d', 'e']);
    t.same(gaps, [{ from: 2, to: 4 }]);
    await store.delete(6);
    t.same(await textsOf(store, { from: 5, limit: 2, onGap }), ['e', 'g']);
    t.equal(gaps.length, 1, 'what somebody deleted in the middle is none');
  });

  test('entries: a range that is none rejects, it does not throw', async (t, place) => {
    const store = await place.openStore();
    for (const range of [
      { from: 0 },
      { from: 1.5 },
      { from: 'last' },
      { to: -1 },
      { limit: -1 },
      { follow: 1 },
      { waitMs: -1 },
      { onGap: 1 },
      { signal: 1 },
      { unknown: 1 },
      null,
    ])
      await t.rejects(
        store.entries(untyped(range)).next(),
        { code: 'INVALID_OPTION' },
        JSON.stringify(range),
      );
  });

  test('firstIndex, nextIndex, length and size tell of all that was written and deleted, by whoever', async (t, place) => {
    const one = await place.openStore();
    const other = await place.openStore();
    t.same([await one.firstIndex(), await one.nextIndex(), await one.length()], [1, 1, 0]);
    const empty = await one.size();
    await other.writeMany(letters.map(bytes));
    t.same([await one.firstIndex(), await one.nextIndex(), await one.length()], [1, 11, 10]);
    t.ok((await one.size()) > empty);
    await other.delete([1, 2, 4]);
    t.same([await one.firstIndex(), await one.nextIndex(), await one.length()], [3, 11, 7]);
    await other.prune();
    t.same([await one.firstIndex(), await one.nextIndex(), await one.length()], [11, 11, 0]);
    await one.refresh();
    const { length, bytes: size, firstIndex, nextIndex, files, lost } = await one.stats();
    t.same([length, firstIndex, nextIndex, lost], [0, 11, 11, 0]);
    t.equal(size, await one.size());
    t.ok(files >= 1);
  });
});
