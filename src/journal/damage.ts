import type { DiskFile } from '../disk/disk.js';
import { CorruptError } from '../errors.js';
import { FrameKind, JOURNAL_KINDS } from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';

/**
 * Whole later frames behind a journal's end, wherever they stand: the sign of damage rather than of an unfinished write.
 * Tells where the first is, and the greatest fact that any of them calls safe.
 */
export function laterFrames(
  file: DiskFile,
  end: number,
  fact: number,
  salt: number,
): { position: number; safe: number } | undefined {
  let found: { position: number; safe: number } | undefined;
  for (const frame of framesBehind(file, end + 1, JOURNAL_KINDS, salt)) {
    if (frame.kind === FrameKind.facts && frame.number <= fact) continue;
    found ??= { position: frame.position, safe: 0 };
    found.safe = Math.max(found.safe, frame.safe);
  }
  return found;
}

/**
 * The state that a journal begins with was on the device before any mark led to it: bytes that are bad there were never
 * unfinished.
 */
export const damagedState = (file: DiskFile, position: number): CorruptError =>
  new CorruptError('the state at the beginning of a journal of fates is damaged', {
    file: file.path,
    position,
    bytes: file.size() - position,
  });
