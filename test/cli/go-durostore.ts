import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An entry of an index file: where a record's bytes are, `finish` exclusive. */
export interface GoEntry {
  readonly index: number | bigint;
  readonly start: number | bigint;
  readonly finish: number | bigint;
  /** 1 where the record was deleted. */
  readonly deleted?: number;
}

export function goEntry({ index, start, finish, deleted = 0 }: GoEntry): Buffer {
  const bytes = Buffer.alloc(25);
  bytes[0] = deleted;
  bytes.writeBigUInt64BE(BigInt(index), 1);
  bytes.writeBigInt64BE(BigInt(start), 9);
  bytes.writeBigInt64BE(BigInt(finish), 17);
  return bytes;
}

/** Writes one pair of files, as that program does: payloads one behind the other, entries in the order given. */
export function goFiles(
  directory: string,
  name: string,
  data: string | Uint8Array,
  entries: readonly (GoEntry | Uint8Array)[],
): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.dat`), data);
  const bytes = entries.map((entry) => (entry instanceof Uint8Array ? entry : goEntry(entry)));
  writeFileSync(join(directory, `${name}.idx`), Buffer.concat(bytes));
}

/** Entries of payloads that stand one behind the other. */
export function goSequence(first: number, payloads: readonly string[]): GoEntry[] {
  let at = 0;
  return payloads.map((payload, n) => {
    const start = at;
    at += Buffer.byteLength(payload);
    return { index: first + n, start, finish: at };
  });
}

/** Everything in a directory, to be compared. */
export const bytesIn = (directory: string): [name: string, bytes: string][] =>
  readdirSync(directory)
    .sort()
    .map((name) => [name, readFileSync(join(directory, name), 'hex')]);
