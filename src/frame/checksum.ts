import { crc32 } from 'node:zlib';

/** Sixteen tables, so that sixteen bytes are taken at a time ("slicing", Kounavis and Berry 2005). */
const TABLES = Array.from({ length: 16 }, () => new Int32Array(256));
const [T0, T1, T2, T3, T4, T5, T6, T7, ...HIGHER] = TABLES as [...Eight<Int32Array>, ...Eight<Int32Array>];
const [T8, T9, T10, T11, T12, T13, T14, T15] = HIGHER;
type Eight<T> = [T, T, T, T, T, T, T, T];
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  T0[byte] = sum;
}
for (let byte = 0; byte < 256; byte++) {
  for (let table = 1; table < 16; table++) {
    const before = (TABLES[table - 1] as Int32Array)[byte] as number;
    (TABLES[table] as Int32Array)[byte] = (T0[before & 0xff] as number) ^ (before >>> 8);
  }
}

/** Below this the loop beats the native call and the view that it needs. */
const NATIVE_FROM = 192;
/** The same of the loop that takes four bytes from memory at a time. */
const NATIVE_FROM_IN_WORDS = 448;

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

/**
 * The same of a view of a whole memory, for who makes many sums in it: reading by words is faster by a third, and making the view
 * takes longer than most sums.
 */
export function checksumIn(view: DataView, start: number, end: number, before = 0): number {
  if (end - start >= NATIVE_FROM_IN_WORDS)
    return crc32(new Uint8Array(view.buffer, view.byteOffset + start, end - start), before);
  let sum = ~before;
  let at = start;
  for (; at + 16 <= end; at += 16) {
    const first = view.getInt32(at, true);
    const second = view.getInt32(at + 4, true);
    sum = sumOf16(sum, first, second, view.getInt32(at + 8, true), view.getInt32(at + 12, true));
  }
  for (; at + 4 <= end; at += 4) sum = sumOf4(sum, view.getInt32(at, true));
  for (; at < end; at++) sum = (T0[(sum ^ view.getUint8(at)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}

/**
 * The step of the loops: goes on from `sum`, which is the complement of a checksum, with sixteen bytes, as they are read in four
 * little-endian words. The result is the complement of theirs.
 */
export function sumOf16(sum: number, w0: number, w1: number, w2: number, w3: number): number {
  const first = sum ^ w0;
  return (
    (T15[first & 0xff] as number) ^
    (T14[(first >>> 8) & 0xff] as number) ^
    (T13[(first >>> 16) & 0xff] as number) ^
    (T12[first >>> 24] as number) ^
    (T11[w1 & 0xff] as number) ^
    (T10[(w1 >>> 8) & 0xff] as number) ^
    (T9[(w1 >>> 16) & 0xff] as number) ^
    (T8[w1 >>> 24] as number) ^
    (T7[w2 & 0xff] as number) ^
    (T6[(w2 >>> 8) & 0xff] as number) ^
    (T5[(w2 >>> 16) & 0xff] as number) ^
    (T4[w2 >>> 24] as number) ^
    (T3[w3 & 0xff] as number) ^
    (T2[(w3 >>> 8) & 0xff] as number) ^
    (T1[(w3 >>> 16) & 0xff] as number) ^
    (T0[w3 >>> 24] as number)
  );
}

/** The same with four bytes. */
export function sumOf4(sum: number, word: number): number {
  const mixed = sum ^ word;
  return (
    (T3[mixed & 0xff] as number) ^
    (T2[(mixed >>> 8) & 0xff] as number) ^
    (T1[(mixed >>> 16) & 0xff] as number) ^
    (T0[mixed >>> 24] as number)
  );
}
