import type { DiskFile } from '../disk/disk.js';

const ZEROS = Buffer.alloc(64 * 1024);
/** Nothing is awaited while it is used. */
const bytes = Buffer.allocUnsafe(ZEROS.length);

/** How many bytes behind a position there are up to the last that is not zero: prepared space holds none. */
export function bytesBehind(file: DiskFile, position: number): number {
  let behind = 0;
  for (let from = position; ; ) {
    const length = file.read(bytes, 0, bytes.length, from);
    if (length === 0) return behind;
    let last = bytes.compare(ZEROS, 0, length, 0, length) === 0 ? -1 : length - 1;
    while (last >= 0 && bytes[last] === 0) last -= 1;
    if (last >= 0) behind = from + last + 1 - position;
    from += length;
  }
}
