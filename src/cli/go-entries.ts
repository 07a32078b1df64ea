/** What an index file of the Go Durostore says of a record: where its bytes are in the data file, `finish` exclusive. */
export interface GoEntry {
  readonly deleted: boolean;
  readonly index: number;
  readonly start: number;
  readonly finish: number;
}

/** An index file, as far as it can be taken at its word. */
export interface GoEntries {
  readonly entries: readonly GoEntry[];
  /** Indexes of records whose bytes are not all there. */
  readonly beyond: readonly number[];
  /** Byte positions of what no program has written as an entry. */
  readonly senseless: readonly number[];
  /** How many bytes at the end are no whole entry. */
  readonly torn: number;
  /** Behind which position nothing was taken, as nobody can tell where entries begin there. */
  readonly unaligned: number | undefined;
}

const ENTRY_BYTES = 25;

/** Entries are 25 bytes, big-endian: deleted u8, index u64, start i64, finish i64. Index and positions are at most 2^53 - 1 here. */
export function goEntries(bytes: Buffer, dataSize: number): GoEntries {
  const entries: GoEntry[] = [];
  const beyond: number[] = [];
  const senseless: number[] = [];
  const torn = bytes.length % ENTRY_BYTES;
  let unaligned: number | undefined;
  for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
    const entry = entryAt(bytes, at);
    if (entry !== undefined && entry.finish <= dataSize) {
      entries.push(entry);
      continue;
    }
    // ⚑ An entry that was torn moves all that were written behind it.
    if (torn > 0) {
      unaligned = at;
      break;
    }
    if (entry === undefined) senseless.push(at);
    else if (!entry.deleted) beyond.push(entry.index);
  }
  return { entries, beyond, senseless, torn, unaligned };
}

function entryAt(bytes: Buffer, at: number): GoEntry | undefined {
  const flag = bytes[at];
  const index = Number(bytes.readBigUInt64BE(at + 1));
  const start = Number(bytes.readBigInt64BE(at + 9));
  const finish = Number(bytes.readBigInt64BE(at + 17));
  const isOne =
    (flag === 0 || flag === 1) &&
    Number.isSafeInteger(index) &&
    Number.isSafeInteger(finish) &&
    start >= 0 &&
    start <= finish;
  return isOne ? { deleted: flag === 1, index, start, finish } : undefined;
}
