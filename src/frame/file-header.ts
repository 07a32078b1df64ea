import { FORMAT_VERSION } from '../disk/format.js';
import { DurostoreError } from '../errors.js';
import { checksum } from './checksum.js';
import { readUint48, writeUint48 } from './uint48.js';

/**
 * The first 32 bytes of every file that holds frames or entries:
 *
 *      0       4     5        6         8            16      22       28     32
 *      | DURO  |kind |version |reserved | store id   |number | epoch  | sum  |
 *      |  4    | u8  |  u8    |  u16    | 8 bytes    |  u48  |  u48   | u32  |
 *
 * The store's id tells a file that strayed in from another store; number and epoch repeat those in the file's name. A sparse
 * successor has its generation where others have the epoch.
 */
export const HEADER_BYTES = 32;

export const HeaderKind = { data: 1, entries: 2, fates: 3, sparseData: 4, sparseEntries: 5 } as const;
export type HeaderKind = (typeof HeaderKind)[keyof typeof HeaderKind];

const MAGIC = 0x4f525544;

export function encodeFileHeader(kind: HeaderKind, storeId: Buffer, number: number, epoch = 0): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header[4] = kind;
  header[5] = FORMAT_VERSION;
  storeId.copy(header, 8, 0, 8);
  writeUint48(header, number, 16);
  writeUint48(header, epoch, 22);
  header.writeUInt32LE(checksum(header, 0, 28), 28);
  return header;
}

/**
 * Judges a file's first bytes. 'absent': not, or not wholly, written (zeros, or its own header's beginning); 'foreign': another file's header or
 * damage. A whole header of another version is UNSUPPORTED_VERSION, for only then is it known to be one.
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
    const begun = encodeFileHeader(kind, storeId, number, epoch).subarray(0, length);
    return begun.equals(bytes.subarray(0, length)) || isZero(bytes, length) ? 'absent' : 'foreign';
  }
  if (isZero(bytes, HEADER_BYTES)) return 'absent';
  if (bytes.readUInt32LE(0) !== MAGIC || checksum(bytes, 0, 28) !== bytes.readUInt32LE(28)) return 'foreign';
  if (bytes[5] !== FORMAT_VERSION) {
    throw new DurostoreError(
      'UNSUPPORTED_VERSION',
      `${path} has format version ${bytes[5]}; this version of durostore reads version ${FORMAT_VERSION}. ` +
        'Nothing was changed: open it with the version that wrote it',
    );
  }
  const named = readUint48(bytes, 16) === number && readUint48(bytes, 22) === epoch;
  return bytes[4] === kind && named && storeId.equals(bytes.subarray(8, 16)) ? 'valid' : 'foreign';
}

/** The id of the store that a whole header names, in hexadecimal; undefined where it is none. */
export function storeIdInHeader(bytes: Buffer): string | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  return checksum(bytes, 0, 28) === bytes.readUInt32LE(28) ? bytes.toString('hex', 8, 16) : undefined;
}

const isZero = (bytes: Buffer, length: number): boolean =>
  bytes.subarray(0, length).every((byte) => byte === 0);
