import { MovedClock } from './moved-clock.js';
import { bytes, fileOf, range, text } from './records.js';
import { onBothDisks } from './world.js';

onBothDisks('read without an index gives the oldest there is', async (t, world) => {
  const store = await world.openStore();
  t.equal(await store.read(), undefined, 'of an empty store');
  await store.writeMany(['a', 'b', 'c'].map(bytes));
  t.equal(text(await store.read()), 'a');
  t.equal(text(await store.read()), 'a', 'and it stays');
  await store.delete([1, 2]);
  t.equal(text(await store.read()), 'c');
  await store.delete(3);
  t.equal(await store.read(), undefined);
});

onBothDisks('gone or never there: undefined', async (t, world) => {
  const store = await world.openStore();
  await store.writeMany(['a', 'b', 'c'].map(bytes));
  await store.delete(2);
  for (const index of [2, 4, 0, -1, Number.MAX_SAFE_INTEGER]) {
    t.equal(await store.read(index), undefined, `read(${index})`);
    t.equal(await store.entry(index), undefined, `entry(${index})`);
  }
  t.equal(text(await store.read(3)), 'c');
});

onBothDisks('an index that is no whole number is INVALID_OPTION', async (t, world) => {
  const store = await world.openStore();
  for (const wrong of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', null, {}]) {
    await t.rejects(store.read(wrong as number), { code: 'INVALID_OPTION', message: /^index/ });
    await t.rejects(store.entry(wrong as number), { code: 'INVALID_OPTION', message: /^index/ });
  }
  await t.rejects(store.entry(undefined as unknown as number), { code: 'INVALID_OPTION' });
});

onBothDisks('an entry has index, time, size, data and headers', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ clock });
  const headers = { type: 'note', 'content-language': 'de', empty: '', ünï: '→' };
  await store.write(bytes('hello'), { headers });
  clock.advance(1500);
  await store.writeMany([bytes('a'), bytes('b')], { headers: { of: 'both' } });
  await store.write(bytes('plain'), { headers: {} });
  const wall = Date.UTC(2030, 0, 1);
  t.strictSame(await store.entry(1), {
    index: 1,
    time: new Date(wall),
    size: 5,
    data: bytes('hello'),
    headers: { type: 'note', 'content-language': 'de', empty: '', ünï: '→' },
  });
  for (const index of [2, 3]) {
    const entry = await store.entry(index);
    t.same(entry?.headers, { of: 'both' }, "a batch's headers are each record's");
    t.same(entry?.time, new Date(wall + 1500));
  }
  t.same((await store.entry(4))?.headers, {});
  const other = await world.openStore();
  t.strictSame(await other.entry(1), await store.entry(1), 'another opener reads the same');
});

onBothDisks('times never go backwards in a store', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ clock });
  await store.write(bytes('a'));
  clock.setWall(Date.UTC(2029, 0, 1));
  await store.write(bytes('b'));
  clock.setWall(Date.UTC(2031, 0, 1));
  await store.write(bytes('c'));
  const times = await Promise.all([1, 2, 3].map(async (index) => (await store.entry(index))?.time.getTime()));
  t.same(times, [Date.UTC(2030, 0, 1), Date.UTC(2030, 0, 1), Date.UTC(2031, 0, 1)]);
});

onBothDisks('what is read belongs to the caller', async (t, world) => {
  const store = await world.openStore();
  await store.write(bytes('hello'));
  (await store.read(1))?.fill(0);
  (await store.entry(1))?.data.fill(0);
  for await (const entry of store.entries()) entry.data.fill(0);
  t.equal(text(await store.read(1)), 'hello');
});

onBothDisks('records are read at random whatever maxChunk is, from many files', async (t, world) => {
  const writer = await world.openStore({ maxFileSize: fileOf(7, 100) });
  const record = (n: number): Uint8Array => new Uint8Array(100).fill(n);
  for (const n of range(1, 200)) await writer.write(record(n), { durability: 'written' });
  t.equal((await writer.stats()).files, Math.ceil(200 / 7));
  for (const maxChunk of [0, 1, 4096, 8192, undefined]) {
    const store = await world.openStore({ maxChunk });
    // 77 and 200 have no common divisor, so this visits each once, in leaps.
    for (const n of range(0, 199)) {
      const index = ((n * 77) % 200) + 1;
      const data = await store.read(index);
      if (Buffer.compare(data ?? bytes(''), record(index)) !== 0)
        t.fail(`${index} with maxChunk ${maxChunk}`);
    }
    t.same(await store.read(200), record(200), `maxChunk ${maxChunk}`);
  }
});

onBothDisks(
  'the entries files are a cache: without them everything is read all the same',
  async (t, world) => {
    const store = await world.openStore({ maxFileSize: fileOf(4, 8) });
    for (const n of range(1, 10)) await store.write(bytes(`record ${n % 10}`));
    await store.close();
    for (const name of world.files(/\.idx$/)) world.put(name, new Uint8Array(0));
    const again = await world.openStore({ maxFileSize: fileOf(4, 8) });
    for (const n of [10, 1, 5, 4, 9, 2, 3, 6, 7, 8]) t.equal(text(await again.read(n)), `record ${n % 10}`);
    t.equal(await again.write(bytes('next')), 11);
  },
);
