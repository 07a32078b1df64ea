import type { DiskFile } from '../disk/disk.js';
import { writeFully } from '../disk/write-fully.js';
import { isMarkedFrame, marksOfFrame } from '../frame/frame.js';
import { entryMarksOf, NO_ENTRY_MARKS } from '../frame/order-marks.js';
import { readUint32 } from '../frame/uint48.js';
import type { Batch } from './batch.js';
import { ENTRY_BYTES, entryPosition, writeEntry } from './entry.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

const INITIAL_ENTRIES = 64;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_ENTRIES = 4096;
/** So many entries are not left for later. */
const MOST_LATER = 128;

/** Frames of a batch that were just appended. */
export interface AppendedFrames {
  readonly firstFrame: number;
  readonly count: number;
  readonly firstIndex: number;
  /** Where in the file the batch's bytes from `start` on stand. */
  readonly position: number;
  readonly start: number;
  readonly time: number;
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
  #entries = Buffer.allocUnsafe(INITIAL_ENTRIES * ENTRY_BYTES);
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
  appended(
    batch: Batch,
    { firstFrame, count, firstIndex, position, start, time, isSynced }: AppendedFrames,
  ): void {
    const tail = this.#tail;
    const isNext = this.#segment === tail.active && this.#firstIndex + this.#count === firstIndex;
    if (this.#count > 0 && !isNext) this.flush();
    if (this.#count === 0) {
      this.#segment = tail.active;
      this.#firstIndex = firstIndex;
    }
    this.#reserve(this.#count + count);
    let isUrgent = !this.#mayWait || !(this.#hasWrittenThisTurn || isSynced);
    for (let i = 0; i < count; i++) {
      const frame = batch.frames[firstFrame + i] as number;
      const isMarked = isMarkedFrame(batch.bytes, frame);
      if (isMarked) tail.isMarked = true;
      // Whoever opens the store learns the order of its records from their entries.
      if (isMarked) isUrgent = true;
      const marks = isMarked ? entryMarksOf(marksOfFrame(batch.bytes, frame)) : NO_ENTRY_MARKS;
      const length = readUint32(batch.bytes, frame);
      const at = (this.#count + i) * ENTRY_BYTES;
      const begin = position + frame - start;
      writeEntry(this.#entries, at, firstIndex + i, begin, length, time, marks, tail.isMarked);
    }
    this.#count += count;
    if (!isUrgent && this.#count < MOST_LATER) this.#open ??= this.#pin();
    if (isUrgent || this.#count >= MOST_LATER || this.#open === undefined) this.flush();
    if (this.#mayWait) this.#wroteThisTurn();
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
    if (count > KEPT_ENTRIES) this.#entries = Buffer.allocUnsafe(INITIAL_ENTRIES * ENTRY_BYTES);
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
    this.#entries = larger;
  }
}
