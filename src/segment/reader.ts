import type { DiskFile } from '../disk/disk.js';
import { CorruptError } from '../errors.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { emptyHead, FrameKind, HEAD_BYTES, type Head, isBetweenRecords, readHead } from '../frame/frame.js';
import { ChunkCache } from './chunk-cache.js';
import type { FoundEntry } from './entry.js';
import { EntryPages } from './entry-pages.js';
import { findEntry } from './entry-search.js';
import { type LargeRecord, readLarge } from './large-read.js';
import { RecordRun } from './record-run.js';
import { scanForRecord } from './record-scan.js';
import type { SegmentFiles } from './segment-files.js';
import { LARGEST_SHARED, type Room, reserve } from './slab.js';
import { copyRecord, giveRecord, LARGE, type StoredRecord } from './stored-record.js';
import type { Tail } from './tail.js';

const LARGE_READ = 64 * 1024;
/** The part of the memory that positions get. */
const PAGES_SHARE = 1 / 4;

/** Reads records by index. Needs no lock: what is below the committed end never changes. */
export class Reader {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #maxChunk: number;
  readonly #cache: ChunkCache;
  readonly #pages: EntryPages;
  readonly #run: RecordRun;
  readonly #head: Head = emptyHead();
  readonly #found: FoundEntry = { position: 0, length: 0 };
  #searches = true;
  readonly #room: Room = { memory: Buffer.alloc(0), at: 0 };
  /** Of the bytes that `#bytes` returned: where they begin, and whether they stay in the cache. */
  #from = 0;
  #isCached = false;
  #most = Number.POSITIVE_INFINITY;
  #large: LargeRecord | undefined;
  /** The record behind the last one that was not read in order stands here: whoever asks for it reads in order. */
  #afterIndex = 0;
  #afterPath = '';
  #afterPosition = 0;

  constructor(files: SegmentFiles, tail: Tail, maxChunk: number) {
    this.#files = files;
    this.#tail = tail;
    this.#maxChunk = maxChunk;
    const forPages = Math.floor(maxChunk * PAGES_SHARE);
    this.#pages = new EntryPages(files, forPages);
    this.#cache = new ChunkCache(maxChunk - forPages);
    this.#run = this.run();
  }

  /** For who reads many records in order beside others. */
  run(): RecordRun {
    return new RecordRun(this.#files, this.#maxChunk);
  }

  /** Changes when what was known of the files may not count any more. */
  #turn(): number {
    return this.#tail.turns + this.#files.turns;
  }

  /**
   * The record; undefined where no segment holds it any more. CORRUPT where its bytes are damaged. The caller knows that
   * the index is below the next one and that no fact says that it is gone. `LARGE` where it has more than `most` bytes.
   */
  read(index: number, most = Number.POSITIVE_INFINITY, run = this.#run): StoredRecord | undefined {
    this.#most = most;
    this.#large = undefined;
    const turn = this.#turn();
    const record =
      (most >= LARGEST_SHARED ? run.takeWhole(index, turn) : undefined) ??
      run.take(index, turn, most) ??
      this.#readFromFile(index, run);
    if (record === LARGE) this.#large ??= run.large;
    return record;
  }

