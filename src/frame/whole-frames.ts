import { checksum } from './checksum.js';
import { bodySumOfFrame, HEAD_BYTES, lengthOfFrame, placeOf } from './frame.js';

/** CRC-32's polynomial without x^32, the coefficient of x^0 in the highest bit. */
const POLYNOMIAL = 0xedb88320;
/** x^0 and x^8 in that order of bits. */
const ONE = 0x80000000;
const ONE_BYTE = 0x00800000;
/** What every message has as its sum that ends with its own. */
const RESIDUE = 0x2144df1c;
/** So many digits of four bits a length may have. */
const DIGITS = 4;
const LONGEST = 16 ** DIGITS;

/**
 * Where the whole frames end that stand one behind the other from `from` on in `bytes[from, to)`; `from` where there is one among
 * them that is not as it was written. `position`: where that byte stands in the file.
 *
 * One sum over all of them costs a third less than two for each. It is compared with what the sums in the frames say together: a
 * sum is linear, so that of two parts follows from those of the parts. What is damaged within one frame's body is found as surely
 * as by its own sum; what is damaged in several places is not found once in 2^32, as by theirs.
 */
export function endOfWholeFrames(
  bytes: Buffer,
  from: number,
  to: number,
  salt: number,
  position: number,
): number {
  let sum = 0;
  let at = from;
  while (to - at >= HEAD_BYTES) {
    const length = lengthOfFrame(bytes, at);
    if (length < HEAD_BYTES || length > to - at || length >= LONGEST) break;
    // Head and head sum are a message that ends with its own sum, and goes on from the frame's place.
    sum = moved(sum ^ placeOf(salt, position + at - from), behindHead) ^ RESIDUE;
    sum = behind(sum, length - HEAD_BYTES) ^ bodySumOfFrame(bytes, at);
    at += length;
  }
  return checksum(bytes, from, at) === sum >>> 0 ? at : from;
}

/** The sum of what is summed as `first`, with what is summed as `second`, of so many bytes, behind it. */
export const joinedSum = (first: number, second: number, length: number): number =>
  (product(power(ONE_BYTE, length), first) ^ second) >>> 0;

/** For each digit of a length and each value of it: what a sum becomes behind so many bytes of zeros, by its bytes. */
const tables: (Int32Array | undefined)[] = new Array(DIGITS * 16).fill(undefined);

/** What a sum adds to that of what goes on for so many bytes. */
function behind(sum: number, length: number): number {
  let result = sum;
  for (let digit = 0, left = length; left > 0; digit += 16, left >>>= 4) {
    const value = left & 15;
    if (value === 0) continue;
    result = moved(result, tables[digit + value] ?? prepare(digit + value));
  }
  return result;
}

const moved = (sum: number, table: Int32Array): number =>
  (table[sum & 0xff] as number) ^
  (table[256 + ((sum >>> 8) & 0xff)] as number) ^
  (table[512 + ((sum >>> 16) & 0xff)] as number) ^
  (table[768 + (sum >>> 24)] as number);

function prepare(which: number): Int32Array {
  const table = tableFor(power(ONE_BYTE, (which & 15) * 16 ** (which >>> 4)));
  tables[which] = table;
  return table;
}

/** Multiplication by a polynomial, for each byte of what is multiplied. */
function tableFor(factor: number): Int32Array {
  const table = new Int32Array(4 * 256);
  for (let bit = 0; bit < 32; bit++) {
    const one = product(factor, 1 << bit);
    const begin = (bit >>> 3) * 256;
    const value = 1 << (bit & 7);
    for (let below = 0; below < value; below++)
      table[begin + value + below] = one ^ (table[begin + below] as number);
  }
  return table;
}

function power(base: number, exponent: number): number {
  let result = ONE;
  let squared = base;
  for (let left = exponent; left > 0; left >>>= 1) {
    if ((left & 1) !== 0) result = product(result, squared);
    squared = product(squared, squared);
  }
  return result;
}

/** Of two polynomials, modulo that of CRC-32. */
function product(a: number, b: number): number {
  let sum = 0;
  let moved = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) sum ^= moved;
    moved = (moved & 1) !== 0 ? (moved >>> 1) ^ POLYNOMIAL : moved >>> 1;
  }
  return sum;
}

const behindHead = tableFor(power(ONE_BYTE, HEAD_BYTES));
