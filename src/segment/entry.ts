import { checksum } from '../frame/checksum.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { type EntryMarks, NO_ENTRY_MARKS } from '../frame/order-marks.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from '../frame/uint48.js';

/**
 * An index entry: where a record's frame is. 32 bytes, so that entry n of a segment is found by arithmetic and never
 * crosses a page:
 *
 *      0       6     7        8         12      16      22      28     32
 *      | index |flags|marked  | position| length| time  | due   | sum  |
 *      |  u48  | u8  |   u8   |  u32    |  u32  |  u48  |  u48  | u32  |
 *
 * `flags` and `due` are what the record's marks say (`order-marks.ts`). `marked` is 1 where this record or one before it in the
 * segment carries such marks, so that the last entry of a segment that has none saves looking at the others.
 *
 * Entries are a cache of the data file. One that is missing, short or odd costs a scan, never a record; a frame read
 * through an entry must repeat its own index.
 */
export const ENTRY_BYTES = 32;

export interface FoundEntry {
  position: number;
  length: number;
}

/** Which of an entry's bytes says whether the segment has marked records up to there. */
const MARKED_AT = 7;

/** Where the entry of the record stands in the entries file of the segment that begins at `first`. */
export const entryPosition = (first: number, index: number): number =>
  HEADER_BYTES + (index - first) * ENTRY_BYTES;

export function writeEntry(
  into: Buffer,
  at: number,
  index: number,
  position: number,
  length: number,
  time: number,
  { flags, due }: EntryMarks = NO_ENTRY_MARKS,
  marked = false,
): void {
  writeUint48(into, index, at);
  into[at + 6] = flags;
  into[at + MARKED_AT] = marked ? 1 : 0;
  writeUint32(into, position, at + 8);
  writeUint32(into, length, at + 12);
  writeUint48(into, time, at + 16);
  writeUint48(into, due, at + 22);
  writeUint32(into, checksum(into, at, at + 28), at + 28);
}

/** The index of a whole entry; undefined where it is not one. */
export function indexOfEntry(from: Buffer, at: number): number | undefined {
  return checksum(from, at, at + 28) === readUint32(from, at + 28) ? readUint48(from, at) : undefined;
}

/** What a whole entry says of its record's marks. */
export const marksOfEntry = (from: Buffer, at: number): EntryMarks => ({
  flags: from[at + 6] as number,
  due: readUint48(from, at + 22),
});

export const timeOfEntry = (from: Buffer, at: number): number => readUint48(from, at + 16);

/** Whether a whole entry's record, or one before it, is marked. */
export const isMarkedUpTo = (from: Buffer, at: number): boolean => from[at + MARKED_AT] === 1;

/** Fills `found` from an entry; false where it is not a whole entry of that record. */
export function readEntry(from: Buffer, at: number, index: number, found: FoundEntry): boolean {
  if (readUint48(from, at) !== index) return false;
  if (checksum(from, at, at + 28) !== readUint32(from, at + 28)) return false;
  found.position = readUint32(from, at + 8);
  found.length = readUint32(from, at + 12);
  return true;
}
