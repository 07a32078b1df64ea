import { hasBytesBehind } from '../disk/bytes-behind.js';
import type { DiskFile } from '../disk/disk.js';
import { CorruptError } from '../errors.js';
import { FrameKind, JOURNAL_KINDS } from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';
import type { FoundJournalEnd } from './end-table.js';

/**
 * What stands behind a journal's end, wherever it stands: where the first whole later frame is, the sign of damage rather than
 * of an unfinished write, and the greatest fact that any of them calls safe.
 */
export function surveyEnd(
  file: DiskFile,
  end: number,
  fact: number,
  salt: number,
): { readonly ending: FoundJournalEnd['ending']; readonly position: number; readonly safe: number } {
  if (!hasBytesBehind(file, end)) return { ending: 'clean', position: end, safe: 0 };
  let position: number | undefined;
  let safe = 0;
  for (const frame of framesBehind(file, end + 1, JOURNAL_KINDS, salt)) {
    if (frame.kind === FrameKind.facts && frame.number <= fact) continue;
    position ??= frame.position;
    safe = Math.max(safe, frame.safe);
  }
  return position === undefined
    ? { ending: 'torn', position: file.size(), safe }
    : { ending: 'frames-behind', position, safe };
}

/** Bad bytes from one position to another, where a whole later frame stands. */
export const damagedFact = (file: DiskFile, from: number, to: number): CorruptError =>
  new CorruptError('a fact is damaged', { file: file.path, position: from, bytes: to - from });

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
