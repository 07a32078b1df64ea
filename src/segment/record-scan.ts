import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import {
  emptyHead,
  FrameKind,
  HEAD_BYTES,
  isBetweenRecords,
  readHead,
  SEGMENT_KINDS,
} from '../frame/frame.js';
import { framesBehind } from '../frame/frame-search.js';
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
  // A sparse segment is small.
  const before = files.isSparse(first) ? undefined : nearestFrame(files, first, file, index - 1);
  let position = before?.position ?? HEADER_BYTES;
  while (position < end) {
    if (file.read(bytes, 0, HEAD_BYTES, position) < HEAD_BYTES) break;
    if (!readHead(bytes, 0, files.placeOf(position), head)) {
      return { position: behindDamage(files, file, index, position, end), badPosition: position };
    }
    if (head.kind === FrameKind.record) {
      if (head.number === index) return { position, badPosition: position };
      if (head.number > index) break;
    } else if (!isBetweenRecords(head.kind)) {
      break;
    }
    position += head.length;
  }
  return { position: undefined, badPosition: position };
}

/** With a head damaged nothing says where the next frame begins: every byte may. */
function behindDamage(
  files: SegmentFiles,
  file: DiskFile,
  index: number,
  position: number,
  end: number,
): number | undefined {
  for (const frame of framesBehind(file, position + 1, SEGMENT_KINDS, files.salt)) {
    if (frame.position >= end || frame.number > index) return undefined;
    if (frame.kind === FrameKind.record && frame.number === index) return frame.position;
  }
  return undefined;
}
