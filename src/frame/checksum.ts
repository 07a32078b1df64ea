import { crc32 } from 'node:zlib';

/** Eight tables, so that eight bytes are taken at a time ("slicing by eight", Kounavis and Berry 2005). */
const TABLES = [0, 1, 2, 3, 4, 5, 6, 7].map(() => new Int32Array(256));
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as Eight<Int32Array>;
type Eight<T> = [T, T, T, T, T, T, T, T];
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  T0[byte] = sum;
}
for (let byte = 0; byte < 256; byte++) {
  for (let table = 1; table < 8; table++) {
    const before = (TABLES[table - 1] as Int32Array)[byte] as number;
    (TABLES[table] as Int32Array)[byte] = (T0[before & 0xff] as number) ^ (before >>> 8);
  }
}

/** Below this the loop beats the native call and the view that it needs. */
const NATIVE_FROM = 192;

/**
 * CRC-32 (the polynomial of zlib and Ethernet) of `bytes[start, end)`, an unsigned 32-bit number. `before` is the checksum
 * of what comes before those bytes, or any number that is to be part of theirs.
 */
export function checksum(bytes: Uint8Array, start: number, end: number, before = 0): number {
  if (end - start >= NATIVE_FROM) {
    const isAll = start === 0 && end === bytes.length;
    return crc32(isAll ? bytes : bytes.subarray(start, end), before);
  }
  let sum = ~before;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    sum =
      (T7[(sum ^ (bytes[at] as number)) & 0xff] as number) ^
      (T6[((sum >>> 8) ^ (bytes[at + 1] as number)) & 0xff] as number) ^
      (T5[((sum >>> 16) ^ (bytes[at + 2] as number)) & 0xff] as number) ^
      (T4[(sum >>> 24) ^ (bytes[at + 3] as number)] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) sum = (T0[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}
