import type { DiskFile } from '../disk/disk.js';

const CHUNK_BYTES = 256 * 1024;

/** How many bytes behind a position there are up to the last that is not zero: prepared space holds none. */
export function bytesBehind(file: DiskFile, position: number): number {
  const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
  let behind = 0;
  for (let from = position; ; ) {
    const length = file.read(bytes, 0, CHUNK_BYTES, from);
    if (length === 0) return behind;
    for (let at = length - 1; at >= 0; at--) {
      if (bytes[at] === 0) continue;
      behind = from + at + 1 - position;
      break;
    }
    from += length;
  }
}
