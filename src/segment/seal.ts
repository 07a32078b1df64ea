import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import {
  bodyIsWhole,
  completeHead,
  emptyHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  readHead,
  writeBodyFields,
} from '../frame/frame.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from '../frame/uint48.js';
import type { SegmentFiles } from './segment-files.js';

/**
 * The frame that ends a segment and names the next. Its body is the segment's summary, by which an opener knows what
 * is inside without reading it:
 *
 *      0       6           12          18           24        28       32      36      40
 *      | count | first time| last time | greatest   | reserved                  | marked |
 *      |  u48  |   u48     |   u48     | time  u48  | 12 bytes                  |  u32   |
 *
 * `greatest` is the greatest time of the store so far; `marked` is 1 where any record is marked.
 */
const SUMMARY_BYTES = 40;

const MARKED_AT = 36;

/** Room for it is kept in every segment, so that a roll can always be committed. */
export const SEAL_BYTES = HEAD_BYTES + SUMMARY_BYTES;

export interface Summary {
  count: number;
  firstTime: number;
  lastTime: number;
  greatestTime: number;
  /** Whether any of the records carries marks of order. */
  marked: boolean;
}

/** A seal "continues at `next`"; records below it that this segment does not hold were lost and will not come back. */
export function encodeSeal(
  place: number,
  next: number,
  time: number,
  safe: number,
  summary: Summary,
): Buffer {
  const frame = Buffer.alloc(SEAL_BYTES);
  writeUint48(frame, summary.count, HEAD_BYTES);
  writeUint48(frame, summary.firstTime, HEAD_BYTES + 6);
  writeUint48(frame, summary.lastTime, HEAD_BYTES + 12);
  writeUint48(frame, summary.greatestTime, HEAD_BYTES + 18);
  writeUint32(frame, summary.marked ? 1 : 0, HEAD_BYTES + MARKED_AT);
  writeBodyFields(frame, 0, SEAL_BYTES, FrameKind.seal, FLAG_ENDS_BATCH, 0, 0);
  completeHead(frame, 0, place, next, time, safe);
  return frame;
}

/** The greatest record time up to the seal whose frame begins at `at`. */
export const greatestTimeOfSeal = (bytes: Buffer, at: number): number =>
  readUint48(bytes, at + HEAD_BYTES + 18);

export interface FoundSeal {
  readonly next: number;
  readonly safe: number;
  readonly time: number;
  readonly greatestTime: number;
  readonly marked: boolean;
  /** The frame as it stands in the file. */
  readonly bytes: Buffer;
}

/** The seal at the end of a segment; undefined where none stands there, or zeros stand behind it. */
export function readSeal(files: SegmentFiles, file: DiskFile): FoundSeal | undefined {
  const bytes = Buffer.allocUnsafe(SEAL_BYTES);
  const position = file.size() - SEAL_BYTES;
  const head = emptyHead();
  if (position < HEADER_BYTES || file.read(bytes, 0, SEAL_BYTES, position) < SEAL_BYTES) return undefined;
  if (!readHead(bytes, 0, files.placeOf(position), head) || head.kind !== FrameKind.seal) return undefined;
  if (head.length !== SEAL_BYTES || !bodyIsWhole(bytes, 0, head)) return undefined;
  const { number: next, safe, time } = head;
  const marked = readUint32(bytes, HEAD_BYTES + MARKED_AT) !== 0;
  return { next, safe, time, greatestTime: greatestTimeOfSeal(bytes, 0), marked, bytes };
}

/** A frame that says "everything below `next` is synced" and nothing else; see `FrameKind.mark`. */
export function encodeSafeMark(place: number, next: number, time: number): Buffer {
  const frame = Buffer.alloc(HEAD_BYTES);
  writeBodyFields(frame, 0, HEAD_BYTES, FrameKind.mark, FLAG_ENDS_BATCH, 0, 0);
  completeHead(frame, 0, place, next, time, next - 1);
  return frame;
}
