const known = new WeakMap<readonly Uint8Array[], Buffer>();

/** The bytes of a batch in one piece, made once for each: its cost is not the platform's. */
export function joined(records: readonly Uint8Array[]): Buffer {
  let bytes = known.get(records);
  if (bytes === undefined) {
    bytes = Buffer.concat(records);
    known.set(records, bytes);
  }
  return bytes;
}
