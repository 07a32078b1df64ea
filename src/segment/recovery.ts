import { hasBytesBehind } from '../disk/bytes-behind.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import type { Appender } from './appender.js';
import { nearestFrame } from './entry-search.js';
import { mendHeaders } from './mend-headers.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

/** Indexes from `from` up to but not including `to`. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
}

/**
 * What the first opener does with what it finds, from the first record that is not known to be safe on. It holds every
 * lock, so whatever is unfinished will never be finished.
 *
 * | found behind the last whole batch                              | decision                                        |
 * | -------------------------------------------------------------- | ----------------------------------------------- |
 * | nothing, or zeros up to the end of the file                    | nothing to do                                   |
 * | an unfinished batch, bad bytes, or whole frames behind zeros   | cut, physically                                 |
 * | bad bytes at or below what a later frame calls safe            | damage: kept, CORRUPT when read                 |
 * | any of these, or nothing, without a seal, while a later        | records were lost to a power cut: cut, sealed   |
 * |   segment exists                                               |   towards the later segment, reported as lost   |
 * | a header that is not whole, of a segment none of which is safe | set aside: the segment is empty                 |
 * | no segment for records above what is safe, but later ones      | reported as lost                                |
 * | a seal whose segment is missing, while a later one exists      | the same, without a cut                         |
 * | a seal whose segment is missing                                | the segment is created                          |
 *
 * Returns the indexes that were lost.
 */
export function recoverSegments(
  files: SegmentFiles,
  tail: Tail,
  appender: Appender,
  wallTime: number,
): readonly LostRange[] {
  mendHeaders(files);
  tail.open();
  const highest = tail.segments.highest;
  if (highest === undefined) return [];
  tail.gaps.length = 0;
  const lowest = tail.segments.lowest ?? highest;
  if (tail.safe + 1 < lowest) tail.gaps.push({ from: tail.safe + 1, to: lowest });
  // From the last safe record itself: what stands behind it, a seal perhaps, may not be.
  tail.enterAt(Math.max(tail.safe, lowest));
  for (;;) {
    tail.catchUpAlone();
    if (tail.state !== 'sealed' && cutIsNeeded(files, tail)) appender.cut();
    files.createEntries(tail.active);
    const next = tail.segments.after(tail.active);
    if (next === undefined) break;
    if (next > tail.nextIndex) tail.gaps.push({ from: tail.nextIndex, to: next });
    if (tail.state !== 'sealed') appender.seal(wallTime, next);
    tail.enter(next);
  }
  return tail.gaps;
}

/** Prepared space is left alone only where it is nothing but zeros, for a frame behind it must never come to life. */
function cutIsNeeded(files: SegmentFiles, tail: Tail): boolean {
  if (tail.state === 'unfinished') return true;
  const file = files.data(tail.active);
  return file !== undefined && hasBytesBehind(file, tail.end);
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
    const file = files.data(first);
    // A sparse segment was on the device before it had its name.
    if (file === undefined || files.isSparse(first)) continue;
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
