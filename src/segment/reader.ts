import type { DiskFile } from '../disk/disk.js';
import { CorruptError } from '../errors.js';
import { bodyIsWhole, emptyHead, FrameKind, HEAD_BYTES, type Head, readHead } from '../frame/frame.js';
import { ChunkCache } from './chunk-cache.js';
import type { FoundEntry } from './entry.js';
import { findEntry } from './entry-search.js';
import { type LargeRecord, readLarge } from './large-read.js';
import { scanForRecord } from './record-scan.js';
import type { SegmentFiles } from './segment-files.js';
import { copyOut } from './slab.js';
import type { Tail } from './tail.js';

const LARGE_READ = 64 * 1024;

/** A record as it was read: everything is a copy that belongs to the caller. */
export interface StoredRecord {
  readonly index: number;
  readonly time: number;
  readonly marks: Uint8Array;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/** In place of a record that is larger than was asked for: it is to be had by `readLarge`. */
export const LARGE: StoredRecord = { index: 0, time: 0, marks: EMPTY, headers: EMPTY, payload: EMPTY };

/** Reads records by index. Needs no lock: what is below the committed end never changes. */
export class Reader {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #cache: ChunkCache;
  readonly #head: Head = emptyHead();
  readonly #found: FoundEntry = { position: 0, length: 0 };
  /** The record behind the last one read stands here: reading in order needs no entries. */
  #cursorIndex = 0;
  #cursorPath = '';
  #cursorPosition = 0;
  #most = Number.POSITIVE_INFINITY;
  #large: LargeRecord | undefined;

  constructor(files: SegmentFiles, tail: Tail, maxChunk: number) {
    this.#files = files;
    this.#tail = tail;
    this.#cache = new ChunkCache(maxChunk);
  }

  /** Bytes held in memory. */
  get cachedBytes(): number {
    return this.#cache.bytes;
  }

  /**
   * The record; undefined where no segment holds it any more. CORRUPT where its bytes are damaged. The caller knows that
   * the index is below the next one and that no fact says that it is gone. `LARGE` where it has more than `most` bytes.
   */
  read(index: number, most = Number.POSITIVE_INFINITY): StoredRecord | undefined {
    this.#most = most;
    const first = this.#tail.segments.holding(index);
    if (first === undefined) return undefined;
    const file = this.#files.data(first);
    if (file === undefined) return undefined;
    const isSparse = this.#files.isSparse(first);
    // In a sparse segment nothing stands further on than where it stood before.
    const end = first === this.#tail.active ? this.#tail.end : Number.POSITIVE_INFINITY;
    const sequential =
      file.path === this.#cursorPath &&
      (index === this.#cursorIndex || (isSparse && index > this.#cursorIndex));
    let record = sequential ? this.#readAt(file, index, this.#cursorPosition, 0, end, true) : undefined;
    // What was succeeded can be read on where it is open, but not well where its entries are not.
    if (record === undefined && this.#files.hasLostEntries(first)) return this.read(index, most);
    if (record === undefined && findEntry(this.#files, first, index, this.#found)) {
      const { position, length } = this.#found;
      record = this.#readAt(file, index, position, length, end, index === first);
    }
    return record ?? this.#readByScan(file, first, index, end);
  }

  /** Index of the record for which `read` has just answered `LARGE`. */
  get largeIndex(): number {
    return this.#large?.head.number ?? 0;
  }

  /** That record; undefined where it is damaged or cannot be had in this way. */
  async readLarge(): Promise<StoredRecord | undefined> {
    const large = this.#large;
    this.#large = undefined;
    return large && readLarge(this.#files.descriptors, large);
  }

  /** The record's frame at a position where it is supposed to be; undefined where it is not, or not whole. */
  #readAt(
    file: DiskFile,
    index: number,
    position: number,
    length: number,
    end: number,
    load: boolean,
  ): StoredRecord | undefined {
    const head = this.#head;
    for (let at = position; at < end; at += head.length) {
      const known = at === position && length >= HEAD_BYTES && length <= this.#most ? length : HEAD_BYTES;
      let bytes = this.#bytes(file, at, known, end, load);
      if (bytes === undefined || !readHead(bytes, this.#cache.at, this.#files.placeOf(at), head))
        return undefined;
      if (head.kind === FrameKind.mark) continue;
      if (head.kind !== FrameKind.record || head.number !== index || at + head.length > end) return undefined;
      if (head.length > this.#most) {
        this.#large = { path: file.path, position: at, head: { ...head } };
        return LARGE;
      }
      if (head.length > known) {
        bytes = this.#bytes(file, at, head.length, end, load);
        if (bytes === undefined) return undefined;
      }
      if (!bodyIsWhole(bytes, this.#cache.at, head)) return undefined;
      this.#cursorIndex = index + 1;
      this.#cursorPath = file.path;
      this.#cursorPosition = at + head.length;
      return copyRecord(bytes, this.#cache.at, head);
    }
    return undefined;
  }

  /** Bytes that begin at `#cache.at` in the returned buffer; undefined where the file has fewer. */
  #bytes(file: DiskFile, position: number, length: number, end: number, load: boolean): Buffer | undefined {
    const cached = this.#cache.view(file, position, length, end, load);
    if (cached !== undefined) return cached;
    // A length that lies must not take the memory that it asks for; a look at the size costs as much as a small read.
    if (position + length > (length > LARGE_READ ? Math.min(end, file.size()) : end)) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    this.#cache.at = 0;
    return file.read(bytes, 0, length, position) === length ? bytes : undefined;
  }

  /** The entries did not help: look through the data file itself. */
  #readByScan(file: DiskFile, first: number, index: number, end: number): StoredRecord {
    const found = scanForRecord(this.#files, file, first, index, end);
    const record =
      found.position === undefined ? undefined : this.#readAt(file, index, found.position, 0, end, false);
    if (record !== undefined) return record;
    const entry = findEntry(this.#files, first, index, this.#found) ? this.#found : undefined;
    throw new CorruptError('a record is damaged or missing', {
      file: file.path,
      position: entry?.position ?? found.badPosition,
      bytes: entry?.length ?? Math.max(0, Math.min(end, file.size()) - found.badPosition),
      indexes: { from: index, to: index },
    });
  }
}

function copyRecord(bytes: Buffer, at: number, head: Head): StoredRecord {
  const marksAt = at + HEAD_BYTES;
  const headersAt = marksAt + head.marksBytes;
  const payloadAt = headersAt + head.headersBytes;
  return {
    index: head.number,
    time: head.time,
    marks: head.marksBytes === 0 ? EMPTY : copyOut(bytes, marksAt, headersAt),
    headers: head.headersBytes === 0 ? EMPTY : copyOut(bytes, headersAt, payloadAt),
    payload: copyOut(bytes, payloadAt, at + head.length),
  };
}
