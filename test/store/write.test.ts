import { bytes, contents, fileOf, range, room, text } from './records.js';
import { onBothDisks } from './world.js';

onBothDisks('indexes begin at 1 and go up by one, whoever writes', async (t, world) => {
  const [one, two] = [await world.openStore(), await world.openStore()];
  t.equal(await one.nextIndex(), 1);
  t.equal(await one.write(bytes('a')), 1);
  t.equal(await two.write(bytes('b')), 2);
  t.same(await one.writeMany([bytes('c'), bytes('d')]), [3, 4]);
  t.equal(await two.write(bytes('e')), 5);
  const all = [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
    [4, 'd'],
    [5, 'e'],
  ];
  t.same(await contents(one), all);
  t.same(await contents(two), all);
});

onBothDisks('calls of one tick get indexes in the order of the calls', async (t, world) => {
  const store = await world.openStore();
  const indexes = await Promise.all(range(1, 100).map((n) => store.write(bytes(`${n}`))));
  t.same(indexes, range(1, 100));
  t.same(
    await contents(store),
    range(1, 100).map((n) => [n, `${n}`]),
  );
});

onBothDisks('calls of one tick succeed or fail singly', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(4, 10), maxFiles: 1, maxRecordSize: 46 });
  const answers = await Promise.allSettled([
    store.write(new Uint8Array(10)),
    store.write(new Uint8Array(47)),
    store.writeMany([new Uint8Array(10), new Uint8Array(10)]),
    store.writeMany([new Uint8Array(10), new Uint8Array(10)]),
    store.write('text' as unknown as Uint8Array),
    store.write(new Uint8Array(10)),
  ]);
  t.match(answers, [
    { value: 1 },
    { reason: { code: 'RECORD_TOO_LARGE' } },
    { value: [2, 3] },
    { reason: { code: 'STORE_FULL' } },
    { reason: { code: 'INVALID_OPTION' } },
    { value: 4 },
  ]);
  t.equal(await store.length(), 4);
});

onBothDisks('an empty batch is [] and writes nothing', async (t, world) => {
  const store = await world.openStore();
  const before = await store.size();
  t.same(await store.writeMany([]), []);
  t.equal(await store.size(), before);
  t.equal(await store.nextIndex(), 1);
});

onBothDisks('an empty record is a record', async (t, world) => {
  const store = await world.openStore();
  t.equal(await store.write(new Uint8Array(0)), 1);
  t.same(await store.writeMany([new Uint8Array(0), bytes('x'), new Uint8Array(0)]), [2, 3, 4]);
  t.same(await contents(store), [
    [1, ''],
    [2, ''],
    [3, 'x'],
    [4, ''],
  ]);
  t.equal((await store.read(1))?.length, 0);
  t.equal((await store.entry(4))?.size, 0);
});

onBothDisks('a batch is all or nothing: it never spans files', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(5, 10), maxFiles: 2 });
  await store.writeMany(Array.from({ length: 3 }, () => new Uint8Array(10)));
  t.same(await store.writeMany(Array.from({ length: 5 }, () => new Uint8Array(10))), range(4, 8));
  t.equal((await store.stats()).files, 2, 'in a file of its own');
  await t.rejects(store.writeMany(Array.from({ length: 6 }, () => new Uint8Array(10))), {
    code: 'RECORD_TOO_LARGE',
  });
  await t.rejects(store.writeMany([new Uint8Array(10), new Uint8Array(10)]), { code: 'STORE_FULL' });
  t.equal(await store.nextIndex(), 9, 'what failed used no index');
  t.equal(await store.length(), 8);
});

onBothDisks('RECORD_TOO_LARGE begins one byte above what the file has room for', async (t, world) => {
  const store = await world.openStore({ maxFileSize: 1000 });
  const largest = new Uint8Array(room(1000)).fill(7);
  await t.rejects(store.write(new Uint8Array(room(1000) + 1)), { code: 'RECORD_TOO_LARGE' });
  t.equal(await store.nextIndex(), 1, 'nothing was written');
  t.equal(await store.write(largest), 1);
  t.same(await store.read(1), largest);
  t.equal(await store.write(largest), 2, 'and one more, in the next file');
  await t.rejects(
    store.write(largest, { headers: { a: 'b' } }),
    { code: 'RECORD_TOO_LARGE' },
    'headers need room too',
  );
  t.equal((await store.stats()).files, 2);
});

onBothDisks('RECORD_TOO_LARGE begins one byte above maxRecordSize', async (t, world) => {
  const store = await world.openStore({ maxRecordSize: 100 });
  await t.rejects(store.write(new Uint8Array(101)), { code: 'RECORD_TOO_LARGE' });
  await t.rejects(store.writeMany([bytes('fits'), new Uint8Array(101)]), { code: 'RECORD_TOO_LARGE' });
  t.equal(await store.nextIndex(), 1);
  t.equal(await store.write(new Uint8Array(100)), 1);
});

