/** The tests of go-durostore, by behaviour. `test/ported.md` says which is which. */
import { random } from '../support/random.js';
import { until } from '../support/until.js';
import { bytes, contents, fileOf, range, text } from './records.js';
import { onBothDisks } from './world.js';

const MIB = 1024 * 1024;
const example = { filePrefix: 'test', maxFiles: 10, maxFileSize: 10 * MIB, maxChunk: 50 * MIB } as const;
const object = (n: number) => ({ int: n, float: n / 7, string: `object ${n}`, list: [n, n + 1] });
const encode = (value: unknown): Uint8Array => bytes(JSON.stringify(value));
const decode = (data: Uint8Array | undefined): unknown => data && JSON.parse(text(data) ?? '');

onBothDisks(
  'TestRead: what is read is what was written, after a restart too, until it is deleted',
  async (t, world) => {
    const store = await world.openStore(example);
    await store.prune();
    t.equal(await store.read(1), undefined);
    t.equal(await store.read(), undefined, 'underflow is undefined');
    t.equal(await store.write(encode(object(1))), 1, 'the first index is 1');
    t.same(decode(await store.read(1)), object(1));
    await store.close();
    await t.rejects(store.read(1), { code: 'CLOSED' });
    const again = await world.openStore(example);
    t.same(decode(await again.read(1)), object(1));
    t.equal(await again.delete(1), 1);
    t.equal(await again.read(1), undefined);
  },
);

onBothDisks('TestWrite: one, many, raw bytes, empty ones; bad ones write nothing', async (t, world) => {
  const store = await world.openStore(example);
  t.equal(await store.write(encode(object(1))), 1);
  t.same(decode(await store.read(1)), object(1));
  t.same(await store.writeMany([object(2), object(3)].map(encode)), [2, 3]);
  t.same(decode(await store.read(2)), object(2));
  t.same(decode(await store.read(3)), object(3));
  const raw = Uint8Array.from({ length: 256 }, (_, at) => at);
  t.equal(await store.write(raw), 4);
  t.same(await store.read(4), raw);
  t.equal(await store.write(new Uint8Array(0)), 5);
  t.same(await store.read(5), new Uint8Array(0));
  for (const bad of [null, undefined, object(1), 'text', [encode(1)]]) {
    await t.rejects(store.write(bad as unknown as Uint8Array), { code: 'INVALID_OPTION' });
    const nested = [encode(object(6)), bad] as Uint8Array[];
    await t.rejects(store.writeMany(nested), { code: 'INVALID_OPTION' });
    await t.rejects(store.writeMany([bad] as unknown as Uint8Array[]), { code: 'INVALID_OPTION' });
  }
  t.equal(await store.nextIndex(), 6);
  t.equal(await store.length(), 5);
});

onBothDisks(
  'TestDelete: the head, again, unknown ones, after a restart, with writes after it',
  async (t, world) => {
    const options = { ...example, maxFileSize: fileOf(2, 100) };
    const store = await world.openStore(options);
    const record = (n: number): Uint8Array => new Uint8Array(100).fill(n);
    for (const n of range(1, 9)) await store.write(record(n));
    t.equal(await store.deleteFirst(), 1);
    t.equal(await store.delete(1), 0, 'again: it is not there');
    t.equal(await store.delete(100), 0, 'unknown: neither');
    await store.close();
    const again = await world.openStore(options);
    t.equal(await again.delete(2), 1);
    t.equal(await again.delete(2), 0);
    t.equal(await again.write(record(10)), 10, 'C2: a write after the restart gets a new index');
    t.equal(await again.delete([1, 3, 4, 6, 9]), 4, 'C11: a batch over several files');
    t.same(
      (await contents(again)).map(([index]) => index),
      [5, 7, 8, 10],
    );
  },
);

