import { FEATURE_JOBS, HEADER_BYTES } from '../frame/file-header.js';
import type { EntryMarks } from '../frame/order-marks.js';
import { ENTRY_BYTES, indexOfEntry, marksOfEntry, timeOfEntry } from './entry.js';
import { readSeal } from './seal.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

const PAGE_ENTRIES = 2048;

/** What an entry says of a marked record; without marks where there is no whole entry, and the record itself has to be asked. */
export interface MarkedEntry {
  readonly index: number;
  readonly time: number;
  readonly marks: EntryMarks | undefined;
}

/**
 * The records `[from, to)` that are marked, by their entries: 32 bytes a record, and a single look at a segment that has no
 * marked ones. `isWanted` is asked for each segment `[first, next)` first. The caller's end of the log is that of `tail`.
 */
export function* markedEntries(
  files: SegmentFiles,
  tail: Tail,
  from: number,
  to: number,
  isWanted: (first: number, next: number) => boolean,
): IterableIterator<MarkedEntry> {
  for (const first of [...tail.segments]) {
    const next = Math.min(tail.segments.after(first) ?? tail.nextIndex, to);
    if (next <= from || first >= to || !isWanted(first, next) || !hasMarked(files, tail, first)) continue;
    if (files.isSparse(first)) yield* sparseEntries(files, first, from, next);
    else yield* denseEntries(files, first, Math.max(from, first), next);
  }
}

/** False where the segment says that none of its records is marked. */
function hasMarked(files: SegmentFiles, tail: Tail, first: number): boolean {
  if (first === tail.active && tail.state !== 'sealed') return tail.isMarked;
  const data = files.data(first);
  // What a take-over has ended has no seal of its own.
  if (data === undefined || (!files.isSparse(first) && files.isEnded(first))) return data !== undefined;
  if (!files.announces(first, FEATURE_JOBS)) return false;
  return readSeal(files, data)?.marked ?? true;
}

function* denseEntries(
  files: SegmentFiles,
  first: number,
  from: number,
  to: number,
): IterableIterator<MarkedEntry> {
  const page = Buffer.allocUnsafe(PAGE_ENTRIES * ENTRY_BYTES);
  for (let start = from; start < to; start += PAGE_ENTRIES) {
    const count = Math.min(PAGE_ENTRIES, to - start);
    const position = HEADER_BYTES + (start - first) * ENTRY_BYTES;
    const read = files.entries(first)?.read(page, 0, count * ENTRY_BYTES, position) ?? 0;
    for (let at = 0; at < count; at++) {
      const index = start + at;
      const isWhole = (at + 1) * ENTRY_BYTES <= read && indexOfEntry(page, at * ENTRY_BYTES) === index;
      if (!isWhole) yield { index, time: 0, marks: undefined };
      else yield* marked(page, at * ENTRY_BYTES, index);
    }
  }
}

function* sparseEntries(
  files: SegmentFiles,
  first: number,
  from: number,
  to: number,
): IterableIterator<MarkedEntry> {
  const file = files.entries(first);
  if (file === undefined) {
    yield* unknown(Math.max(first, from), to);
    return;
  }
  const page = Buffer.allocUnsafe(PAGE_ENTRIES * ENTRY_BYTES);
  let behind = Math.max(first, from);
  for (let position = HEADER_BYTES; ; position += page.length) {
    const read = file.read(page, 0, page.length, position);
    for (let at = 0; at + ENTRY_BYTES <= read; at += ENTRY_BYTES) {
      const index = indexOfEntry(page, at);
      // A damaged entry does not say of which record it is.
      if (index === undefined) yield* unknown(behind, to);
      if (index === undefined || index >= to) return;
      if (index >= from) yield* marked(page, at, index);
      behind = Math.max(behind, index + 1);
    }
    if (read < page.length) return;
  }
}

function* unknown(from: number, to: number): IterableIterator<MarkedEntry> {
  for (let index = from; index < to; index++) yield { index, time: 0, marks: undefined };
}

function* marked(page: Buffer, at: number, index: number): IterableIterator<MarkedEntry> {
  const marks = marksOfEntry(page, at);
  if (marks.flags !== 0 || marks.due !== 0) yield { index, time: timeOfEntry(page, at), marks };
}
