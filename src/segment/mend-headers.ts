import { isNoRoom } from '../disk/no-room.js';
import { syncNow } from '../disk/sync-failure.js';
import { CorruptError } from '../errors.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { SEGMENT_KINDS } from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';
import { decideHeader, type FoundHeader, type HeaderDecision } from './recovery-table.js';
import type { SegmentFiles } from './segment-files.js';
import { setAside } from './set-aside.js';

/**
 * Completes or mends the headers of segments as recovery's table says. Only the first opener, alone in the directory, does
 * this. CORRUPT where a header is damaged whose segment holds what is safe; nothing is touched then.
 */
export function mendHeaders(files: SegmentFiles): void {
  const firsts = files.list();
  for (const [at, first] of firsts.entries()) {
    const header = judge(files, first);
    if (header === 'valid') continue;
    const size = files.descriptors.get(files.dataPath(first))?.size() ?? 0;
    const found: FoundHeader = {
      header,
      // A sparse segment was whole and on the device before it had its name.
      safe: header === 'foreign' && (files.isSparse(first) || isSafe(files, firsts.slice(at), first)),
      full: false,
      empty: size <= HEADER_BYTES,
      place: at < firsts.length - 1 ? 'inner' : at > 0 ? 'last' : 'only',
      ended: files.isEnded(first),
    };
    try {
      mend(files, first, decideHeader(found));
    } catch (error) {
      // ⚑ A full disk can be emptied, whenever it became full.
      const decision = isNoRoom(error) ? decideHeader({ ...found, full: true }) : 'full';
      if (decision !== 'remove' && decision !== 'leave') throw error;
      if (decision === 'remove') files.remove(first);
    }
  }
}

function judge(files: SegmentFiles, first: number): FoundHeader['header'] {
  try {
    return files.data(first) === undefined ? 'absent' : 'valid';
  } catch (error) {
    if (error instanceof CorruptError) return 'foreign';
    throw error;
  }
}

function mend(files: SegmentFiles, first: number, decision: HeaderDecision): void {
  if (decision === 'complete' || decision === 'begin-anew') files.makeOwn(first);
  if (decision === 'complete') files.create(first);
  else if (decision === 'begin-anew') begin(files, first);
  // Tells what is wrong with it.
  else if (decision === 'corrupt') files.data(first);
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
