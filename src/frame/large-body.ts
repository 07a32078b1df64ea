import type { DiskFile } from '../disk/disk.js';
import { checksum } from './checksum.js';
import { HEAD_BYTES, type Head } from './frame.js';

const SLICE_BYTES = 256 * 1024;

let slice: Buffer | undefined;

/** Whether the body behind a head in a file is the one that was written, without holding it in memory. */
export function bodyInFileIsWhole(file: DiskFile, position: number, { length, bodySum }: Head): boolean {
  slice ??= Buffer.allocUnsafeSlow(SLICE_BYTES);
  let sum = 0;
  const end = position + length;
  for (let at = position + HEAD_BYTES; at < end; at += SLICE_BYTES) {
    const wanted = Math.min(SLICE_BYTES, end - at);
    if (file.read(slice, 0, wanted, at) < wanted) return false;
    sum = checksum(slice, 0, wanted, sum);
  }
  return sum === bodySum;
}
