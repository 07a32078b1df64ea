import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { CodecError, DurostoreError } from '../../src/errors.js';
import { readUint32 } from '../../src/frame/uint48.js';
import { compress } from '../../src/store/compress.js';
import type { Store } from '../../src/store/contract.js';
import { encrypt } from '../../src/store/encrypt.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { type Transform, transformsMark } from '../../src/store/transforms.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { bytes, contents, range, text } from './records.js';
import { lettered, reversed } from './reversed.js';
import { memoryWorld, onBothDisks, type World } from './world.js';

const MIB = 1024 * 1024;
/** With files of that size pieces are no larger, and what does not fit into one is spooled. */
const SMALL = 4096;
const KEY = { id: 'first', key: randomBytes(32) };
const SPOOL_FRONT = 8264;

async function* pieces(data: Uint8Array, size = 1000): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < data.length; at += size) {
    await null;
    yield data.subarray(at, at + size);
  }
}

/** What a stream gives, and what it ends with. */
async function drained(
  stream: ReadableStream<Uint8Array> | undefined,
): Promise<{ readonly parts: Buffer[]; readonly all: Buffer; readonly error: DurostoreError | undefined }> {
  const parts: Buffer[] = [];
  let error: DurostoreError | undefined;
  try {
    // Not copied: they are whoever's who asked.
    for await (const part of stream ?? []) parts.push(Buffer.from(part.buffer, part.byteOffset, part.length));
  } catch (reason) {
    error = reason as DurostoreError;
  }
  return { parts, all: Buffer.concat(parts), error };
}

const spools = (world: World): string[] => world.files(/\.spool\./);

const CHAINS: Readonly<Record<string, readonly Transform[]>> = {
  gzip: [compress({ algorithm: 'gzip' })],
  brotli: [compress()],
  encrypt: [encrypt(KEY)],
  'compress, then encrypt': [compress(), encrypt([KEY])],
  'three of which one is custom': [lettered('a', 'a'), compress(), reversed()],
};

for (const [name, transforms] of Object.entries(CHAINS))
  onBothDisks(`${name}: a stream of any length goes through them`, async (t, world) => {
    const store = await world.openStore({ transforms, maxFileSize: SMALL });
    const sizes = [0, 1, SMALL - 200, SMALL, 2 * SMALL, 2 * SMALL + 1, 50_000];
    const written = sizes.map((size) => Buffer.alloc(size, randomBytes(16).toString('hex')));
    t.equal(await store.write(bytes('before')), 1);
    for (const [at, data] of written.entries())
      t.equal(await store.writeStream(pieces(data, 1 + at * 777), { headers: { at: `${at}` } }), at + 2);
    const noise = randomBytes(30_000);
    const last = sizes.length + 2;
    t.equal(await store.writeStream(pieces(noise)), last);
    const other = await world.openStore({ transforms: [...transforms].reverse() });
    for (const reader of [store, other]) {
      for (const [at, data] of [...written, noise].entries()) {
        const { all, parts, error } = await drained(await reader.readStream(at + 2));
        t.same([error, all.equals(data)], [undefined, true], `${data.length} bytes`);
        t.ok(
          parts.every(({ length }) => length <= SMALL),
          'a piece at a time',
        );
        t.ok(Buffer.from((await reader.read(at + 2)) ?? []).equals(data));
        t.equal((await reader.entry(at + 2))?.size, data.length);
      }
      t.same((await reader.entry(8))?.headers, { at: '6' });
      const seen: number[] = [];
      for await (const { index, data } of reader.entries({ from: 2 })) {
        seen.push(index);
        t.ok(Buffer.from(data).equals(written[index - 2] ?? noise));
      }
      t.same(seen, range(2, last));
    }
    t.equal(text(await other.read(1)), 'before');
    const stored = Buffer.concat(world.files(/\.dat$/).map((file) => world.bytes(file)));
    t.notOk(stored.includes((written[6] as Buffer).subarray(0, 64)), 'it does not stand there as it was');
    t.same(spools(world), []);
  });

onBothDisks('pieces of a mebibyte, and much that is stored as little', async (t, world) => {
  const store = await world.openStore({ transforms: [compress({ algorithm: 'gzip', level: 1 })] });
  const noise = randomBytes(5 * MIB + 1);
  t.equal(await store.writeStream(pieces(noise, 700_000)), 1);
  t.equal(await store.writeStream(pieces(new Uint8Array(20 * MIB), 3 * MIB)), 2);
  const one = await drained(await store.readStream(1));
  t.ok(one.all.equals(noise));
  const two = await drained(await store.readStream(2));
  t.same(
    two.parts.map(({ length }) => length),
    range(1, 20).map(() => MIB),
    'also where all of it is in memory as it is stored',
  );
  t.ok((await store.size()) < 7 * MIB);
  t.equal((await store.read(2))?.length, 20 * MIB);
});

