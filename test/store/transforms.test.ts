import { randomBytes } from 'node:crypto';
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { CodecError } from '../../src/errors.js';
import { openStore as openInMemory } from '../../src/memory/mod.js';
import { compress } from '../../src/store/compress.js';
import { encrypt } from '../../src/store/encrypt.js';
import type { StoreOptions } from '../../src/store/options.js';
import { openStoreOn } from '../../src/store/store.js';
import type { Transform } from '../../src/store/transforms.js';
import { bytes, contents, range, text } from './records.js';
import { lettered, reversed } from './reversed.js';
import { memoryWorld, onBothDisks, type World } from './world.js';

const KEY = { id: 'first', key: randomBytes(32) };

/** Everything in the data files of a world. */
const stored = (world: World, match = /\.dat$/): Buffer =>
  Buffer.concat(world.files(match).map((name) => world.bytes(name)));

const CHAINS: Readonly<Record<string, readonly Transform[]>> = {
  none: [],
  gzip: [compress({ algorithm: 'gzip' })],
  brotli: [compress()],
  encrypt: [encrypt(KEY)],
  'compress, then encrypt': [compress(), encrypt([KEY])],
  'three of which one is custom': [lettered('a', 'a'), compress(), reversed()],
};

for (const [name, transforms] of Object.entries(CHAINS)) {
  for (const durability of ['written', 'synced'] as const) {
    onBothDisks(`${name}, ${durability}: what is written is read`, async (t, world) => {
      const store = await world.openStore({ transforms, durability });
      const large = randomBytes(1_500_000);
      const plain = ['', 'a', 'secret '.repeat(100)];
      const headers = { kind: 'note' };
      t.equal(await store.write(bytes('one'), { headers }), 1);
      t.same(await store.writeMany(plain.map(bytes)), [2, 3, 4]);
      t.same(await Promise.all(range(5, 8).map((at) => store.write(bytes(`at once ${at}`)))), range(5, 8));
      t.equal(await store.write(large), 9);
      const other = await world.openStore({ transforms });
      for (const reader of [store, other]) {
        t.equal(text(await reader.read()), 'one');
        for (const [at, one] of plain.entries()) t.equal(text(await reader.read(at + 2)), one);
        t.ok(Buffer.from((await reader.read(9)) ?? []).equals(large));
        const entry = await reader.entry(4);
        t.same(entry?.data, bytes('secret '.repeat(100)));
        t.equal(entry?.size, 700, 'the size is that of what was written');
        t.same((await reader.entry(1))?.headers, headers);
        const seen: number[] = [];
        for await (const { index, size } of reader.entries({ to: 9 })) {
          seen.push(index);
          if (index >= 5) t.equal(size, 9);
        }
        t.same(seen, range(1, 8));
      }
      t.equal(stored(world).includes('secret secret'), transforms.length === 0, 'on the disk');
    });
  }
}

onBothDisks('transforms are applied in their order, and undone in the other', async (t, world) => {
  const store = await world.openStore({ transforms: [lettered('a', 'a'), lettered('b', 'b')] });
  await store.write(bytes('data'));
  t.ok(stored(world).includes('badata'));
  t.ok(stored(world).includes('a,b'), 'their names are noted');
  const other = await world.openStore({ transforms: [lettered('b', 'b'), lettered('a', 'a')] });
  await other.write(bytes('more'));
  t.ok(stored(world).includes('abmore'));
  for (const one of [store, other])
    t.same(
      await contents(one),
      [
        [1, 'data'],
        [2, 'more'],
      ],
      'each record is read by what is noted with it',
    );
});

onBothDisks('records without transforms stay readable, and those with other ones', async (t, world) => {
  const openers: (readonly Transform[] | undefined)[] = [
    undefined,
    [reversed()],
    [compress({ algorithm: 'gzip' })],
    [compress(), reversed()],
    undefined,
  ];
  for (const transforms of openers) {
    const store = await world.openStore({ transforms });
    await store.write(bytes(`by ${transforms?.map((one) => one.name).join()} ${'again '.repeat(20)}`));
  }
  const store = await world.openStore({ transforms: [compress({ algorithm: 'brotli' }), reversed()] });
  t.same(
    (await contents(store)).map(([, data]) => data.slice(0, 12)),
    ['by undefined', 'by reversed ', 'by compress ', 'by compress,', 'by undefined'],
  );
});

