const TWO_32 = 2 ** 32;

/** The largest index, fact number or time that fits: 2^48 - 1. */
export const MAX_UINT48 = 2 ** 48 - 1;

/** Writes a whole number below 2^48 in six bytes, little-endian. */
export function writeUint48(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % TWO_32, at);
  into.writeUInt16LE(Math.floor(value / TWO_32), at + 4);
}

export function readUint48(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt16LE(at + 4) * TWO_32;
}
