import * as zlib from 'node:zlib';
import { CodecError, DurostoreError } from '../errors.js';
import { readUint32, writeUint32 } from '../frame/uint48.js';
import { callOptions, oneOf, wholeNumber } from './options.js';
import type { Transform } from './transforms.js';

export type CompressionAlgorithm = 'gzip' | 'brotli' | 'zstd';

export interface CompressOptions {
  /** What is written is compressed with it; what any of them has compressed is read. Default `'brotli'`. */
  algorithm?: CompressionAlgorithm | undefined;
  /** How hard it tries: gzip 1 to 9, default 6; brotli 0 to 11, default 4; zstd 1 to 22, default 3. */
  level?: number | undefined;
}

/**
 * What is compressed begins with the algorithm and its length before:
 *
 *      0     1       5
 *      |alg. |length | what the algorithm made …
 *      | u8  | u32   |
 *
 * Algorithm 0: as it is, without a length, for it would not have become smaller.
 */
const HEAD_BYTES = 5;
const STORED = 0;
/** Nothing becomes smaller that is smaller than this. */
const SMALLEST = 24;
/** What a record can have at most; a length that is more is none that was written. */
const LARGEST = 2 ** 31 - 1;
/** Memory for what is decoded is taken in pieces of so many bytes: a length that lies must not take what it asks for. */
const LARGEST_PIECE = 1024 * 1024;
/** Nothing has more than that behind its last byte. */
const SPARE = 64;

interface Algorithm {
  readonly id: number;
  readonly name: CompressionAlgorithm;
  readonly levels: { readonly least: number; readonly most: number; readonly otherwise: number };
  readonly encode: ((bytes: Uint8Array, level: number) => Uint8Array) | undefined;
  readonly decode: ((bytes: Uint8Array, limits: Limits) => Uint8Array) | undefined;
}

interface Limits {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

/** Types of Node 20 know nothing of it. */
interface Zstd {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Uint8Array;
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: object) => Uint8Array;
}
const { zstdCompressSync, zstdDecompressSync }: Zstd = zlib as Zstd;
/** `ZSTD_c_compressionLevel`. */
const ZSTD_LEVEL = 100;

const ALGORITHMS: readonly Algorithm[] = [
  {
    id: 1,
    name: 'gzip',
    levels: { least: 1, most: 9, otherwise: 6 },
    encode: (bytes, level) => zlib.gzipSync(bytes, { level }),
    decode: (bytes, limits) => zlib.gunzipSync(bytes, limits),
  },
  {
    id: 2,
    name: 'brotli',
    levels: { least: 0, most: 11, otherwise: 4 },
    encode: (bytes, level) =>
      zlib.brotliCompressSync(bytes, {
        params: {
          [zlib.constants.BROTLI_PARAM_QUALITY]: level,
          [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decode: (bytes, limits) => zlib.brotliDecompressSync(bytes, limits),
  },
  {
    id: 3,
    name: 'zstd',
    levels: { least: 1, most: 22, otherwise: 3 },
    encode:
      zstdCompressSync && ((bytes, level) => zstdCompressSync(bytes, { params: { [ZSTD_LEVEL]: level } })),
    decode: zstdDecompressSync && ((bytes, limits) => zstdDecompressSync(bytes, { ...limits })),
  },
];

/**
 * A transform that compresses, in the calling thread. Its name is `compress` whatever the algorithm: what was written with another
 * one stays readable. What would not become smaller is kept as it is, with one byte before it.
 *
 * INVALID_OPTION; UNSUPPORTED for zstd where Node has none (it has from 22.15 on).
 */
export function compress(options?: CompressOptions): Transform {
  const given = callOptions(options, new Set(['algorithm', 'level']));
  const chosen = oneOf('algorithm', given.algorithm, 'brotli', ['gzip', 'brotli', 'zstd']);
  const { id, levels, encode } = ALGORITHMS.find(({ name }) => name === chosen) as Algorithm;
  const level = wholeNumber('level', given.level, levels.otherwise, levels.least, levels.most);
  if (encode === undefined)
    throw new DurostoreError(
      'UNSUPPORTED',
      `this Node has no zstd: use one from 22.15 on, or another algorithm`,
    );
  return {
    name: 'compress',
    encode: (bytes) => pack(id, bytes, bytes.length < SMALLEST ? undefined : encode(bytes, level)),
    decode: unpack,
  };
}

function pack(id: number, bytes: Uint8Array, encoded: Uint8Array | undefined): Uint8Array {
  if (encoded === undefined || encoded.length + HEAD_BYTES > bytes.length) {
    const stored = new Uint8Array(1 + bytes.length);
    stored[0] = STORED;
    stored.set(bytes, 1);
    return stored;
  }
  const packed = new Uint8Array(HEAD_BYTES + encoded.length);
  packed[0] = id;
  writeUint32(packed, bytes.length, 1);
  packed.set(encoded, HEAD_BYTES);
  return packed;
}

/** CODEC. */
function unpack(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === STORED) return new Uint8Array(bytes.subarray(1));
  const algorithm = ALGORITHMS.find(({ id }) => id === bytes[0]);
  if (algorithm === undefined || bytes.length < HEAD_BYTES)
    throw new CodecError('it is nothing that compress has made: the record was written with something else');
  const { name, decode } = algorithm;
  if (decode === undefined)
    throw new CodecError(`it was compressed with ${name}, which this Node has not: use one from 22.15 on`);
  const length = readUint32(bytes, 1);
  // ⚑ No more than was compressed, however much the bytes would become.
  const limits = { maxOutputLength: length, chunkSize: Math.min(length + SPARE, LARGEST_PIECE) };
  const decoded = length === 0 || length > LARGEST ? undefined : decode(bytes.subarray(HEAD_BYTES), limits);
  if (decoded?.length !== length)
    throw new CodecError(`its ${length} bytes became others: the record was written by something else`);
  return decoded;
}
