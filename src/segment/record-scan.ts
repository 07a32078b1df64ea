import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { emptyHead, FrameKind, HEAD_BYTES, readHead } from '../frame/frame.js';
import { nearestFrame } from './entry-search.js';
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
  let position = nearestFrame(files, first, file, index - 1)?.position ?? HEADER_BYTES;
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
