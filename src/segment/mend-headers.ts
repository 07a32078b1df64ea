import { syncNow } from '../disk/sync-failure.js';
import { CorruptError } from '../errors.js';
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
      if (files.data(first) === undefined) files.create(first);
    } catch (error) {
      if (!(error instanceof CorruptError) || isSafe(files, firsts.slice(at), first)) throw error;
      begin(files, first);
    }
  }
}

/** Whether a frame in one of the segments says that the index is on the device. */
function isSafe(files: SegmentFiles, segments: readonly number[], index: number): boolean {
  for (const segment of segments) {
    const file = files.descriptors.get(files.names.data(segment));
    if (file === undefined) continue;
    for (const frame of framesBehind(file, 0, SEGMENT_KINDS, files.salt))
      if (frame.safe >= index) return true;
  }
  return false;
}

function begin(files: SegmentFiles, first: number): void {
  const file = files.descriptors.get(files.names.data(first));
  if (file === undefined) return;
  setAside(files, file, first, 0);
  file.truncate(0);
  syncNow(file);
  files.create(first);
}
