import { encodeLongMark, encodeMark, findLongMark, Mark } from './marks.js';
import { readUint32, writeUint32 } from './uint48.js';
import { joinedSum } from './whole-frames.js';

/**
 * The sums of the blocks of a payload that was written as a stream: of how many bytes each block is (u32), and the CRC-32 of each
 * (u32), the last of which may be shorter. The body's own sum is known before its first byte is read, but agrees or not only
 * behind its last.
 */
export const BLOCK_BYTES = 1024 * 1024;

/** As many as the longest frame has, and what marks add to them. An even number: padding comes in pairs of bytes. */
export const BLOCK_SUMS_BYTES = 8264;

const LONGEST_PADDING = 254;

/** Marks of exactly `BLOCK_SUMS_BYTES`. */
export function encodeBlockSums(sums: readonly number[]): Buffer {
  const value = Buffer.alloc(4 + 4 * sums.length);
  writeUint32(value, BLOCK_BYTES, 0);
  for (const [at, sum] of sums.entries()) writeUint32(value, sum, 4 + 4 * at);
  const parts = [encodeLongMark(Mark.blockSums, value)];
  let left = BLOCK_SUMS_BYTES - (parts[0] as Buffer).length;
  if (left < 0) throw new RangeError('too many blocks');
  for (; left > 0; left -= (parts[parts.length - 1] as Buffer).length)
    parts.push(encodeMark(Mark.padding, Buffer.alloc(Math.min(left - 2, LONGEST_PADDING))));
  return Buffer.concat(parts);
}

export interface BlockSums {
  readonly blockBytes: number;
  readonly sums: readonly number[];
}

/** Undefined where the marks say nothing of it, or not of a payload of so many bytes. */
export function decodeBlockSums(marks: Uint8Array, payloadBytes: number): BlockSums | undefined {
  const value = findLongMark(marks, Mark.blockSums);
  if (value === undefined || value.length < 4) return undefined;
  const blockBytes = readUint32(value, 0);
  const count = Math.ceil(payloadBytes / blockBytes);
  if (blockBytes < 1 || value.length !== 4 + 4 * count) return undefined;
  return { blockBytes, sums: Array.from({ length: count }, (_, at) => readUint32(value, 4 + 4 * at)) };
}

/** The sum of what is summed as `before` with a payload of so many bytes behind it, which the sums of its blocks say without a look. */
export function sumWithBlocks(before: number, { blockBytes, sums }: BlockSums, payloadBytes: number): number {
  let sum = before;
  for (const [at, one] of sums.entries())
    sum = joinedSum(sum, one, Math.min(blockBytes, payloadBytes - at * blockBytes));
  return sum;
}
