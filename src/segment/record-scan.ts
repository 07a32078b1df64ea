import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { emptyHead, FrameKind, HEAD_BYTES, readHead } from '../frame/frame.js';
import { ENTRY_BYTES, entryPosition, type FoundEntry, readEntry } from './entry.js';
import type { SegmentFiles } from './segment-files.js';

/** Where a record is, or where the search for it ended. */
export interface ScanResult {
  readonly position: number | undefined;
  readonly badPosition: number;
}

/**
 * Looks for a record whose entry is missing: from the nearest record before it that has one, from head to head. Costs
 * the distance to that record; a writer that died between its frames and their entries leaves a gap of one batch.
 */
export function scanForRecord(
  files: SegmentFiles,
  file: DiskFile,
  first: number,
  index: number,
  end: number,
): ScanResult {
  const head = emptyHead();
  const bytes = Buffer.allocUnsafe(HEAD_BYTES);
  let position = nearestBefore(files, file, first, index);
  while (position < end) {
    if (file.read(bytes, 0, HEAD_BYTES, position) < HEAD_BYTES || !readHead(bytes, 0, head)) break;
    if (head.kind === FrameKind.record) {
      if (head.number === index) return { position, badPosition: position };
      if (head.number > index) break;
    } else if (head.kind !== FrameKind.mark) {
      break;
    }
    position += head.length;
  }
  return { position: undefined, badPosition: position };
}

/** Steps back in growing strides until an entry holds whose frame's head is there; else the segment's beginning. */
function nearestBefore(files: SegmentFiles, file: DiskFile, first: number, index: number): number {
  const entries = files.entries(first);
  if (entries === undefined) return HEADER_BYTES;
  const bytes = Buffer.allocUnsafe(ENTRY_BYTES);
  const headBytes = Buffer.allocUnsafe(HEAD_BYTES);
  const head = emptyHead();
  const found: FoundEntry = { position: 0, length: 0 };
  for (let back = 1; index - back >= first; back *= 2) {
    const candidate = index - back;
    if (entries.read(bytes, 0, ENTRY_BYTES, entryPosition(first, candidate)) < ENTRY_BYTES) continue;
    if (!readEntry(bytes, 0, candidate, found)) continue;
    if (file.read(headBytes, 0, HEAD_BYTES, found.position) < HEAD_BYTES) continue;
    if (readHead(headBytes, 0, head) && head.kind === FrameKind.record && head.number === candidate) {
      return found.position;
    }
  }
  return HEADER_BYTES;
}
