import type { DiskFile } from '../disk/disk.js';
import { writeFully } from '../disk/write-fully.js';
import type { SegmentFiles } from './segment-files.js';

/** Prepared space is cut without a copy: it holds zeros. */
const COPY_BYTES = 1024 * 1024;

/**
 * Copies what stands behind `position` into a side file before it is cut away, so that no byte that was once written is
 * lost to recovery; its bytes, though not its name, are on the device before the cut. Zeros are not worth a file. A copy that fails, for lack of
 * space perhaps, does not stop the cut: what is cut was never acknowledged as synced.
 */
export function setAside(files: SegmentFiles, file: DiskFile, first: number, position: number): void {
  const bytes = Buffer.alloc(COPY_BYTES);
  let side: DiskFile | undefined;
  try {
    for (let from = position; ; ) {
      const length = file.read(bytes, 0, COPY_BYTES, from);
      if (length === 0) break;
      if (side === undefined && bytes.subarray(0, length).some((byte) => byte !== 0)) {
        side = createSideFile(files, first, position);
        if (side === undefined) return;
      }
      if (side !== undefined) writeFully(side, bytes, length, from - position);
      from += length;
    }
    side?.syncNow();
  } catch {
    return;
  } finally {
    side?.close();
  }
}

/** The name says where the bytes stood: segment, position, and how many cuts were there before. */
function createSideFile(files: SegmentFiles, first: number, position: number): DiskFile | undefined {
  for (let attempt = 1; attempt < 1000; attempt++) {
    const side = files.disk.create(files.names.cut(`${first}-${position}-${attempt}`));
    if (side !== undefined) return side;
  }
  return undefined;
}
