const TWO_32 = 2 ** 32;

/** The largest index, fact number or time that fits: 2^48 - 1. */
export const MAX_UINT48 = 2 ** 48 - 1;

/** Writes a whole number below 2^48 in six bytes, little-endian. */
export function writeUint48(into: Uint8Array, value: number, at: number): void {
  const low = value >>> 0;
  const high = (value - low) / TWO_32;
  into[at] = low;
  into[at + 1] = low >>> 8;
  into[at + 2] = low >>> 16;
  into[at + 3] = low >>> 24;
  into[at + 4] = high;
  into[at + 5] = high >>> 8;
}

/**
 * What fits into four bytes, as indexes do, is not multiplied: V8 makes a number with a fraction of every product with 2^32, and keeps
 * that in memory of its own. Objects that held a small whole number before are laid out anew for it, and code compiled again.
 */
export function readUint48(from: Uint8Array, at: number): number {
  const low = readUint32(from, at);
  const high = (from[at + 4] as number) | ((from[at + 5] as number) << 8);
  return high === 0 ? low : low + high * TWO_32;
}

/** Like Buffer's methods, without their checks of the arguments, which cost more than the work. */
export function writeUint32(into: Uint8Array, value: number, at: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}

export function readUint32(from: Uint8Array, at: number): number {
  const low = (from[at] as number) | ((from[at + 1] as number) << 8);
  const high = (from[at + 2] as number) | ((from[at + 3] as number) << 8);
  return low + high * 0x10000;
}
