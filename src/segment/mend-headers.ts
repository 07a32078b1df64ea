import { syncNow } from '../disk/sync-failure.js';
import { CorruptError } from '../errors.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { SEGMENT_KINDS } from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';
import type { SegmentFiles } from './segment-files.js';
import { setAside } from './set-aside.js';

/**
 * A segment whose name reached the device before its header did holds nothing that was ever synced. Its bytes, if any, are
 * set aside and it begins anew, empty. Where some frame calls a record of it safe, the header is damage: CORRUPT, and nothing
 * is touched. Only the first opener, alone in the directory, does this.
 */
export function mendHeaders(files: SegmentFiles): void {
  const firsts = files.list();
  for (const [at, first] of firsts.entries()) {
    try {
      if (files.data(first) === undefined) complete(files, first, at > 0 && at === firsts.length - 1);
    } catch (error) {
      // A sparse segment was whole and on the device before it had its name.
      if (!(error instanceof CorruptError) || files.isSparse(first) || isSafe(files, firsts.slice(at), first))
        throw error;
      begin(files, first);
    }
  }
}

/**
 * ⚑ A full disk can be emptied: where there is no room for the header of the last segment, behind others, its file goes. The
 * next write finds a seal without its successor, and creates that.
 */
function complete(files: SegmentFiles, first: number, isLastOfSeveral: boolean): void {
  try {
    files.create(first);
  } catch (error) {
    const path = files.dataPath(first);
    const size = files.descriptors.get(path)?.size() ?? 0;
    const { code } = error as { code?: unknown };
    const hasNoRoom = code === 'ENOSPC' || code === 'EDQUOT';
    if (!isLastOfSeveral || size > HEADER_BYTES || !hasNoRoom) throw error;
    files.remove(first);
  }
}

/** Whether a frame in one of the segments says that the index is on the device. */
function isSafe(files: SegmentFiles, segments: readonly number[], index: number): boolean {
  for (const segment of segments) {
    const file = files.descriptors.get(files.dataPath(segment));
    if (file === undefined) continue;
    for (const frame of framesBehind(file, 0, SEGMENT_KINDS, files.salt))
      if (frame.safe >= index) return true;
  }
  return false;
}

function begin(files: SegmentFiles, first: number): void {
  const file = files.descriptors.get(files.dataPath(first));
  if (file === undefined) return;
  setAside(files, file, first, 0);
  file.truncate(0);
  syncNow(file);
  files.create(first);
}
