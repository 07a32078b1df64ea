import { HEADER_BYTES } from '../frame/file-header.js';
import { readUint32 } from '../frame/uint48.js';
import { ENTRY_BYTES, entryPosition, type FoundEntry } from './entry.js';
import type { SegmentFiles } from './segment-files.js';

const PAGE_ENTRIES = 128;
/** A page's positions, and the one behind them, which says how long the last record is. */
const PAGE_BYTES = 4 * (PAGE_ENTRIES + 1);
const POSITION_AT = 8;
const LENGTH_AT = 12;

interface Page {
  first: number;
  number: number;
  turn: number;
  /** Positions of frames by record; 0 where there was no entry. */
  readonly positions: Uint32Array;
}

/**
 * Where the records of dense segments stand, by what their entries say: positions alone, at most `maxBytes` of them. One reads 128
 * entries as fast as one. They are hints, and are not checked: who follows one finds the frame that says that it is the record's,
 * at that place, or asks the entry itself.
 */
export class EntryPages {
  readonly #files: SegmentFiles;
  /** A page has one place: which of those that share it is there is the one that was asked for last. */
  readonly #pages: (Page | undefined)[];
  readonly #bytes = Buffer.allocUnsafe((PAGE_ENTRIES + 1) * ENTRY_BYTES);

  constructor(files: SegmentFiles, maxBytes: number) {
    this.#files = files;
    this.#pages = new Array<Page | undefined>(Math.floor(maxBytes / PAGE_BYTES)).fill(undefined);
  }

  /** Fills `found`; the length, too, is a hint, and 0 where there is none. False where nothing is known of the record. */
  find(first: number, index: number, turn: number, found: FoundEntry): boolean {
    const places = this.#pages.length;
    if (places === 0) return false;
    const number = Math.floor((index - first) / PAGE_ENTRIES);
    const place = (Math.floor(first / PAGE_ENTRIES) + number) % places;
    const at = index - first - number * PAGE_ENTRIES;
    let page = this.#pages[place];
    if (page === undefined || page.first !== first || page.number !== number || page.turn !== turn) {
      page = this.#read(page, first, number, turn);
      this.#pages[place] = page;
    } else if (page.positions[at] === 0) this.#read(page, first, number, turn);
    const position = page.positions[at] as number;
    const next = page.positions[at + 1] as number;
    found.position = position;
    found.length = next > position ? next - position : 0;
    return position > 0;
  }

  #read(before: Page | undefined, first: number, number: number, turn: number): Page {
    const positions = before?.positions ?? new Uint32Array(PAGE_ENTRIES + 1);
    const page = before ?? { first, number, turn, positions };
    page.first = first;
    page.number = number;
    page.turn = turn;
    const bytes = this.#bytes;
    const from = first + number * PAGE_ENTRIES;
    const read = this.#files.entries(first)?.read(bytes, 0, bytes.length, entryPosition(first, from)) ?? 0;
    const count = Math.floor(read / ENTRY_BYTES);
    for (let at = 0; at <= PAGE_ENTRIES; at++) {
      const entry = at * ENTRY_BYTES;
      const isThere = at < count && readUint32(bytes, entry) === (from + at) % 2 ** 32;
      const position = isThere ? readUint32(bytes, entry + POSITION_AT) : 0;
      positions[at] = position >= HEADER_BYTES ? position : 0;
    }
    // Behind the last one stands the next frame, or nothing yet.
    if (count > 0 && count <= PAGE_ENTRIES && positions[count - 1] !== 0)
      positions[count] =
        (positions[count - 1] as number) + readUint32(bytes, (count - 1) * ENTRY_BYTES + LENGTH_AT);
    return page;
  }
}