onBothDisks(
  'TestUpdateIndexes: a second opener reads and deletes in order what the first one writes',
  async (t, world) => {
    const options = { filePrefix: 'test', maxFiles: 2, maxFileSize: MIB, maxChunk: 0 };
    const [writer, reader] = [
      await world.openStore(options),
      await world.openStore({ ...options, indexer: false }),
    ];
    let next = 1;
    for (const round of range(1, 3)) {
      for (const n of range(next, next + 9)) t.equal(await writer.write(encode(object(n))), n);
      await reader.refresh();
      for (const n of range(next, next + 9)) {
        t.same(decode(await reader.read()), object(n), `round ${round}`);
        t.equal(await reader.deleteFirst(), n);
      }
      t.equal(await reader.read(), undefined);
      next += 10;
      if (round === 2) await writer.prune();
    }
  },
);

for (const maxFiles of [1, 2]) {
  onBothDisks(
    `TestMaxStoreSize: ${maxFiles} × 1 MiB of 2 KiB records, until STORE_FULL`,
    async (t, world) => {
      const store = await world.openStore({ maxFiles, maxFileSize: MIB, durability: 'written' });
      const record = new Uint8Array(2048).fill(7);
      const perFile = Math.floor((MIB - fileOf(0, 2048)) / (fileOf(1, 2048) - fileOf(0, 2048)));
      let written = 0;
      const fill = async (): Promise<never> => {
        for (;;) {
          await store.write(record);
          written += 1;
        }
      };
      await t.rejects(fill(), { code: 'STORE_FULL' });
      t.equal(written, perFile * maxFiles, 'not one too many and not one too few');
      t.equal(await store.length(), written);
      await t.rejects(store.writeMany([record, record]), { code: 'STORE_FULL' }, 'C3: a batch, whole');
      t.equal(await store.nextIndex(), written + 1);
      await store.prune(perFile + 1);
      t.equal(await store.write(record), written + 1, 'C4: a consumed file is room');
      t.equal(await store.length(), maxFiles === 1 ? 1 : perFile + 1);
    },
  );
}

onBothDisks(
  'TestMaxChunkSize: a full store is read at random whatever the cache may hold',
  async (t, world) => {
    const store = await world.openStore({
      maxFiles: 2,
      maxFileSize: MIB,
      maxChunk: MIB / 16,
      durability: 'written',
    });
    const record = (n: number): Uint8Array => new Uint8Array(10_000).fill(n);
    for (const n of range(1, 200)) await store.write(record(n));
    t.same(await store.read(200), record(200), 'the last one');
    const numbers = random(t);
    for (let i = 0; i < 400; i++) {
      const n = numbers.integer(1, 200);
      if (Buffer.compare((await store.read(n)) ?? record(0), record(n)) !== 0) t.fail(`record ${n}`);
    }
    t.ok((await store.size()) >= 2_000_000, 'size is what is on disk, not what is cached');
  },
);

onBothDisks('TestAsyncWrite: two writers, each record found exactly once', async (t, world) => {
  const stores = [await world.openStore(example), await world.openStore(example)] as const;
  const indexes = await Promise.all(
    range(0, 99).map((n) => (stores[n % 2] ?? stores[0]).write(encode(object(n)))),
  );
  t.equal(await stores[0].length(), 100);
  t.same(
    [...indexes].sort((a, b) => a - b),
    range(1, 100),
  );
  for (const [n, index] of indexes.entries()) {
    for (const store of stores) t.same(decode(await store.read(index)), object(n));
  }
});

onBothDisks('TestAsyncRead: two readers read everything at once, each equal', async (t, world) => {
  const writer = await world.openStore(example);
  await writer.writeMany(range(1, 100).map((n) => encode(object(n))));
  const readers = [await world.openStore(example), await world.openStore(example)];
  const found = await Promise.all(
    readers.map((reader) => Promise.all(range(1, 100).map((n) => reader.read(n)))),
  );
  for (const records of found) t.same(records.map(decode), range(1, 100).map(object));
  await writer.prune();
  await until('the readers know', async () => (await readers[0]?.length()) === 0);
});