onBothDisks('what is larger than a file only when it is transformed is a stream, too', async (t, world) => {
  const store = await world.openStore({ transforms: [encrypt(KEY)], maxFileSize: SMALL });
  const data = randomBytes(SMALL - 150);
  await t.rejects(store.write(data), { code: 'RECORD_TOO_LARGE' });
  t.equal(await store.writeStream(pieces(data)), 1);
  t.ok(Buffer.from((await store.read(1)) ?? []).equals(data));
  t.same(spools(world), []);
});

onBothDisks('one that is missing is CODEC, whichever way it is read', async (t, world) => {
  const transforms = [reversed(), compress()];
  const store = await world.openStore({ transforms, maxFileSize: SMALL });
  const data = Buffer.alloc(20_000, 'some text ');
  await store.writeStream(pieces(data));
  await store.write(bytes('two'));
  const plain = await world.openStore();
  const half = await world.openStore({ transforms: [compress()] });
  for (const [reader, missing] of [
    [plain, "'reversed', 'compress' are"],
    [half, "'reversed' is"],
  ] as const) {
    const wrong = {
      code: 'CODEC',
      index: 1,
      message: new RegExp(`went through 'reversed', 'compress', and ${missing} not`),
    };
    await t.rejects(reader.read(1), wrong);
    await t.rejects(reader.entry(1), wrong);
    await t.rejects(reader.readStream(1), wrong);
    await t.rejects(reader.entries().next(), wrong);
  }
  t.equal(await plain.delete(1), 1, 'it can be deleted');
});

/** Fails with the piece of that number. */
function failing(at: number, what: 'encode' | 'decode', how: () => Uint8Array): Transform {
  const counted = (name: 'encode' | 'decode'): Transform['encode'] => {
    let count = 0;
    return (data) => (name === what && count++ === at ? how() : data);
  };
  return { name: 'failing', encode: counted('encode'), decode: counted('decode') };
}

const thrown = (): never => {
  throw new Error('it cannot.');
};

/** The first that goes through is a record, the pieces of the stream come behind it. */
const FAILURES: Readonly<Record<string, readonly [() => Transform, { code: string; message?: RegExp }]>> = {
  'a transform that throws': [
    () => failing(3, 'encode', thrown),
    { code: 'CODEC', message: /'failing' cannot encode.*it cannot\. Nothing was written/ },
  ],
  'one that throws with the last piece': [() => failing(4, 'encode', thrown), { code: 'CODEC' }],
  'one that gives no bytes': [
    () => failing(1, 'encode', () => 'text' as unknown as Uint8Array),
    { code: 'CODEC', message: /did not return a Uint8Array/ },
  ],
  'one that gives a promise': [
    () => failing(1, 'encode', () => Promise.resolve(bytes('later')) as unknown as Uint8Array),
    { code: 'CODEC' },
  ],
  'one that makes more of it than there may be': [
    () => failing(1, 'encode', () => new Uint8Array(2 ** 31)),
    { code: 'RECORD_TOO_LARGE', message: /what the transforms make/ },
  ],
};

for (const [name, [make, expected]] of Object.entries(FAILURES))
  onBothDisks(`${name} leaves nothing, and the source is told`, async (t, world) => {
    const store = await world.openStore({ transforms: [make()], maxFileSize: SMALL });
    t.equal(await store.write(bytes('one')), 1);
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array, void> {
      try {
        yield* pieces(Buffer.alloc(4 * SMALL - 1));
      } finally {
        ended = true;
      }
    }
    await t.rejects(store.writeStream(source()), expected);
    t.ok(ended);
    t.same(spools(world), []);
    t.equal(await store.write(bytes('two')), 2);
    t.same(await contents(store), [
      [1, 'one'],
      [2, 'two'],
    ]);
  });

onBothDisks(
  'a transform that closes the store with the last piece: CLOSED, nothing written',
  async (t, world) => {
    const closing = failing(1, 'encode', () => {
      void store.close();
      return bytes('closed');
    });
    const store: Store = await world.openStore({ transforms: [closing], maxFileSize: SMALL });
    await t.rejects(store.writeStream(pieces(Buffer.alloc(SMALL + 1))), { code: 'CLOSED' });
    const again = await world.openStore();
    t.equal(await again.nextIndex(), 1);
    t.same(spools(world), []);
  },
);