onBothDisks(
  'a record whose transform is missing is CODEC, and everything else readable',
  async (t, world) => {
    const plain = await world.openStore();
    const other = await world.openStore({ transforms: [reversed(), compress()] });
    await plain.write(bytes('one'));
    await other.write(bytes('two'));
    await plain.write(bytes('three'));
    const half = await world.openStore({ transforms: [compress()] });
    for (const [store, missing] of [
      [plain, "'reversed', 'compress'"],
      [half, "'reversed'"],
    ] as const) {
      const wrong = {
        name: 'CodecError',
        code: 'CODEC',
        index: 2,
        message: new RegExp(`and ${missing} (is|are) not`),
      };
      await t.rejects(store.read(2), wrong);
      await t.rejects(store.entry(2), wrong);
      const seen: string[] = [];
      const walk = async (from: number): Promise<void> => {
        for await (const { data } of store.entries({ from })) seen.push(text(data) ?? '');
      };
      await t.rejects(walk(1), wrong);
      await walk(3);
      t.same(seen, ['one', 'three'], 'a walk ends there, and goes on behind it');
      t.equal(await store.length(), 3);
      t.equal(text(await store.read(3)), 'three');
    }
    t.equal(await plain.delete(2), 1, 'it can be deleted');
    t.same(await contents(plain), [
      [1, 'one'],
      [3, 'three'],
    ]);
  },
);

onBothDisks(
  'a transform that fails, or gives no bytes, in encoding: CODEC, nothing written',
  async (t, world) => {
    const failing: Transform = {
      name: 'failing',
      encode(data) {
        if (text(data) === 'throw') throw new Error('it cannot.');
        return text(data) === 'odd' ? ('text' as unknown as Uint8Array) : data;
      },
      decode: (data) => data,
    };
    const store = await world.openStore({ transforms: [failing] });
    const thrown = {
      code: 'CODEC',
      message: /'failing' cannot encode.*it cannot\. Nothing/,
      cause: { message: 'it cannot.' },
    };
    await t.rejects(store.write(bytes('throw')), thrown);
    await t.rejects(store.writeMany([bytes('fine'), bytes('throw')]), thrown);
    await t.rejects(store.write(bytes('odd')), { code: 'CODEC', message: /'failing'.*Uint8Array.*Nothing/ });
    const [one, two, three] = await Promise.allSettled([
      store.write(bytes('one')),
      store.write(bytes('throw')),
      store.write(bytes('two')),
    ]);
    t.same(
      [one.status, two.status, three.status],
      ['fulfilled', 'rejected', 'fulfilled'],
      'calls fail singly',
    );
    t.same(await contents(store), [
      [1, 'one'],
      [2, 'two'],
    ]);
  },
);

onBothDisks('one that fails, or gives no bytes, in decoding: CODEC for that record', async (t, world) => {
  const failing: Transform = {
    name: 'failing',
    encode: (data) => data,
    decode(data) {
      if (text(data) === 'throw') throw new TypeError('what is that');
      return text(data) === 'odd' ? (undefined as unknown as Uint8Array) : data;
    },
  };
  const store = await world.openStore({ transforms: [failing] });
  for (const one of ['throw', 'odd', 'fine']) await store.write(bytes(one));
  const error = (await store.read(1).catch((reason) => reason)) as CodecError;
  t.match(error, { code: 'CODEC', index: 1, message: /record 1 .*'failing': what is that/ });
  t.ok(error.cause instanceof TypeError);
  await t.rejects(store.entry(2), { code: 'CODEC', index: 2, message: /Uint8Array/ });
  t.equal(text(await store.read(3)), 'fine');
});

onBothDisks('the caller may change what was written as soon as the call returned', async (t, world) => {
  const same: Transform = { name: 'same', encode: (data) => data, decode: (data) => data };
  const store = await world.openStore({ transforms: [same] });
  const data = bytes('before');
  const large = new Uint8Array(3_000_000).fill(7);
  const written = [store.write(data), store.write(large)];
  data.fill(0);
  large.fill(0);
  await Promise.all(written);
  t.equal(text(await store.read(1)), 'before');
  t.ok((await store.read(2))?.every((byte) => byte === 7));
});

onBothDisks(
  'maxRecordSize is of what is handed in, and what comes of it fits into a file',
  async (t, world) => {
    const store = await world.openStore({ transforms: [compress()], maxFileSize: 4096, maxRecordSize: 3000 });
    t.equal(await store.write(new Uint8Array(3000)), 1);
    await t.rejects(store.write(new Uint8Array(3001)), { code: 'RECORD_TOO_LARGE' });
    const sealing = await world.openStore({ transforms: [encrypt(KEY)], maxFileSize: 4096 });
    const most = 4096 - 144;
    const fits = async (size: number): Promise<boolean> =>
      sealing.write(randomBytes(size)).then(
        () => true,
        (error) => error.code !== 'RECORD_TOO_LARGE',
      );
    t.equal(await fits(most - 100), true);
    t.equal(await fits(most), false, 'encrypted it is larger');
    t.equal(await store.nextIndex(), 3);
  },
);

onBothDisks('a batch of which one is transformed is in a segment that announces it', async (t, world) => {
  const store = await world.openStore({ transforms: [reversed()] });
  await store.write(bytes('one'));
  const [name = ''] = world.files(/\.dat$/);
  t.equal(world.bytes(name).readUInt16LE(6) & 2, 2);
});

