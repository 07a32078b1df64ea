import type { DiskFile } from '../disk/disk.js';
import { type BlockSums, decodeBlockSums, sumWithBlocks } from './block-sums.js';
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

/**
 * Whether a large frame is whole. ⚑ With `believed`, for who knows that all of a stream was written before its file had its name: what
 * stands before its payload, which has the sums of that, is looked at alone. Whoever reads the payload compares it with those.
 */
export function largeFrameIsWhole(file: DiskFile, position: number, head: Head, believed: boolean): boolean {
  if (believed && readLargeFront(file, position, head)?.sums !== undefined) return true;
  return bodyInFileIsWhole(file, position, head);
}

/** What stands before the payload of a large record. */
export interface LargeFront {
  readonly marks: Buffer;
  /** Undefined where it was not written as a stream: then the marks are to be believed when the whole body is summed. */
  readonly sums: BlockSums | undefined;
}

/**
 * Reads what stands before a large record's payload. ⚑ Where the marks have the sums of the payload's blocks, they and the headers are
 * as they were written: with those sums they give the body's own, which the head says. Undefined where they are not.
 */
export function readLargeFront(file: DiskFile, position: number, head: Head): LargeFront | undefined {
  const { marksBytes, headersBytes } = head;
  const before = Buffer.alloc(marksBytes + headersBytes);
  if (file.read(before, 0, before.length, position + HEAD_BYTES) < before.length) return undefined;
  const marks = before.subarray(0, marksBytes);
  const payloadBytes = head.length - HEAD_BYTES - before.length;
  const sums = decodeBlockSums(marks, payloadBytes);
  if (sums === undefined) return { marks, sums };
  const sum = sumWithBlocks(checksum(before, 0, before.length), sums, payloadBytes);
  return sum === head.bodySum ? { marks, sums } : undefined;
}
