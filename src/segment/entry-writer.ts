import type { DiskFile } from '../disk/disk.js';
import { writeFully } from '../disk/write-fully.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { isMarkedFrame, lengthOfFrameIn, marksOfFrame } from '../frame/frame.js';
import { entryMarksOf, NO_ENTRY_MARKS } from '../frame/order-marks.js';
import { viewOf } from '../frame/view.js';
import type { Batch } from './batch.js';
import { ENTRY_BYTES, entryPosition, writeEntry, writeEntryIn } from './entry.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

const INITIAL_ENTRIES = 64;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_ENTRIES = 4096;
/** So many entries are not left for later. */
const MOST_LATER = 128;

/** Frames of a batch that were just appended. */
export interface AppendedFrames {
  readonly firstIndex: number;
  readonly count: number;
  /** Where in the file they stand. */
  readonly position: number;
  /** Where in the batch, one behind the other, and how many bytes they have. */
  readonly start: number;
  readonly bytes: number;
  readonly time: number;
  /** Whether any of them carries marks of order. */
  readonly marked: boolean;
  /** Whether a sync comes next, during which there is time to write entries. */
  readonly isSynced: boolean;
}

/**
 * Writes the entries of records that were appended here. Best effort: one that is missing costs a search.
 *
 * A process that appends again and again within one turn of the event loop writes the entries of its first commit with it, and
 * those of the others together, at the end of the turn at the latest: one system call less for each. Where a sync comes next, all
 * are written while it runs. Until then others find these
 * records by searching; this opener writes them before it looks for one. ⚑ They go to the file that was open when the records
 * were appended, whatever has its name by then, and to the places of records that are committed, so no lock is asked for: nobody
 * else ever writes there. Where a lock can be taken away that is not so, and nothing is left for later.
 */
export class EntryWriter {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #mayWait: boolean;
  #entries: Buffer = Buffer.allocUnsafe(INITIAL_ENTRIES * ENTRY_BYTES);
  #view: DataView = viewOf(this.#entries);
  /** The segment of those that are still to be written, the index of the first, and how many. */
  #segment = 0;
  #firstIndex = 0;
  #count = 0;
  #open: { readonly file: DiskFile; readonly unpin: () => void } | undefined;
  #hasWrittenThisTurn = false;

  constructor(files: SegmentFiles, tail: Tail, mayWait: boolean) {
    this.#files = files;
    this.#tail = tail;
    this.#mayWait = mayWait;
    files.unwritten = this;
  }

  /** Under the write lock, when the frames are committed and before the tail moves on. */
  appended(batch: Batch, appended: AppendedFrames): void {
    const { count, firstIndex, marked, isSynced } = appended;
    const tail = this.#tail;
    const isNext = this.#segment === tail.active && this.#firstIndex + this.#count === firstIndex;
    if (this.#count > 0 && !isNext) this.flush();
    if (this.#count === 0) {
      this.#segment = tail.active;
      this.#firstIndex = firstIndex;
    }
    this.#reserve(this.#count + count);
    this.#encode(batch, appended);
    // Whoever opens the store learns the order of its records from their entries.
    const isUrgent = marked || !this.#mayWait || !(this.#hasWrittenThisTurn || isSynced);
    this.#count += count;
    if (!isUrgent && this.#count < MOST_LATER) this.#open ??= this.#pin();
    if (isUrgent || this.#count >= MOST_LATER || this.#open === undefined) this.flush();
    if (this.#mayWait) this.#wroteThisTurn();
  }

  /** The same of the first record of the active segment, which stands there without a batch. */
  adopted(index: number, length: number, time: number): void {
    this.flush();
    const entry = Buffer.allocUnsafe(ENTRY_BYTES);
    writeEntry(entry, 0, index, HEADER_BYTES, length, time);
    try {
      const { active } = this.#tail;
      const file = this.#files.entries(active) ?? this.#files.createEntries(active);
      if (file !== undefined) writeFully(file, entry, ENTRY_BYTES, entryPosition(active, index));
    } catch {
      // It will be found by scanning.
    }
  }

  #encode(
    { bytes, view }: Batch,
    { count, firstIndex, position, start, time, marked }: AppendedFrames,
  ): void {
    const tail = this.#tail;
    let at = start;
    let into = this.#count * ENTRY_BYTES;
    for (let index = firstIndex; index < firstIndex + count; index++) {
      const isMarked = marked && isMarkedFrame(bytes, at);
      if (isMarked) tail.isMarked = true;
      const marks = isMarked ? entryMarksOf(marksOfFrame(bytes, at)) : NO_ENTRY_MARKS;
      const length = lengthOfFrameIn(view, at);
      writeEntryIn(this.#view, into, index, position + at - start, length, time, marks, tail.isMarked);
      at += length;
      into += ENTRY_BYTES;
    }
  }

  /** Writes what is still to be written. */
  flush(): void {
    if (this.#count === 0) return;
    const count = this.#count;
    this.#count = 0;
    const open = this.#open;
    this.#open = undefined;
    try {
      const file = open === undefined ? this.#file() : open.file;
      if (file !== undefined)
        writeFully(file, this.#entries, count * ENTRY_BYTES, entryPosition(this.#segment, this.#firstIndex));
    } catch {
      // The records are committed; their entries will be found by scanning.
    } finally {
      open?.unpin();
    }
    if (count > KEPT_ENTRIES) this.#hold(Buffer.allocUnsafe(INITIAL_ENTRIES * ENTRY_BYTES));
  }

  #wroteThisTurn(): void {
    if (this.#hasWrittenThisTurn) return;
    this.#hasWrittenThisTurn = true;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#hasWrittenThisTurn = false;
    this.flush();
  };

  #file(): DiskFile | undefined {
    return this.#files.entries(this.#segment) ?? this.#files.createEntries(this.#segment);
  }

  #pin(): { file: DiskFile; unpin: () => void } | undefined {
    try {
      return this.#files.descriptors.pin(this.#files.entriesPath(this.#segment));
    } catch {
      return undefined;
    }
  }

  #reserve(count: number): void {
    const size = count * ENTRY_BYTES;
    if (this.#entries.length >= size) return;
    const larger = Buffer.allocUnsafe(size * 2);
    this.#entries.copy(larger, 0, 0, this.#count * ENTRY_BYTES);
    this.#hold(larger);
  }

  #hold(entries: Buffer): void {
    this.#entries = entries;
    this.#view = viewOf(entries);
  }
}
