import { FORMAT_VERSION } from '../disk/format.js';
import { laterVersion } from '../disk/later-version.js';
import { checksum } from './checksum.js';
import { readUint48, writeUint48 } from './uint48.js';

/**
 * The first 32 bytes of every file that holds frames or entries:
 *
 *      0       4     5        6         8            16      22       28     32
 *      | DURO  |kind |version |features | store id   |number | epoch  | sum  |
 *      |  4    | u8  |  u8    |  u16    | 8 bytes    |  u48  |  u48   | u32  |
 *
 * Features are what a reader of this file has to know beyond the version, a bit each. Whoever begins to use one begins a file that
 * says so. Every version keeps DURO, version, features and the sum where they are.
 *
 * The store's id tells a file that strayed in from another store; number and epoch repeat those in the file's name. A sparse
 * successor has its generation where others have the epoch.
 */
export const HEADER_BYTES = 32;

export const HeaderKind = { data: 1, entries: 2, fates: 3, sparseData: 4, sparseEntries: 5, ids: 6 } as const;
export type HeaderKind = (typeof HeaderKind)[keyof typeof HeaderKind];

const MAGIC = 0x4f525544;

/**
 * Of a segment: records may be marked (frame flag 2), entries say how, the seal whether any is. Of a journal: facts of the codes
 * 10 to 14 and 20 to 24. Every new file has it; one of before has not.
 */
export const FEATURE_JOBS = 1;
/**
 * Of a segment: frames of kind 4, records with mark 6. Of a journal: facts of the codes 15 to 19 and 25 to 39. Every new file has it; one
 * of before has not.
 */
export const FEATURE_STREAMS = 2;
/** What every new file announces, whatever comes into it, and all that is known. */
export const NEW_FEATURES = FEATURE_JOBS | FEATURE_STREAMS;

/** What the programs of version 1 have announced in the files that they began. */
export const WRITTEN_FEATURES = [NEW_FEATURES, FEATURE_JOBS, 0];

export function encodeFileHeader(
  kind: HeaderKind,
  storeId: Buffer,
  number: number,
  epoch = 0,
  features = NEW_FEATURES,
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header[4] = kind;
  header[5] = FORMAT_VERSION;
  header.writeUInt16LE(features, 6);
  storeId.copy(header, 8, 0, 8);
  writeUint48(header, number, 16);
  writeUint48(header, epoch, 22);
  header.writeUInt32LE(checksum(header, 0, 28), 28);
  return header;
}

/**
 * Judges a file's first bytes. 'absent': not, or not wholly, written (zeros, or its own header's beginning); 'foreign': another file's header or
 * damage. A whole header of another version, or with features, is UNSUPPORTED_VERSION, for only then is it known to be one.
 */
export function checkFileHeader(
  bytes: Buffer,
  length: number,
  kind: HeaderKind,
  storeId: Buffer,
  number: number,
  path: string,
  epoch = 0,
): 'valid' | 'absent' | 'foreign' {
  if (length < HEADER_BYTES) {
    // Whoever wrote it died in the midst of it.
    const isBegun = (features: number): boolean =>
      encodeFileHeader(kind, storeId, number, epoch, features)
        .subarray(0, length)
        .equals(bytes.subarray(0, length));
    return WRITTEN_FEATURES.some(isBegun) || isZero(bytes, length) ? 'absent' : 'foreign';
  }
  if (isZero(bytes, HEADER_BYTES)) return 'absent';
  if (!isWhole(bytes)) return 'foreign';
  assertKnown(bytes, path);
  const named = readUint48(bytes, 16) === number && readUint48(bytes, 22) === epoch;
  return bytes[4] === kind && named && storeId.equals(bytes.subarray(8, 16)) ? 'valid' : 'foreign';
}

/** UNSUPPORTED_VERSION where the first bytes of a file are a whole header of another version, or say that it uses what is not known. */
export function assertKnownHeader(bytes: Buffer, length: number, path: string): void {
  if (length >= HEADER_BYTES && isWhole(bytes)) assertKnown(bytes, path);
}

function assertKnown(header: Buffer, path: string): void {
  if (header[5] !== FORMAT_VERSION) throw laterVersion(path, `has format version ${header[5]}`);
  const features = header.readUInt16LE(6);
  if ((features & ~NEW_FEATURES) !== 0) throw laterVersion(path, `uses features ${features.toString(2)}`);
}

/** The features that a whole, known header names. */
export const featuresOf = (header: Buffer): number => header.readUInt16LE(6);

const isWhole = (bytes: Buffer): boolean =>
  bytes.readUInt32LE(0) === MAGIC && checksum(bytes, 0, 28) === bytes.readUInt32LE(28);

/** The id of the store that a whole header names, in hexadecimal; undefined where it is none. */
export function storeIdInHeader(bytes: Buffer): string | undefined {
  return bytes.length >= HEADER_BYTES && isWhole(bytes) ? bytes.toString('hex', 8, 16) : undefined;
}

const isZero = (bytes: Buffer, length: number): boolean =>
  bytes.subarray(0, length).every((byte) => byte === 0);