for (const [name, how, message] of [
  ['throws', thrown, /'failing': it cannot/],
  ['gives no bytes', () => undefined as unknown as Uint8Array, /Uint8Array/],
  ['gives another piece', () => new Uint8Array(100), /its piece 2 is not that/],
] as const)
  onBothDisks(`one that ${name} in reading: what was before it, then CODEC`, async (t, world) => {
    const writer = await world.openStore({
      transforms: [failing(-1, 'encode', thrown)],
      maxFileSize: SMALL,
    });
    const data = randomBytes(5 * SMALL);
    await writer.writeStream(pieces(data));
    const store = await world.openStore({ transforms: [failing(2, 'decode', how)] });
    const { all, error } = await drained(await store.readStream(1));
    t.ok(all.equals(data.subarray(0, 2 * SMALL)));
    t.match(error, { code: 'CODEC', index: 1, message });
    t.ok(Buffer.from((await store.read(1)) ?? []).equals(data), 'it stays where it is');
  });

onBothDisks('what is damaged is CORRUPT, and never what is stored in place of what was', async (t, world) => {
  damagedOnPurpose(world.directory);
  const transforms = [encrypt(KEY)];
  const write = await world.openStore({ transforms });
  const data = randomBytes(5 * MIB);
  await write.writeStream(pieces(data, MIB));
  await write.writeStream(pieces(data, MIB));
  await write.close();
  const [one = '', two = ''] = world.files(/\.dat$/);
  const payloadAt = 32 + 36 + 2 + '*,encrypt'.length + SPOOL_FRONT;
  world.flip(one, payloadAt + 3 * MIB);
  // The tag of the mark that names the transforms: without it the payload would pass for plain.
  world.flip(two, 32 + 36);
  const store = await world.openStore({ transforms });
  const { all, error } = await drained(await store.readStream(1));
  t.equal(all.length, 2 * MIB);
  t.ok(all.equals(data.subarray(0, all.length)));
  t.match(error, { code: 'CORRUPT', indexes: { from: 1, to: 1 } });
  await t.rejects(store.readStream(2), { code: 'CORRUPT', indexes: { from: 2, to: 2 } });
  await t.rejects(store.read(2), { code: 'CORRUPT' });
});

onBothDisks('a reader that is cancelled, or whose store is closed', async (t, world) => {
  const transforms = [compress()];
  const store = await world.openStore({ transforms });
  await store.writeStream(pieces(randomBytes(6 * MIB), MIB));
  await store.writeStream(pieces(new Uint8Array(6 * MIB), MIB));
  for (const index of [1, 2]) await (await store.readStream(index))?.cancel();
  const readers = [await store.readStream(1), await store.readStream(2)].map((one) => one?.getReader());
  for (const reader of readers) t.equal((await reader?.read())?.value?.length, MIB);
  await store.close();
  for (const reader of readers) await t.rejects(async () => reader?.read(), { code: 'CLOSED' });
});

/** What is stored of a stream, piece by piece. */
function stored(payload: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < payload.length; ) {
    const length = 4 + readUint32(payload, at);
    found.push(payload.subarray(at, at + length));
    at += length;
  }
  return found;
}

/** What somebody may make of the pieces of a record, having those of another one that is as long; and which of them is found out. */
const FORGERIES: Readonly<
  Record<string, readonly [(a: Uint8Array[], b: Uint8Array[]) => Uint8Array[], number]>
> = {
  'the first is left out': [(a) => a.slice(1), 0],
  'one in the midst is left out': [([a, , ...rest]) => [a as Uint8Array, ...rest], 1],
  'the last is left out': [(a) => a.slice(0, -1), 3],
  'the end is cut off within one': [(a) => [...a.slice(0, -1), (a[4] as Uint8Array).subarray(0, 50)], 4],
  'the end is cut off within a length': [(a) => [...a.slice(0, -1), (a[4] as Uint8Array).subarray(0, 3)], 4],
  'two are exchanged': [([a, b, c, ...rest]) => [a, c, b, ...rest] as Uint8Array[], 1],
  'one is repeated': [([a, b, ...rest]) => [a, b, b, ...rest] as Uint8Array[], 2],
  'the last is repeated': [(a) => [...a, a[4] as Uint8Array], 4],
  'one is that of another record': [(a, b) => [...a.slice(0, 2), b[2] as Uint8Array, ...a.slice(3)], 2],
  'the end is that of another record': [(a, b) => [...a.slice(0, 3), ...b.slice(3)], 3],
  'all but the first are those of another record': [(a, b) => [a[0] as Uint8Array, ...b.slice(1)], 1],
  'something stands behind': [(a) => [...a, bytes('x')], 4],
  'a length says more than there is': [(a) => [...a.slice(0, 2), Uint8Array.of(255, 255, 255, 127, 0)], 2],
  'nothing is left': [() => [], 0],
};

