import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';
import t from 'tap';
import { type CompressOptions, compress } from '../../src/store/compress.js';

const hasZstd = 'zstdCompressSync' in zlib;
const text = Buffer.from(
  JSON.stringify(Array.from({ length: 500 }, (_, at) => ({ at, name: `customer ${at}` }))),
);

const EVERY: CompressOptions[] = [
  {},
  { algorithm: 'gzip' },
  { algorithm: 'gzip', level: 1 },
  { algorithm: 'gzip', level: 9 },
  { algorithm: 'brotli', level: 0 },
  { algorithm: 'brotli', level: 11 },
  ...(hasZstd ? [{ algorithm: 'zstd' as const }, { algorithm: 'zstd' as const, level: 1 }] : []),
];

t.test('what is compressed comes back, and any reads what another wrote', async (t) => {
  const values = [text, Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(3_000_000), randomBytes(100_000)];
  for (const options of EVERY) {
    const encoded = values.map((value) => compress(options).encode(value));
    t.ok((encoded[0]?.length ?? 0) < text.length / 4, JSON.stringify(options));
    for (const reader of EVERY)
      for (const [at, value] of values.entries())
        t.ok(value.equals(compress(reader).decode(encoded[at] ?? new Uint8Array())));
  }
});

t.test('what would not become smaller is kept, with one byte before it', async (t) => {
  for (const length of [0, 1, 23, 24, 1000]) {
    const value = randomBytes(length);
    t.same(compress().encode(value), Buffer.concat([Buffer.of(0), value]));
  }
});

t.test('what is decoded lies in memory of its own, where larger units may be looked at', async (t) => {
  const numbers = new Float64Array(1000).map(() => Math.random());
  const decoded = compress().decode(compress().encode(new Uint8Array(numbers.buffer)));
  t.equal(decoded.byteOffset % 8, 0);
  t.same(new Float64Array(decoded.buffer, decoded.byteOffset, 1000), numbers);
});

t.test('no more comes out than was compressed, however much the bytes would become', async (t) => {
  for (const [id, bomb] of [
    [1, zlib.gzipSync(Buffer.alloc(50_000_000))],
    [
      2,
      zlib.brotliCompressSync(Buffer.alloc(50_000_000), {
        params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 },
      }),
    ],
  ] as const) {
    const said = Buffer.alloc(5);
    said[0] = id;
    said.writeUInt32LE(1000, 1);
    t.throws(() => compress().decode(Buffer.concat([said, bomb])), { code: 'ERR_BUFFER_TOO_LARGE' });
    said.writeUInt32LE(60_000_000, 1);
    t.throws(() => compress().decode(Buffer.concat([said, bomb])), { code: 'CODEC' }, 'nor less');
    said.writeUInt32LE(2 ** 31, 1);
    t.throws(() => compress().decode(Buffer.concat([said, bomb])), { code: 'CODEC' });
  }
});

t.test('what compress has not made is an error', async (t) => {
  for (const odd of [
    [],
    [1],
    [9, 1, 1, 1, 1, 1],
    [1, 9, 0, 0, 0],
    [2, 9, 0, 0, 0, 1, 2, 3],
    [1, 0, 0, 0, 0, 1],
  ])
    t.throws(() => compress().decode(Uint8Array.from(odd)), JSON.stringify(odd));
  const cut = compress({ algorithm: 'gzip' }).encode(text);
  t.throws(() => compress().decode(cut.subarray(0, cut.length - 20)));
});

t.test('options', async (t) => {
  for (const wrong of [
    { algorithm: 'lz4' },
    { level: 12 },
    { level: -1 },
    { level: 1.5 },
    { algorithm: 'gzip', level: 0 },
    { algorithm: 'gzip', level: 10 },
    { quality: 1 },
    'gzip',
    null,
  ])
    t.throws(() => compress(wrong as CompressOptions), { code: 'INVALID_OPTION' }, JSON.stringify(wrong));
  t.equal(compress({ algorithm: undefined, level: undefined }).name, 'compress');
});

t.test('zstd where this Node has none', { skip: hasZstd && 'it has' }, async (t) => {
  t.throws(() => compress({ algorithm: 'zstd' }), { code: 'UNSUPPORTED', message: /22\.15/ });
  t.throws(() => compress().decode(Uint8Array.of(3, 9, 0, 0, 0, 1)), {
    code: 'CODEC',
    message: /zstd.*22\.15/,
  });
});