  /** The same where the run has it at hand; undefined where the files have to be asked, or it is not a small one. */
  ahead(index: number, run: RecordRun): StoredRecord | undefined {
    return run.takeWhole(index, this.#turn());
  }

  /** The same, but undefined where neither what is read in order nor the entries lead to it: searching for it may take long. */
  readWithoutSearch(index: number, most: number): StoredRecord | undefined {
    this.#searches = false;
    try {
      return this.read(index, most);
    } finally {
      this.#searches = true;
    }
  }

  /** Index of the record for which `read` has just answered `LARGE`. */
  get largeIndex(): number {
    return this.#large?.head.number ?? 0;
  }

  /** Where that record stands, for who reads it piece by piece. */
  takeLarge(): LargeRecord | undefined {
    const large = this.#large;
    this.#large = undefined;
    return large;
  }

  /** That record; undefined where it is damaged or cannot be had in this way. */
  async readLarge(): Promise<StoredRecord | undefined> {
    const large = this.#large;
    this.#large = undefined;
    return large && readLarge(this.#files.descriptors, large);
  }

  #readFromFile(index: number, run: RecordRun): StoredRecord | undefined {
    const first = this.#tail.segments.holding(index);
    if (first === undefined) return undefined;
    const file = this.#files.data(first);
    if (file === undefined) return undefined;
    const turn = this.#turn();
    // In a sparse segment nothing stands further on than where it stood before.
    const end = first === this.#tail.active ? this.#tail.end : Number.POSITIVE_INFINITY;
    const isSparse = this.#files.isSparse(first);
    if (index === first && !isSparse) run.begin(file.path, turn, index, HEADER_BYTES);
    else if (index === this.#afterIndex && file.path === this.#afterPath)
      run.begin(file.path, turn, index, this.#afterPosition);
    const limit = this.#tail.segments.after(first) ?? Number.POSITIVE_INFINITY;
    const record = run.read(file, index, turn, end, limit, this.#most);
    if (record !== undefined) return record;
    const found = this.#found;
    if (!isSparse && this.#pages.find(first, index, turn, found)) {
      const hinted = this.#readAt(file, index, found.position, found.length, end);
      if (hinted !== undefined) return hinted;
    }
    // What was succeeded can be read on where it is open, but not well where its entries are not.
    if (this.#files.hasLostEntries(first)) return this.#readFromFile(index, run);
    const named = findEntry(this.#files, first, index, found)
      ? this.#readAt(file, index, found.position, found.length, end)
      : undefined;
    return named ?? (this.#searches ? this.#readByScan(file, first, index, end) : undefined);
  }

  /** The record's frame at a position where it is supposed to be, or behind marks there; undefined where it is not, or not whole. */
  #readAt(
    file: DiskFile,
    index: number,
    position: number,
    length: number,
    end: number,
  ): StoredRecord | undefined {
    const head = this.#head;
    const isHinted = length <= Math.min(this.#most, end - position);
    let known = isHinted ? Math.max(HEAD_BYTES, length) : HEAD_BYTES;
    for (let at = position; at < end; at += head.length, known = HEAD_BYTES) {
      let bytes = this.#bytes(file, at, known, end);
      if (bytes === undefined || !readHead(bytes, this.#from, this.#files.placeOf(at), head))
        return undefined;
      if (isBetweenRecords(head.kind)) continue;
      if (head.kind !== FrameKind.record || head.number !== index || at + head.length > end) return undefined;
      if (head.length > this.#most) {
        this.#large = { path: file.path, position: at, head: { ...head } };
        return LARGE;
      }
      if (head.length > known) {
        bytes = this.#bytes(file, at, head.length, end);
        if (bytes === undefined) return undefined;
      }
      const record = this.#isCached
        ? copyRecord(bytes, this.#from, head)
        : giveRecord(bytes, this.#from, head);
      if (record === undefined) return undefined;
      this.#afterIndex = index + 1;
      this.#afterPath = file.path;
      this.#afterPosition = at + head.length;
      return record;
    }
    return undefined;
  }

  /** Bytes that begin at `#from` in the returned buffer; undefined where the file has fewer. */
  #bytes(file: DiskFile, position: number, length: number, end: number): Buffer | undefined {
    const cached = this.#cache.view(file, position, length, end);
    this.#isCached = cached !== undefined;
    if (cached !== undefined) {
      this.#from = this.#cache.at;
      return cached;
    }
    // A length that lies must not take the memory that it asks for; a look at the size costs as much as a small read.
    if (position + length > (length > LARGE_READ ? Math.min(end, file.size()) : end)) return undefined;
    const room = this.#room;
    // What has no marks and no headers stands right behind its head.
    if (length <= LARGEST_SHARED) reserve(length, HEAD_BYTES, room);
    else {
      room.at = -HEAD_BYTES & 7;
      room.memory = Buffer.allocUnsafeSlow(room.at + length);
    }
    this.#from = room.at;
    return file.read(room.memory, room.at, length, position) === length ? room.memory : undefined;
  }

  /** The entries did not help: look through the data file itself. */
  #readByScan(file: DiskFile, first: number, index: number, end: number): StoredRecord {
    const found = scanForRecord(this.#files, file, first, index, end);
    const record =
      found.position === undefined ? undefined : this.#readAt(file, index, found.position, 0, end);
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
