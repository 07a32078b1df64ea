import { checksum, sumOf16 } from './checksum.js';
import { readUint32, readUint48 } from './uint48.js';
import { viewOf } from './view.js';

/**
 * The one format of everything that must survive: records, seals and facts are frames, one behind the other. A frame
 * describes itself, so that a file can be read from any frame on without an index. Little-endian; the diagram is in
 * docs/format.md.
 *
 *      0       4    5     6        8       14      20      26        28       32       36
 *      | length|kind|flags|marks   |number |time   |safe   |headers  |body sum|head sum| body …
 *      |  u32  | u8 | u8  |u16 size|  u48  |  u48  |  u48  |u16 size |  u32   |  u32   |
 *
 * `length` counts the whole frame; 0 there is the end of what was written. The body is marks, then headers, then
 * payload. The head sum covers bytes 0 to 31, the body sum the body, so a head can be believed before its body is read.
 *
 * The head sum goes on from the frame's *place*, so that a frame is one only where it was written: not inside the payload of
 * another, not in a block that the file system gives back, not in another store.
 */
export const HEAD_BYTES = 36;

/** `marks` and `headers` sizes are 16 bits wide. */
export const MAX_MARKS_BYTES = 0xffff;
export const MAX_HEADERS_BYTES = 0xffff;

export const FrameKind = {
  /** A record; `number` is its index. */
  record: 1,
  /** The end of a segment; `number` is the first index of the next one. */
  seal: 2,
  /** Says only what is `safe`; `number` is the next index. Written when a store is closed with everything synced. */
  mark: 3,
  /** Facts that ride in a batch, of which it is the last frame; `number` is the index behind its last record. */
  carried: 4,
  /** Facts that were decided together; `number` is the fact number. */
  facts: 16,
  /** The first frame of a journal that succeeds another; `number` is the other's. Without `complete` it is worth nothing. */
  unfinished: 17,
  /** A part of the state at the beginning of such a journal; `number` is the last fact number it folds. */
  state: 18,
  /** The end of that state. */
  complete: 19,
  /** The journal is continued in another; `number` is that one's. The commit of a succession. */
  continues: 20,
  /** Ids of messages that are gone with their segment; `number` is its first index. */
  ids: 21,
} as const;

/** For each kind, 1 where it is one of those that are meant. */
export type KindTable = Uint8Array;

const kindTable = (kinds: readonly number[]): KindTable => {
  const table = new Uint8Array(256);
  for (const kind of kinds) table[kind] = 1;
  return table;
};

/** The kinds that stand in a segment, and those in a journal. */
export const SEGMENT_KINDS = kindTable([FrameKind.record, FrameKind.seal, FrameKind.mark, FrameKind.carried]);
export const JOURNAL_KINDS = kindTable([
  FrameKind.facts,
  FrameKind.unfinished,
  FrameKind.state,
  FrameKind.complete,
  FrameKind.continues,
]);

/** The frame ends a batch: until it is there, none of the batch is. */
export const FLAG_ENDS_BATCH = 1;

/** A record that carries marks which decide when, or in what order, it is to be had; see `order-marks.ts`. */
export const FLAG_MARKED = 2;

export const KNOWN_FLAGS = FLAG_ENDS_BATCH | FLAG_MARKED;

/** Whether a whole frame is of a kind and with flags that this version knows. One that is not was written by a later one. */
export const isKnown = ({ kind, flags }: Head): boolean =>
  flags <= KNOWN_FLAGS && (SEGMENT_KINDS[kind] === 1 || JOURNAL_KINDS[kind] === 1);

/** The same for an archive of ids. */
export const isKnownInArchive = ({ kind, flags }: Head): boolean =>
  kind === FrameKind.ids && flags === FLAG_ENDS_BATCH;

/** A decoded head. Scanners reuse one object: copy what must outlive the next frame. */
export interface Head {
  length: number;
  kind: number;
  flags: number;
  marksBytes: number;
  headersBytes: number;
  number: number;
  time: number;
  safe: number;
  bodySum: number;
}

/** Where more than a small whole number may stand, one that is none begins: V8 keeps the two apart, and would lay the head out anew. */
export const emptyHead = (): Head => ({
  length: 0,
  kind: 0,
  flags: 0,
  marksBytes: 0,
  headersBytes: 0,
  number: 0,
  time: Number.NaN,
  safe: 0,
  bodySum: Number.NaN,
});

/**
 * Writes what is known of a frame before the lock is held: everything about its body, which stands behind the head.
 */
export const writeBodyFields = (
  into: Buffer,
  at: number,
  length: number,
  kind: number,
  flags: number,
  marksBytes: number,
  headersBytes: number,
  sum: number = checksum(into, at + HEAD_BYTES, at + length),
): void => writeBodyFieldsIn(viewOf(into), at, length, kind, flags, marksBytes, headersBytes, sum);

/** The same for who writes many into one memory: making the view takes longer than writing. */
export function writeBodyFieldsIn(
  into: DataView,
  at: number,
  length: number,
  kind: number,
  flags: number,
  marksBytes: number,
  headersBytes: number,
  sum: number,
): void {
  into.setUint32(at, length, true);
  into.setInt32(at + 4, kind | (flags << 8) | (marksBytes << 16), true);
  into.setUint16(at + 26, headersBytes, true);
  writeBodySum(into, at, sum);
}

