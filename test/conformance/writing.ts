import { suite } from './suite.js';
import { bytes, entriesOf, text, textsOf, untyped } from './values.js';

export const writing = suite('writing', (test) => {
  test('indexes are 1, 2, 3, …', async (t, place) => {
    const store = await place.openStore();
    t.equal(await store.nextIndex(), 1);
    t.same([await store.write(bytes('a')), await store.write(bytes('b'))], [1, 2]);
    t.same(await store.writeMany([bytes('c'), bytes('d')]), [3, 4]);
    t.same(await textsOf(store), ['a', 'b', 'c', 'd']);
  });

  test('several openers write into one order, and each index is given once', async (t, place) => {
    const stores = [await place.openStore(), await place.openStore(), await place.openStore()];
    const indexes = await Promise.all(
      stores.flatMap((store, who) => [0, 1, 2, 3].map((n) => store.write(bytes(`${who}:${n}`)))),
    );
    t.same(
      [...indexes].sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    const all = await textsOf(stores[0] ?? (await place.openStore()));
    for (const [at, index] of indexes.entries()) t.equal(all[index - 1], `${Math.floor(at / 4)}:${at % 4}`);
    for (const who of [0, 1, 2])
      t.same(
        all.filter((one) => one?.startsWith(`${who}:`)),
        [0, 1, 2, 3].map((n) => `${who}:${n}`),
        'what one opener wrote stands in its order',
      );
  });

  test('an empty record is a record', async (t, place) => {
    const store = await place.openStore();
    t.equal(await store.write(new Uint8Array(0)), 1);
    t.same(await store.writeMany([new Uint8Array(0), bytes('x')]), [2, 3]);
    t.equal(await store.length(), 3);
    t.same(await store.read(1), new Uint8Array(0));
  });

  test('an empty batch is [] and writes nothing', async (t, place) => {
    const store = await place.openStore();
    t.same(await store.writeMany([]), []);
    t.same([await store.nextIndex(), await store.length()], [1, 0]);
  });

  test('any bytes come back as they were', async (t, place) => {
    const store = await place.openStore();
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const large = new Uint8Array(300_000).map((_, at) => (at * 7919) % 251);
    const part = new Uint8Array(every.buffer, 10, 20);
    await store.writeMany([every, Buffer.from('buffer'), part]);
    await store.write(large);
    t.same(Buffer.from((await store.read(1)) ?? []), Buffer.from(every));
    t.equal(text(await store.read(2)), 'buffer');
    t.same(Buffer.from((await store.read(3)) ?? []), Buffer.from(part));
    t.ok(Buffer.from((await store.read(4)) ?? []).equals(Buffer.from(large)));
  });

  test('what is changed after the call is not what was written, and what is read is the reader’s', async (t, place) => {
    const store = await place.openStore();
    const data = bytes('abc');
    const written = store.write(data);
    data.fill(0);
    t.equal(await written, 1);
    const read = await store.read(1);
    t.equal(text(read), 'abc');
    read?.fill(0);
    t.equal(text(await store.read(1)), 'abc');
  });

  test('headers and time are kept with the record', async (t, place) => {
    const store = await place.openStore();
    const before = Date.now();
    await store.write(bytes('a'), { headers: { kind: 'order', 'ü→': '😀', empty: '' } });
    await store.writeMany([bytes('b'), bytes('c')], { headers: { of: 'both' } });
    await store.write(bytes('d'));
    const entries = await entriesOf(await place.openStore());
    t.same(
      entries.map(({ headers }) => ({ ...headers })),
      [{ kind: 'order', 'ü→': '😀', empty: '' }, { of: 'both' }, { of: 'both' }, {}],
    );
    t.same(
      entries.map(({ index, size }) => [index, size]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 1],
      ],
    );
    for (const { time } of entries) {
      t.ok(time instanceof Date);
      t.ok(time.getTime() >= before && time.getTime() <= Date.now(), time.toISOString());
    }
    t.strictSame(await store.entry(2), entries[1]);
    t.equal(await store.entry(5), undefined);
  });

  test('a batch is all or nothing: larger than a file it is RECORD_TOO_LARGE', async (t, place) => {
    const store = await place.openStore({ maxFileSize: 4096 });
    await store.write(bytes('x'));
    const large = new Uint8Array(1500);
    await t.rejects(store.writeMany([large, large, large]), { code: 'RECORD_TOO_LARGE' });
    await t.rejects(store.write(new Uint8Array(5000)), { code: 'RECORD_TOO_LARGE' });
    t.same([await store.nextIndex(), await store.length()], [2, 1], 'nothing was written');
    t.same(await store.writeMany([large, large]), [2, 3]);
    t.same(
      await store.writeMany([large, large]),
      [4, 5],
      'what does not fit any more goes into another file',
    );
  });

  test('a record beyond maxRecordSize is RECORD_TOO_LARGE', async (t, place) => {
    const store = await place.openStore({ maxRecordSize: 10 });
    t.equal(await store.write(new Uint8Array(10)), 1);
    await t.rejects(store.write(new Uint8Array(11)), { code: 'RECORD_TOO_LARGE' });
    await t.rejects(store.writeMany([bytes('x'), new Uint8Array(11)]), { code: 'RECORD_TOO_LARGE' });
    t.equal(await store.length(), 1);
  });

  test('separate calls of one tick succeed or fail singly', async (t, place) => {
    const store = await place.openStore({ maxRecordSize: 10 });
    const outcomes = await Promise.allSettled([
      store.write(bytes('a')),
      store.write(new Uint8Array(11)),
      store.writeMany([bytes('b'), bytes('c')]),
      store.writeMany([bytes('x'), new Uint8Array(11)]),
      store.write(untyped('text')),
      store.write(bytes('d')),
    ]);
    t.match(outcomes, [
      { value: 1 },
      { reason: { code: 'RECORD_TOO_LARGE' } },
      { value: [2, 3] },
      { reason: { code: 'RECORD_TOO_LARGE' } },
      { reason: { code: 'INVALID_OPTION' } },
      { value: 4 },
    ]);
    t.same(await textsOf(store), ['a', 'b', 'c', 'd']);
  });

  test('a signal that has aborted: nothing is written, and its reason comes', async (t, place) => {
    const store = await place.openStore();
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await t.rejects(store.write(bytes('x'), { signal }), reason);
    await t.rejects(store.writeMany([bytes('x')], { signal }), reason);
    t.equal(await store.nextIndex(), 1);
    const abort = new AbortController();
    t.equal(await store.write(bytes('x'), { signal: abort.signal }), 1);
    abort.abort();
    t.equal(await store.length(), 1, 'what is committed stays');
  });

  test('arguments that are none are INVALID_OPTION, by a rejection', async (t, place) => {
    const store = await place.openStore();
    const refused = { code: 'INVALID_OPTION' };
    for (const data of [undefined, null, 'text', 5, [1, 2], {}]) {
      await t.rejects(store.write(untyped(data)), refused);
      await t.rejects(store.writeMany(untyped([bytes('x'), data])), refused);
    }
    await t.rejects(store.writeMany(untyped('text')), refused);
    for (const options of [
      null,
      5,
      { unknown: 1 },
      { durability: 'later' },
      { signal: {} },
      { headers: 5 },
      { headers: { a: 1 } },
    ])
      await t.rejects(store.write(bytes('x'), untyped(options)), refused, JSON.stringify(options));
    t.equal(await store.nextIndex(), 1);
  });
});
