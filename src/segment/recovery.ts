import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import type { Appender } from './appender.js';
import { EndSurvey } from './end-survey.js';
import { nearestFrame } from './entry-search.js';
import { mendHeaders } from './mend-headers.js';
import { decideEnd, type LostRange, lostBetween } from './recovery-table.js';
import type { SegmentFiles } from './segment-files.js';
import { settleEnd } from './settle-end.js';
import type { Tail } from './tail.js';

/**
 * What the first opener does with what it finds, from the first record that is not known to be safe on, as recovery's table
 * says. It holds every lock, so whatever is unfinished will never be finished. Returns the indexes that were lost.
 */
export function recoverSegments(
  files: SegmentFiles,
  tail: Tail,
  appender: Appender,
  wallTime: number,
): readonly LostRange[] {
  mendHeaders(files);
  tail.open();
  const { lowest } = tail.segments;
  if (lowest === undefined) return [];
  const missing: LostRange[] = [{ from: tail.safe + 1, to: lowest }];
  tail.gaps.length = 0;
  // From the last safe record itself: what stands behind it, a seal perhaps, may not be.
  tail.enterAt(Math.max(tail.safe, lowest));
  const survey = new EndSurvey(files, tail, true);
  for (;;) {
    // What an earlier epoch left may have no header: there is nothing to read, and nobody will write it.
    const isThere = files.data(tail.active) !== undefined;
    if (isThere) tail.readOn();
    const { row, goesOnAt, lost } = settleEnd(files, survey, tail, appender, wallTime);
    const isEnded = row === 'earlier-epoch';
    if (isThere && !files.isEnded(tail.active)) {
      files.createEntries(tail.active);
      files.dropEntries(tail.active, tail.nextIndex);
    }
    if (lost !== undefined) missing.push(lost);
    const next = isEnded ? goesOnAt : tail.segments.after(tail.active);
    if (next === undefined) break;
    tail.enter(next);
  }
  return [...missing, ...tail.gaps].flatMap(({ from, to }) => lostBetween(from, to, tail.safe) ?? []);
}

/**
 * Goes to where the log ends, as the first opener would find it, and appends nothing: for a take-over, to which the files
 * of the epoch before are closed. Throws Fenced.
 */
export function findEnd(files: SegmentFiles, tail: Tail): FoundLogEnd {
  mendHeaders(files);
  tail.open();
  const { lowest } = tail.segments;
  if (lowest !== undefined) tail.enterAt(Math.max(tail.safe, lowest));
  const survey = new EndSurvey(files, tail, true);
  let before: SegmentEnd | undefined;
  for (;;) {
    const next = tail.segments.after(tail.active);
    if (files.data(tail.active) !== undefined) readOnOverDamage(survey, tail);
    const last = { first: tail.active, end: tail.end };
    if (next === undefined) return { last, before };
    before = last;
    tail.enter(next);
  }
}

/** A segment, and where its last whole batch ends. */
export interface SegmentEnd {
  readonly first: number;
  readonly end: number;
}

export interface FoundLogEnd {
  /** The last segment; `first` is 0 where there is none. */
  readonly last: SegmentEnd;
  /** The one before it, where that was read too. */
  readonly before: SegmentEnd | undefined;
}

function readOnOverDamage(survey: EndSurvey, tail: Tail): void {
  for (;;) {
    tail.readOn();
    const { end, behind } = survey.take();
    if (decideEnd(end).behind !== 'pass-over' || behind === undefined) return;
    tail.passOver(behind);
  }
}

/**
 * After a failed sync, the pages that it did not bring to the device may be called clean. What is not known to be safe is
 * written again, byte for byte where it stands, which makes it dirty, and synced. The segment is sealed, so that nobody
 * appends to a file that the device has once refused. Under every lock; throws what the disk throws.
 */
export function rewriteUnsafe(files: SegmentFiles, tail: Tail, appender: Appender, wallTime: number): void {
  const from = tail.segments.holding(tail.safe) ?? tail.segments.lowest;
  if (from === undefined) return;
  if (tail.nextIndex > tail.active) appender.roll(wallTime);
  for (const first of [...tail.segments].filter((segment) => segment >= from)) {
    // A sparse segment was on the device before it had its name.
    if (files.isSparse(first)) continue;
    files.makeOwn(first);
    const file = files.data(first);
    if (file === undefined) continue;
    const bytes = Buffer.allocUnsafe(1024 * 1024);
    // What is safe is left alone: writing it again could only harm it.
    const safe = first === from ? nearestFrame(files, first, file, tail.safe) : undefined;
    for (let position = safe?.position ?? 0; ; ) {
      const length = file.read(bytes, 0, bytes.length, position);
      if (length === 0) break;
      writeFully(file, bytes, length, position);
      position += length;
    }
    syncNow(file);
  }
  files.disk.syncDirectoryNow(files.names.directory);
  tail.sawSafe(tail.nextIndex - 1);
  files.disk.unlink(files.names.suspect());
  files.disk.syncDirectoryNow(files.names.directory);
}
