import { HEADER_BYTES } from '../frame/file-header.js';
import { readUint32 } from '../frame/uint48.js';
import { ENTRY_BYTES, entryPosition, type FoundEntry } from './entry.js';
import type { SegmentFiles } from './segment-files.js';

const PAGE_ENTRIES = 128;
/** A page's positions, and the one behind them, which says how long the last record is. */
const STRIDE = PAGE_ENTRIES + 1;
const POSITION_AT = 8;
const LENGTH_AT = 12;

/**
 * Where the records of dense segments stand, by what their entries say: positions alone, at most `maxBytes` of them. One reads 128
 * entries as fast as one. They are hints, and are not checked: who follows one finds the frame that says that it is the record's,
 * at that place, or asks the entry itself.
 */
export class EntryPages {
  readonly #files: SegmentFiles;
  /** A power of two. A page has one place: of those that share it, it is the one that was asked for last. */
  readonly #places: number;
  /** The index of each page's first record; a page belongs to one segment. */
  #pages = new Float64Array(0);
  /** Positions of frames; 0 where there was no entry. */
  #positions = new Uint32Array(0);
  #turn = -1;
  readonly #bytes = Buffer.allocUnsafe(STRIDE * ENTRY_BYTES);

  constructor(files: SegmentFiles, maxBytes: number) {
    this.#files = files;
    const most = Math.floor(maxBytes / (4 * STRIDE + 8));
    this.#places = most === 0 ? 0 : 2 ** Math.floor(Math.log2(most));
  }

  /**
   * Fills `found`; the length, too, is a hint, and 0 where there is none. False where nothing is known of the record. `turn`
   * changes when first indexes may stand for other files.
   */
  find(first: number, index: number, turn: number, found: FoundEntry): boolean {
    if (this.#places === 0) return false;
    if (turn !== this.#turn) this.#begin(turn);
    const at = (index - first) & (PAGE_ENTRIES - 1);
    const page = index - at;
    const place = (page / PAGE_ENTRIES) & (this.#places - 1);
    const slot = place * STRIDE + at;
    if (this.#pages[place] !== page || this.#positions[slot] === 0) this.#read(first, page, place);
    const position = this.#positions[slot] as number;
    const next = this.#positions[slot + 1] as number;
    found.position = position;
    found.length = next > position ? next - position : 0;
    return position > 0;
  }

  #begin(turn: number): void {
    this.#turn = turn;
    if (this.#pages.length > 0) this.#pages.fill(0);
    else {
      this.#pages = new Float64Array(this.#places);
      this.#positions = new Uint32Array(this.#places * STRIDE);
    }
  }

  #read(first: number, page: number, place: number): void {
    const bytes = this.#bytes;
    const positions = this.#positions;
    const read = this.#files.entries(first)?.read(bytes, 0, bytes.length, entryPosition(first, page)) ?? 0;
    const count = Math.floor(read / ENTRY_BYTES);
    const slot = place * STRIDE;
    this.#pages[place] = page;
    for (let at = 0; at < STRIDE; at++) {
      const entry = at * ENTRY_BYTES;
      const isThere = at < count && readUint32(bytes, entry) === (page + at) % 2 ** 32;
      const position = isThere ? readUint32(bytes, entry + POSITION_AT) : 0;
      positions[slot + at] = position >= HEADER_BYTES ? position : 0;
    }
    // Behind the last one stands the next frame, or nothing yet.
    const last = count - 1;
    if (last < 0 || last >= PAGE_ENTRIES || positions[slot + last] === 0) return;
    positions[slot + count] =
      (positions[slot + last] as number) + readUint32(bytes, last * ENTRY_BYTES + LENGTH_AT);
  }
}
