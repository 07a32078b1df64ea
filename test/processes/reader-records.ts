/** Bytes from which every record's are cut. Of a prime length, so that neighbours differ. */
const PATTERN = Buffer.from(Uint8Array.from({ length: 4099 + 2048 }, (_, at) => (at % 4099) * 31));
const INDEX_BYTES = 8;
const LONGEST = 200;

/** What the record of an index says: the index, and some bytes that follow from it. */
export function recordOf(index: number): Uint8Array {
  const start = (index * 17) % 4099;
  const bytes = Buffer.allocUnsafe(INDEX_BYTES + ((index * 7919) % LONGEST));
  bytes.writeDoubleLE(index);
  PATTERN.copy(bytes, INDEX_BYTES, start);
  return bytes;
}

/** Whether all bytes are those of the index. */
export const isRecord = (index: number, data: Uint8Array): boolean =>
  Buffer.compare(data, recordOf(index)) === 0;

/** Those from one index to another, both inclusive. */
export const recordsOf = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from + 1 }, (_, at) => recordOf(from + at));
