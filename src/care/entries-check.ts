import type { DiskFile } from '../disk/disk.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import {
  ENTRY_BYTES,
  type FoundEntry,
  indexOfEntry,
  isMarkedUpTo,
  readEntry,
  writeEntry,
} from '../segment/entry.js';
import type { Range } from './report.js';
import type { CommitListener } from './segment-walk.js';

const PAGE_ENTRIES = 4096;
const positionOf = (slot: number): number => HEADER_BYTES + slot * ENTRY_BYTES;
const ZEROS = Buffer.alloc(ENTRY_BYTES);

/** Records that entries name, at or beyond an index. */
export interface Witness extends Range {
  readonly count: number;
  /** Bytes of their frames. */
  readonly bytes: number;
  /** Where the frame of the first one is supposed to be. */
  readonly position: number;
}

/**
 * Compares the entries of a segment with its records. Begun before the records are read: whatever the entries name then was
 * committed before, so a record that is not found afterwards was there.
 */
export class EntriesCheck {
  /** Entries that are missing, short or not what the record says, and the header if it is not what it should be. */
  odd = 0;
  /** Where the first of those is. */
  firstOdd = 0;
  readonly size: number;
  readonly #file: DiskFile | undefined;
  readonly #first: number;
  readonly #page: Buffer;
  readonly #expected = Buffer.allocUnsafe(ENTRY_BYTES);
  readonly #isSparse: boolean;
  /** In a sparse segment, entries stand one behind the other: the next one. */
  #slot = 0;
  #pageFrom = 0;
  #pageBytes = 0;

  constructor(file: DiskFile | undefined, first: number, headers: readonly Buffer[], isSparse: boolean) {
    this.#isSparse = isSparse;
    this.#file = file;
    this.#first = first;
    this.size = file?.size() ?? 0;
    const entries = Math.min(PAGE_ENTRIES, 1 + Math.floor(this.size / ENTRY_BYTES));
    this.#page = Buffer.allocUnsafe(entries * ENTRY_BYTES);
    const found = Buffer.alloc(HEADER_BYTES);
    file?.read(found, 0, HEADER_BYTES, 0);
    if (file !== undefined && !headers.some((header) => found.equals(header))) this.#isOdd(0);
  }

  /** A whole record is there. They are to come in order. */
  readonly see: CommitListener = (index, position, length, time, marks, marked) => {
    const slot = this.#isSparse ? this.#slotOf(index) : index - this.#first;
    const at = this.#load(slot);
    // Who writes behind damage cannot know that no marked record is in it.
    const isMarked = marked || (at >= 0 && isMarkedUpTo(this.#page, at));
    writeEntry(this.#expected, 0, index, position, length, time, marks, isMarked);
    if (at < 0 || this.#expected.compare(this.#page, at, at + ENTRY_BYTES) !== 0)
      this.#isOdd(positionOf(slot));
  };

  /** What the entries that were there in the beginning say of records from `next` on. */
  beyond(next: number): Witness | undefined {
    const found: FoundEntry = { position: 0, length: 0 };
    let witness: { from: number; to: number; count: number; bytes: number; position: number } | undefined;
    if (this.#isSparse) return undefined;
    const count = Math.ceil((this.size - HEADER_BYTES) / ENTRY_BYTES);
    for (let index = next; index < this.#first + count; index++) {
      const slot = index - this.#first;
      const at = this.#load(slot);
      if (at < 0 || !readEntry(this.#page, at, index, found)) {
        if (at < 0 || ZEROS.compare(this.#page, at, at + ENTRY_BYTES) !== 0) this.#isOdd(positionOf(slot));
        continue;
      }
      witness ??= { from: index, to: index, count: 0, bytes: 0, position: found.position };
      witness.to = index + 1;
      witness.count += 1;
      witness.bytes += found.length;
    }
    return witness;
  }

  /** Those of records that are damaged are passed over; a damaged entry is taken for the one that is looked for. */
  #slotOf(index: number): number {
    for (;;) {
      const at = this.#load(this.#slot);
      const there = at < 0 ? Number.POSITIVE_INFINITY : indexOfEntry(this.#page, at);
      if (there !== undefined && there > index) return this.#slot;
      this.#slot += 1;
      if (there === undefined || there === index) return this.#slot - 1;
    }
  }

  /** Where the entry stands in the page; -1 where the file does not have it whole. */
  #load(slot: number): number {
    const at = (slot - this.#pageFrom) * ENTRY_BYTES;
    if (at >= 0 && at + ENTRY_BYTES <= this.#pageBytes) return at;
    this.#pageFrom = slot;
    this.#pageBytes = this.#file?.read(this.#page, 0, this.#page.length, positionOf(slot)) ?? 0;
    return this.#pageBytes < ENTRY_BYTES ? -1 : 0;
  }

  #isOdd(position: number): void {
    if (this.odd === 0) this.firstOdd = position;
    this.odd += 1;
  }
}
