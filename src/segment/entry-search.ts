import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { bodyIsWhole, emptyHead, FrameKind, HEAD_BYTES, readHead, SEGMENT_KINDS } from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';
import { largeFrameIsWhole } from '../frame/large-body.js';
import {
  ENTRY_BYTES,
  entryPosition,
  type FoundEntry,
  indexOfEntry,
  isMarkedUpTo,
  readEntry,
  timeOfEntry,
} from './entry.js';
import type { SegmentFiles } from './segment-files.js';

export interface FoundFrame {
  index: number;
  position: number;
  /** Whether the record, or one before it in its segment, is marked. */
  isMarked: boolean;
}

const PAGE_ENTRIES = 128;
/** A frame of more is summed without being held. */
const LARGEST_WHOLE = 1024 * 1024;

const one = Buffer.allocUnsafe(ENTRY_BYTES);

/** Fills `found` from the record's entry; false where that is missing or odd, or the record is not in a sparse segment. */
export function findEntry(files: SegmentFiles, first: number, index: number, found: FoundEntry): boolean {
  const entries = files.entries(first);
  if (entries === undefined) return false;
  if (files.isSparse(first)) return searchSparse(entries, index, found);
  if (entries.read(one, 0, ENTRY_BYTES, entryPosition(first, index)) < ENTRY_BYTES) return false;
  return readEntry(one, 0, index, found);
}

/** What the entry that was found last says of the time. */
export const timeOfFound = (): number => timeOfEntry(one, 0);

/** The entries of a sparse segment stand in the order of their indexes, and some are missing. */
function searchSparse(entries: DiskFile, index: number, found: FoundEntry): boolean {
  let low = 0;
  let high = Math.floor((entries.size() - HEADER_BYTES) / ENTRY_BYTES);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries.read(one, 0, ENTRY_BYTES, HEADER_BYTES + middle * ENTRY_BYTES) < ENTRY_BYTES) return false;
    const there = indexOfEntry(one, 0);
    if (there === index) return readEntry(one, 0, index, found);
    // A damaged entry does not say which way to go.
    if (there === undefined) return false;
    if (there < index) low = middle + 1;
    else high = middle;
  }
  return false;
}

/**
 * The last record that the entries of a segment name and whose frame is there: from it on the end is found by reading.
 * Undefined where there is none; then the segment is read from its beginning.
 */
export function lastEntry(files: SegmentFiles, first: number, data: DiskFile): FoundFrame | undefined {
  const entries = files.entries(first);
  if (entries === undefined) return undefined;
  const count = Math.floor((entries.size() - HEADER_BYTES) / ENTRY_BYTES);
  const page = Buffer.allocUnsafe(PAGE_ENTRIES * ENTRY_BYTES);
  const found: FoundEntry = { position: 0, length: 0 };
  for (let upTo = count; upTo > 0; upTo -= PAGE_ENTRIES) {
    const from = Math.max(0, upTo - PAGE_ENTRIES);
    const read = entries.read(page, 0, (upTo - from) * ENTRY_BYTES, HEADER_BYTES + from * ENTRY_BYTES);
    for (let at = upTo - from - 1; at >= 0; at--) {
      if ((at + 1) * ENTRY_BYTES > read) continue;
      const index = first + from + at;
      if (readEntry(page, at * ENTRY_BYTES, index, found) && hasFrame(files, data, index, found.position)) {
        return { index, position: found.position, isMarked: isMarkedUpTo(page, at * ENTRY_BYTES) };
      }
    }
  }
  return undefined;
}

/**
 * The record at or before `index` that the entries lead to, looking back in growing strides: from it on one reads.
 * Undefined where there is none; then one reads from the segment's beginning.
 */
export function nearestFrame(
  files: SegmentFiles,
  first: number,
  data: DiskFile,
  index: number,
): FoundFrame | undefined {
  const entries = files.entries(first);
  if (entries === undefined) return undefined;
  const bytes = Buffer.allocUnsafe(ENTRY_BYTES);
  const found: FoundEntry = { position: 0, length: 0 };
  for (let back = 0; index - back >= first; back = back * 2 || 1) {
    const candidate = index - back;
    if (entries.read(bytes, 0, ENTRY_BYTES, entryPosition(first, candidate)) < ENTRY_BYTES) continue;
    if (!readEntry(bytes, 0, candidate, found) || !hasFrame(files, data, candidate, found.position)) continue;
    return { index: candidate, position: found.position, isMarked: isMarkedUpTo(bytes, 0) };
  }
  return undefined;
}

/**
 * The first record from `index` on, beyond `position`, that the entries name and whose frame is whole: evidence that
 * what stands before it was written once and is damaged, not unfinished.
 */
export function nextWholeFrame(
  files: SegmentFiles,
  first: number,
  data: DiskFile,
  index: number,
  position: number,
): FoundFrame | undefined {
  const entries = files.entries(first);
  if (entries === undefined) return undefined;
  const page = Buffer.allocUnsafe(PAGE_ENTRIES * ENTRY_BYTES);
  const found: FoundEntry = { position: 0, length: 0 };
  for (let from = index - first; ; from += PAGE_ENTRIES) {
    const read = entries.read(page, 0, page.length, HEADER_BYTES + from * ENTRY_BYTES);
    const count = Math.floor(read / ENTRY_BYTES);
    if (count === 0) return undefined;
    for (let at = 0; at < count; at++) {
      const candidate = first + from + at;
      if (!readEntry(page, at * ENTRY_BYTES, candidate, found) || found.position <= position) continue;
      if (hasFrame(files, data, candidate, found.position)) {
        const isMarked = isMarkedUpTo(page, at * ENTRY_BYTES);
        return { index: candidate, position: found.position, isMarked };
      }
    }
  }
}

/** The first whole frame behind `position` from `index` on, at whatever byte it begins. Slow. */
export function nextFrame(
  files: SegmentFiles,
  data: DiskFile,
  index: number,
  position: number,
): FoundFrame | undefined {
  for (const frame of framesBehind(data, position + 1, SEGMENT_KINDS, files.salt))
    if (frame.number >= index) return { index: frame.number, position: frame.position, isMarked: true };
  return undefined;
}

/** Whether the record's frame, head and body, stands at the position. */
export function hasFrame(files: SegmentFiles, data: DiskFile, index: number, position: number): boolean {
  const head = emptyHead();
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  if (data.read(bytes, 0, HEAD_BYTES, position) < HEAD_BYTES) return false;
  if (!readHead(bytes, 0, files.placeOf(position), head)) return false;
  if (head.kind !== FrameKind.record || head.number !== index) return false;
  if (position + head.length > data.size()) return false;
  if (head.length > LARGEST_WHOLE) return largeFrameIsWhole(data, position, head, files.believesAt(position));
  const whole = Buffer.allocUnsafe(head.length);
  return data.read(whole, 0, head.length, position) === head.length && bodyIsWhole(whole, 0, head);
}

/** The time of a segment's first record; undefined where it has none. */
export function firstRecordTime(files: SegmentFiles, data: DiskFile): number | undefined {
  const head = emptyHead();
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  if (data.read(bytes, 0, HEAD_BYTES, HEADER_BYTES) < HEAD_BYTES) return undefined;
  if (!readHead(bytes, 0, files.placeOf(HEADER_BYTES), head)) return undefined;
  return head.kind === FrameKind.record ? head.time : undefined;
}
