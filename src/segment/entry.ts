import { checksum, sumOf4, sumOf16 } from '../frame/checksum.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { type EntryMarks, NO_ENTRY_MARKS } from '../frame/order-marks.js';
import { readUint32, readUint48 } from '../frame/uint48.js';
import { viewOf } from '../frame/view.js';

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

export const writeEntry = (
  into: Buffer,
  at: number,
  index: number,
  position: number,
  length: number,
  time: number,
  marks: EntryMarks = NO_ENTRY_MARKS,
  marked = false,
): void => {
  writeEntryIn(viewOf(into), at, index, position, length, time, marks, marked);
};

const TWO_32 = 2 ** 32;

/** The same for who writes many into one memory: what is written goes into the sum as it is, without being read again. */
export function writeEntryIn(
  into: DataView,
  at: number,
  index: number,
  position: number,
  length: number,
  time: number,
  { flags, due }: EntryMarks,
  marked: boolean,
): void {
  const indexLow = index >>> 0;
  const timeLow = time >>> 0;
  const dueLow = due >>> 0;
  const indexAndFlags = ((index - indexLow) / TWO_32) | (flags << 16) | (marked ? 1 << 24 : 0);
  const timeAndDue = ((time - timeLow) / TWO_32) | (dueLow << 16);
  const restOfDue = (dueLow >>> 16) | (((due - dueLow) / TWO_32) << 16);
  into.setUint32(at, indexLow, true);
  into.setInt32(at + 4, indexAndFlags, true);
  into.setUint32(at + 8, position, true);
  into.setUint32(at + 12, length, true);
  into.setUint32(at + 16, timeLow, true);
  into.setInt32(at + 20, timeAndDue, true);
  into.setInt32(at + 24, restOfDue, true);
  const first = sumOf16(-1, indexLow, indexAndFlags, position, length);
  into.setInt32(at + 28, ~sumOf4(sumOf4(sumOf4(first, timeLow), timeAndDue), restOfDue), true);
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