onBothDisks('the bytes are copied at the call', async (t, world) => {
  const store = await world.openStore();
  const data = bytes('first');
  const writing = store.write(data);
  data.set(bytes('wrong'));
  t.equal(await writing, 1);
  data.set(bytes('late!'));
  const batch = [bytes('a'), bytes('b')];
  const writingMany = store.writeMany(batch);
  for (const one of batch) one.fill(0);
  batch.length = 0;
  t.same(await writingMany, [2, 3]);
  const expected = [
    [1, 'first'],
    [2, 'a'],
    [3, 'b'],
  ];
  t.same(await contents(store), expected);
  t.same(await contents(await world.openStore()), expected);
});

onBothDisks('any Uint8Array is bytes: views and Buffers', async (t, world) => {
  const store = await world.openStore();
  const long = bytes('0123456789');
  await store.write(long.subarray(2, 5));
  await store.write(Buffer.from('buffer'));
  const every = Uint8Array.from({ length: 256 }, (_, at) => at);
  await store.write(every);
  t.equal(text(await store.read(1)), '234');
  t.equal(text(await store.read(2)), 'buffer');
  t.same(await store.read(3), every);
  t.equal((await store.read(2))?.constructor, Uint8Array, 'plain ones come back');
});

onBothDisks('anything else is INVALID_OPTION and writes nothing', async (t, world) => {
  const store = await world.openStore();
  for (const wrong of ['text', 1, null, undefined, {}, [1], new ArrayBuffer(1), new Uint16Array(1)]) {
    const data = wrong as unknown as Uint8Array;
    await t.rejects(store.write(data), { code: 'INVALID_OPTION', message: /^data: / });
    await t.rejects(store.writeMany([bytes('fine'), data]), {
      code: 'INVALID_OPTION',
      message: /^batch\[1\]: /,
    });
  }
  for (const wrong of ['text', null, undefined, {}, bytes('bytes')]) {
    await t.rejects(store.writeMany(wrong as unknown as Uint8Array[]), { code: 'INVALID_OPTION' });
  }
  t.equal(await store.nextIndex(), 1);
});

onBothDisks('options of a write: INVALID_OPTION where they are wrong', async (t, world) => {
  const store = await world.openStore();
  const wrong: [options: unknown, names: RegExp][] = [
    [null, /^options/],
    ['synced', /^options/],
    [{ durability: 'soon' }, /^durability/],
    [{ durability: null }, /^durability/],
    [{ headers: 'x' }, /^headers/],
    [{ headers: ['x'] }, /^headers/],
    [{ headers: null }, /^headers/],
    [{ headers: { a: 1 } }, /^headers\.a/],
    [{ headers: { a: 'x'.repeat(65_536) } }, /^headers/],
    [{ signal: {} }, /^signal/],
    [{ durabilty: 'synced' }, /^durabilty/],
  ];
  for (const [options, names] of wrong) {
    const error = { code: 'INVALID_OPTION', message: names };
    await t.rejects(store.write(bytes('x'), options as object), error);
    await t.rejects(store.writeMany([bytes('x')], options as object), error);
  }
  t.equal(await store.nextIndex(), 1);
  const nothing = { durability: undefined, headers: undefined, signal: undefined };
  t.equal(await store.write(bytes('x'), nothing), 1, 'undefined is as good as left out');
});

onBothDisks(
  'a signal that has fired already writes nothing, and does not throw at once',
  async (t, world) => {
    const store = await world.openStore();
    const reason = new Error('enough');
    await t.rejects(store.write(bytes('x'), { signal: AbortSignal.abort(reason) }), reason);
    await t.rejects(store.writeMany([bytes('x')], { signal: AbortSignal.abort(reason) }), reason);
    t.equal(await store.nextIndex(), 1);
  },
);

onBothDisks('an abort after the commit takes nothing back', async (t, world) => {
  const store = await world.openStore();
  const abort = new AbortController();
  t.equal(await store.write(bytes('x'), { signal: abort.signal }), 1);
  abort.abort();
  t.equal(text(await store.read(1)), 'x');
});

/** The next buffers beyond a mebibyte are refused, as where memory is short. */
function withoutMemory<T>(body: () => T): T {
  const allocate = Buffer.allocUnsafe;
  Buffer.allocUnsafe = (size) => {
    if (size > 1024 * 1024) throw new RangeError('Array buffer allocation failed');
    return allocate(size);
  };
  try {
    return body();
  } finally {
    Buffer.allocUnsafe = allocate;
  }
}

onBothDisks('a write for which there is no memory takes nobody else along', async (t, world) => {
  const store = await world.openStore();
  const large = new Uint8Array(2 * 1024 * 1024);
  const before = store.write(bytes('a'));
  const refused: Promise<unknown>[] = withoutMemory(() => [
    store.write(large),
    store.writeMany([bytes('small'), large]),
  ]);
  const after = [store.write(bytes('b')), store.writeMany([bytes('c'), bytes('d')])];
  for (const one of refused) await t.rejects(one, /allocation failed/);
  t.equal(await before, 1);
  t.same(await Promise.all(after), [2, [3, 4]]);
  t.equal(await store.write(large), 5);
  t.same((await contents(store)).slice(0, 4), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
    [4, 'd'],
  ]);
});
