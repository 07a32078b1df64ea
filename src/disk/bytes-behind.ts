import type { DiskFile } from './disk.js';

const ZEROS = Buffer.alloc(64 * 1024);
/** Nothing is awaited while it is used. */
const bytes = Buffer.allocUnsafe(ZEROS.length);

/** Whether anything but zeros stands behind the position. */
export function hasBytesBehind(file: DiskFile, position: number): boolean {
  for (let from = position; ; ) {
    const length = file.read(bytes, 0, bytes.length, from);
    if (length === 0) return false;
    if (bytes.compare(ZEROS, 0, length, 0, length) !== 0) return true;
    from += length;
  }
}
