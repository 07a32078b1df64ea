import type { DiskFile } from './disk.js';

const ZEROS = Buffer.alloc(64 * 1024);

/** Whether anything but zeros stands behind the position. */
export function hasBytesBehind(file: DiskFile, position: number): boolean {
  const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(ZEROS.length, file.size() - position)));
  for (let from = position; ; ) {
    const length = file.read(bytes, 0, bytes.length, from);
    if (length === 0) return false;
    if (bytes.compare(ZEROS, 0, length, 0, length) !== 0) return true;
    from += length;
  }
}