for (const size of [SMALL, MIB])
  for (const [name, [forge, whole]] of Object.entries(FORGERIES))
    t.test(`${name}, of pieces of ${size}: CODEC, and no byte more`, async (t: Test) => {
      const machine = new MemoryDisk();
      const world = memoryWorld(t, machine);
      // Nothing but which piece it is tells one from another: the sums are right, and each is one that this key has encrypted.
      const transforms = [encrypt(KEY)];
      const store = await world.openStore({ transforms, durability: 'written', maxFileSize: size });
      const data = randomBytes(4 * size + 500);
      for (const fill of [data, randomBytes(4 * size + 500)]) await store.writeStream(pieces(fill, 100_000));
      const options = { directory: world.directory, durability: 'written' } as const;
      const engine = await Engine.open(machine.opener(), resolveStoreOptions(options, new Set()));
      const [a, b] = [engine.readBytes(1), engine.readBytes(2)];
      if (a === undefined || b === undefined) throw new Error('they are not there');
      const payload = Buffer.concat(forge(stored(a.payload), stored(b.payload)));
      const record = { payload, marks: transformsMark('*,encrypt'), transformed: true };
      const index = await engine.writer.writeOne(record, false, undefined);
      await engine.close();
      const reader = await world.openStore({ transforms });
      const forged = { code: 'CODEC', index, message: /record 3 is not as it was written/ };
      await t.rejects(reader.read(index), forged);
      await t.rejects(reader.entry(index), forged);
      await t.rejects(reader.entries({ from: index }).next(), forged);
      const { all, error } = await drained(await reader.readStream(index));
      t.match(error as CodecError, forged);
      t.equal(all.length, whole * size, 'what stands before it');
      t.ok(all.equals(data.subarray(0, all.length)) || whole === 0);
      t.ok(Buffer.from((await reader.read(1)) ?? []).equals(data));
    });

/** It changes what it is handed, and returns that. */
const inPlace: Transform = {
  name: 'in-place',
  encode: scrambled,
  decode: scrambled,
};

function scrambled(found: Uint8Array): Uint8Array {
  for (let at = 0; at < found.length; at++) found[at] = (found[at] ?? 0) ^ 0x5a;
  return found;
}

for (const transforms of [[inPlace], [inPlace, encrypt(KEY)]])
  onBothDisks(`${transforms.map(({ name }) => name)}: a transform may work in place`, async (t, world) => {
    const store = await world.openStore({ transforms, maxFileSize: SMALL });
    const data = Buffer.alloc(100, 'again');
    t.same([await store.write(data), await store.write(data)], [1, 2]);
    t.equal(data.toString(), Buffer.alloc(100, 'again').toString(), 'what was handed in stays as it is');
    // Among them some that fit into a file before they are encrypted, and not any more after it.
    const sizes = [...range(0, 10).map((step) => SMALL - 20 * step), 3 * SMALL];
    for (const size of sizes) await store.writeStream(pieces(Buffer.alloc(size, `${size} `)));
    for (const _ of ['first', 'again']) {
      t.same(await contents(store), [
        ...[data, data].map((one, at) => [1 + at, one.toString()]),
        ...sizes.map((size, at) => [3 + at, Buffer.alloc(size, `${size} `).toString()]),
      ]);
      for (const [at, size] of sizes.entries()) {
        const { all, error } = await drained(await store.readStream(3 + at));
        t.equal(error, undefined);
        t.ok(all.equals(Buffer.alloc(size, `${size} `)), `${size} bytes`);
        t.ok(Buffer.from((await store.read(3 + at)) ?? []).equals(all));
      }
    }
    await store.close();
  });

onBothDisks('others have their turns while one is undone as a whole', async (t, world) => {
  let turns = 0;
  const turnsAt: number[] = [];
  const slow: Transform = {
    name: 'slow',
    encode: (found) => found,
    decode(found) {
      turnsAt.push(turns);
      // Longer than anybody may have the event loop.
      for (const from = performance.now(); performance.now() - from < 5; );
      return found;
    },
  };
  const store = await world.openStore({ transforms: [slow], maxFileSize: SMALL });
  const data = Buffer.alloc(10 * SMALL, 'much');
  const index = await store.writeStream(pieces(data));
  const count = (): void => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  const whole: readonly (readonly [string, () => Promise<Uint8Array | undefined>])[] = [
    ['read', () => store.read(index)],
    ['entry', async () => (await store.entry(index))?.data],
    ['entries', async () => (await store.entries({ from: index }).next()).value?.data],
  ];
  for (const [name, read] of whole) {
    turnsAt.length = 0;
    t.ok(data.equals((await read()) ?? bytes('')), name);
    t.equal(turnsAt.length, 10, `${name}: pieces`);
    // The first piece of a turn only begins the time that it may take.
    t.ok(new Set(turnsAt).size >= 5, `${name}: no more than two in a turn`);
  }
  clearImmediate(counting);
  await store.close();
});
