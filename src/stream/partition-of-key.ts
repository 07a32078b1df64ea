import { checksum } from '../frame/checksum.js';

/** The partition that records of a key are in: the CRC-32 of its UTF-8, modulo their number. It is part of the format: it never changes. */
export function partitionOfKey(key: string, partitions: number): number {
  const bytes = Buffer.from(key);
  return checksum(bytes, 0, bytes.length) % partitions;
}