/** The same for the sum alone, where that was left to be made later. */
export const writeBodySum = (into: DataView, at: number, sum: number): void =>
  into.setUint32(at + 28, sum, true);

/** How long a frame is whose head begins at `at`, by words. */
export const lengthOfFrameIn = (view: DataView, at: number): number => view.getUint32(at, true);

/** Whether a frame whose head begins at `at` carries marks of order, and its marks. */
export const isMarkedFrame = (bytes: Buffer, at: number): boolean =>
  ((bytes[at + 5] as number) & FLAG_MARKED) !== 0;

export const marksOfFrame = (bytes: Buffer, at: number): Buffer => {
  return bytes.subarray(at + HEAD_BYTES, at + HEAD_BYTES + marksBytesOfFrame(bytes, at));
};

/** The place of a frame: its position in the file, and a number that differs from store to store. */
export const placeOf = (salt: number, position: number): number => (salt + position) >>> 0;

/** The store's part of a place. */
export const saltOf = (storeId: Buffer): number => storeId.readUInt32LE(0);

/** Completes a head under the lock, where place, number, time and `safe` are known. */
export const completeHead = (
  into: Buffer,
  at: number,
  place: number,
  number: number,
  time: number,
  safe: number,
): void => completeHeadIn(viewOf(into), at, place, number, time, safe);

const TWO_32 = 2 ** 32;

/** The same for who completes many: what is written goes into the sum as it is, without being read again. */
export function completeHeadIn(
  into: DataView,
  at: number,
  place: number,
  number: number,
  time: number,
  safe: number,
): void {
  const numberLow = number >>> 0;
  const timeLow = time >>> 0;
  const safeLow = safe >>> 0;
  const numberAndTime = ((number - numberLow) / TWO_32) | (timeLow << 16);
  const restOfTime = (timeLow >>> 16) | (((time - timeLow) / TWO_32) << 16);
  const safeAndHeaders = ((safe - safeLow) / TWO_32) | (into.getUint16(at + 26, true) << 16);
  into.setUint32(at + 8, numberLow, true);
  into.setInt32(at + 12, numberAndTime, true);
  into.setInt32(at + 16, restOfTime, true);
  into.setUint32(at + 20, safeLow, true);
  into.setInt32(at + 24, safeAndHeaders, true);
  const half = sumOf16(
    ~place,
    into.getInt32(at, true),
    into.getInt32(at + 4, true),
    numberLow,
    numberAndTime,
  );
  const sum = sumOf16(half, restOfTime, safeLow, safeAndHeaders, into.getInt32(at + 28, true));
  into.setInt32(at + 32, ~sum, true);
}

/**
 * Fills `head` from the 36 bytes that stand at that place; false where their checksum fails or they cannot be a head.
 * Nothing is believed unchecked.
 */
export function readHead(from: Buffer, at: number, place: number, head: Head): boolean {
  // The zeros behind what was written need no sum.
  if (readUint32(from, at) < HEAD_BYTES) return false;
  return checksum(from, at, at + 32, place) === readUint32(from, at + 32) && readCheckedHead(from, at, head);
}

/** The same of 36 bytes that are known to be as they were written. */
export function readCheckedHead(from: Buffer, at: number, head: Head): boolean {
  head.length = lengthOfFrame(from, at);
  head.kind = from[at + 4] as number;
  head.flags = from[at + 5] as number;
  head.marksBytes = marksBytesOfFrame(from, at);
  head.number = numberOfFrame(from, at);
  head.time = timeOfFrame(from, at);
  head.safe = readUint48(from, at + 20);
  head.headersBytes = headersBytesOfFrame(from, at);
  head.bodySum = bodySumOfFrame(from, at);
  return head.length >= HEAD_BYTES + head.marksBytes + head.headersBytes;
}

/** Whether such a frame stands between records and is none: who reads those passes over it. */
export const isBetweenRecords = (kind: number): boolean =>
  kind === FrameKind.mark || kind === FrameKind.carried;

/** What a head says, for who needs little of it and knows already that it is as it was written. */
export const lengthOfFrame = (from: Buffer, at: number): number => readUint32(from, at);
export const isRecordFrame = (from: Buffer, at: number): boolean => from[at + 4] === FrameKind.record;
export const numberOfFrame = (from: Buffer, at: number): number => readUint48(from, at + 8);
export const timeOfFrame = (from: Buffer, at: number): number => readUint48(from, at + 14);
export const bodySumOfFrame = (from: Buffer, at: number): number => readUint32(from, at + 28);
export const marksBytesOfFrame = (from: Buffer, at: number): number =>
  (from[at + 6] as number) | ((from[at + 7] as number) << 8);
export const headersBytesOfFrame = (from: Buffer, at: number): number =>
  (from[at + 26] as number) | ((from[at + 27] as number) << 8);

/** Whether the body that stands wholly behind the head is the one that was written. */
export function bodyIsWhole(from: Buffer, at: number, head: Head): boolean {
  return checksum(from, at + HEAD_BYTES, at + head.length) === head.bodySum;
}