t.test('what older programs have begun is left to them: a transformed record begins a segment', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const first = await world.openStore();
  await first.write(bytes('old'));
  await first.close();
  const [name = ''] = world.files(/\.dat$/);
  const file = world.bytes(name);
  const { crc32 } = await import('node:zlib');
  file.writeUInt16LE(1, 6);
  file.writeUInt32LE(crc32(file.subarray(0, 28)), 28);
  world.put(name, file);
  const plain = await world.openStore();
  await plain.write(bytes('plain'));
  t.equal(world.files(/\.dat$/).length, 1);
  const store = await world.openStore({ transforms: [reversed()] });
  await store.write(bytes('new'));
  t.equal(world.files(/\.dat$/).length, 2, '⚑ what does not announce it holds none');
  t.same(await contents(store), [
    [1, 'old'],
    [2, 'plain'],
    [3, 'new'],
  ]);
});

t.test('wrong transforms are INVALID_OPTION', async (t) => {
  const disk = new MemoryDisk().opener();
  const wrong: [unknown, RegExp][] = [
    ['gzip', /^transforms: expected an array/],
    [[undefined], /^transforms\[0\]: expected a transform/],
    [[reversed(), 'gzip'], /^transforms\[1\]: expected a transform/],
    [[{ ...reversed(), name: '' }], /^transforms\[0\]\.name/],
    [[{ ...reversed(), name: 'a,b' }], /^transforms\[0\]\.name/],
    [[{ ...reversed(), name: 'a'.repeat(101) }], /^transforms\[0\]\.name/],
    [[{ ...reversed(), encode: 1 }], /^transforms\[0\]\.encode/],
    [[{ name: 'a', encode: reversed().encode }], /^transforms\[0\]\.decode/],
    [[reversed('a'), reversed('b'), reversed('a')], /^transforms\[2\]\.name.*no other/],
    [range(1, 17).map((at) => reversed(`t${at}`)), /^transforms: expected at most 16/],
  ];
  for (const [transforms, message] of wrong)
    await t.rejects(openStoreOn(disk, { directory: '/store', transforms } as StoreOptions), {
      code: 'INVALID_OPTION',
      message,
    });
  const transforms = range(1, 16).map((at) => reversed(`${at}`.padStart(100, 't')));
  const store = await openStoreOn(disk, { directory: '/store', transforms });
  await store.write(bytes('through sixteen of long names'));
  t.equal(text(await store.read(1)), 'through sixteen of long names');
  await store.close();
});

t.test('a transform that closes the store: CLOSED, nothing written', async (t) => {
  const world = memoryWorld(t);
  const closes: Transform = {
    name: 'closes',
    encode(data) {
      void store.close();
      return data;
    },
    decode: (data) => data,
  };
  const store = await world.openStore({ transforms: [closes] });
  await t.rejects(store.write(bytes('x')), { code: 'CLOSED' });
  t.equal(await (await world.openStore()).nextIndex(), 1);
});

t.test('the entry without a disk takes them, too', async (t) => {
  const store = await openInMemory({ transforms: [compress(), encrypt(KEY)] });
  await store.write(bytes('in memory'));
  t.equal(text(await store.read()), 'in memory');
  await store.close();
});

onBothDisks('what a transaction writes goes through them, whether it deletes or not', async (t, world) => {
  const transforms = [compress(), encrypt(KEY)];
  const store = await world.openStore({ transforms, durability: 'written' });
  await store.writeMany(['a', 'b', 'c'].map(bytes));
  const secret = (n: number): Uint8Array => bytes(`${n} ${'secret '.repeat(100)}`);
  const headers = { kind: 'note' };
  t.same(
    await store.transaction((tx) => {
      tx.write(secret(4), { headers });
      tx.delete(2);
      tx.write(secret(5));
    }),
    [4, 5],
  );
  t.same(await store.transaction((tx) => tx.write(secret(6))), [6]);
  const other = await world.openStore({ transforms });
  for (const n of [4, 5, 6]) t.same(await other.read(n), secret(n));
  t.same((await other.entry(4))?.headers, headers);
  t.equal(await other.read(2), undefined);
  t.equal(stored(world).includes('secret'), false);
  const plain = await world.openStore();
  await t.rejects(plain.read(4), { code: 'CODEC' });
  const broken: Transform = {
    name: 'broken',
    encode: () => {
      throw new Error('no');
    },
    decode: (one) => one,
  };
  const failing = await world.openStore({ transforms: [broken] });
  const nothing = failing.transaction((tx) => {
    tx.write(secret(7));
    tx.delete(1);
  });
  await t.rejects(nothing, { code: 'CODEC' });
  t.same([await failing.nextIndex(), await failing.length()], [7, 5]);
});
