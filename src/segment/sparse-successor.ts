import type { DiskFile } from '../disk/disk.js';
import { DraftFile } from '../disk/draft-file.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import {
  bodyIsWhole,
  completeHead,
  emptyHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  isMarkedFrame,
  marksOfFrame,
  readHead,
} from '../frame/frame.js';
import { entryMarksOf, NO_ENTRY_MARKS } from '../frame/order-marks.js';
import { ENTRY_BYTES, type FoundEntry, writeEntry } from './entry.js';
import { findEntry } from './entry-search.js';
import { scanForRecord } from './record-scan.js';
import { type FoundSeal, readSeal, SEAL_BYTES } from './seal.js';
import type { SegmentFiles } from './segment-files.js';

/** So many records, or so many bytes, are copied between two turns of the event loop. */
const SLICE_RECORDS = 64;
const SLICE_BYTES = 256 * 1024;

/**
 * What succeeds a sealed segment of which little is left: the frames of the records still living, as they were but for their
 * places, then the seal; and their entries, in order. Both files are written and on the device before either has its name.
 */
export class SparseSuccessor {
  readonly first: number;
  readonly generation: number;
  readonly #files: SegmentFiles;
  readonly #data: DraftFile;
  readonly #entries: DraftFile;
  #isMarked = false;

  private constructor(files: SegmentFiles, first: number, data: DraftFile, entries: DraftFile) {
    this.#files = files;
    this.first = first;
    this.generation = files.generation(first) + 1;
    this.#data = data;
    this.#entries = entries;
  }

  /**
   * Drafts the successor. `living` are the indexes it holds, ascending. All the segment's records are on the device, and so are
   * the facts that the others are gone. Undefined where it cannot be made: a record or the seal is damaged, or somebody else
   * was first. Rejects with what the disk says; then nothing is left of it. Needs no lock.
   */
  static async draft(
    files: SegmentFiles,
    first: number,
    living: Iterable<number>,
  ): Promise<SparseSuccessor | undefined> {
    const data = DraftFile.create(files.disk, files.names);
    let successor: SparseSuccessor | undefined;
    try {
      const entries = DraftFile.create(files.disk, files.names);
      const drafted = new SparseSuccessor(files, first, data, entries);
      try {
        if (await drafted.#write(living)) successor = drafted;
      } finally {
        if (successor === undefined) entries.close();
      }
    } finally {
      if (successor === undefined) data.close();
    }
    return successor;
  }

  /** Bytes of both files. */
  get size(): number {
    return this.#data.size + this.#entries.size;
  }

  /**
   * Under the write lock: gives the files their names, entries first. The name of the data file is the commit; false where
   * somebody else was first. Entries without data of their generation were left by somebody who died.
   */
  publish(): boolean {
    const { names, disk } = this.#files;
    const data = names.sparseData(this.first, this.generation);
    const entries = names.sparseEntries(this.first, this.generation);
    this.#files.epochs.assertHere();
    if (this.#isOutrun()) return false;
    if (!this.#entries.publish(entries)) {
      disk.unlink(entries);
      if (!this.#entries.publish(entries)) return false;
    }
    return this.#data.publish(data);
  }

  /** Takes the temporary names away. */
  close(): void {
    this.#data.close();
    this.#entries.close();
  }

  /** Whether there is another successor by now, or the segment is gone. */
  #isOutrun(): boolean {
    const isThere = this.#files.list().includes(this.first);
    return !isThere || this.#files.generation(this.first) !== this.generation - 1;
  }

  async #write(living: Iterable<number>): Promise<boolean> {
    const files = this.#files;
    const { first, generation } = this;
    const source = files.data(first);
    // One that a take-over ended has no seal of its own: what stands there may be a sleeper's.
    const isCut = files.epochs.cutOfSegment(first) !== undefined;
    const seal = isCut ? undefined : source && readSeal(files, source);
    if (seal === undefined) return false;
    this.#data.append(files.sparseHeader('sparseData', first, generation));
    this.#entries.append(files.sparseHeader('sparseEntries', first, generation));
    let written = 0;
    let copied = 0;
    for (const index of living) {
      const length = this.#copy(index);
      if (length === undefined) return false;
      written += length;
      copied += 1;
      const isLook = written >= SLICE_BYTES;
      if (isLook || copied % SLICE_RECORDS === 0) await new Promise((resolve) => setImmediate(resolve));
      if (!isLook) continue;
      written = 0;
      if (this.#isOutrun()) return false;
    }
    this.#data.append(this.#sealHere(seal));
    await this.#data.sync();
    await this.#entries.sync();
    return true;
  }

  /** Copies a record; returns its length, undefined where it is not there whole. */
  #copy(index: number): number | undefined {
    const files = this.#files;
    const source = files.data(this.first);
    const frame = source && readFrame(files, source, this.first, index);
    if (frame === undefined) return undefined;
    const { bytes, time, safe } = frame;
    const position = this.#data.size;
    // What was the last of its batch may be gone: each is a batch of its own now.
    bytes[5] = (bytes[5] as number) | FLAG_ENDS_BATCH;
    completeHead(bytes, 0, files.placeOf(position), index, time, safe);
    this.#data.append(bytes);
    if (isMarkedFrame(bytes, 0)) this.#isMarked = true;
    const marks = isMarkedFrame(bytes, 0) ? entryMarksOf(marksOfFrame(bytes, 0)) : NO_ENTRY_MARKS;
    const entry = Buffer.allocUnsafe(ENTRY_BYTES);
    writeEntry(entry, 0, index, position, bytes.length, time, marks, this.#isMarked);
    this.#entries.append(entry);
    return bytes.length;
  }

  /** Everything before the seal's `next` is on the device by now. */
  #sealHere({ bytes, next, time }: FoundSeal): Buffer {
    completeHead(bytes, 0, this.#files.placeOf(this.#data.size), next, time, next - 1);
    return bytes.subarray(0, SEAL_BYTES);
  }
}

interface RawFrame {
  readonly bytes: Buffer;
  readonly time: number;
  readonly safe: number;
}

/** The record's frame, checked; undefined where it is not there whole. */
function readFrame(files: SegmentFiles, file: DiskFile, first: number, index: number): RawFrame | undefined {
  const found: FoundEntry = { position: 0, length: 0 };
  const byEntry = findEntry(files, first, index, found)
    ? frameAt(files, file, index, found.position)
    : undefined;
  if (byEntry !== undefined) return byEntry;
  const { position } = scanForRecord(files, file, first, index, Number.POSITIVE_INFINITY);
  return position === undefined ? undefined : frameAt(files, file, index, position);
}

function frameAt(files: SegmentFiles, file: DiskFile, index: number, position: number): RawFrame | undefined {
  const head = emptyHead();
  const first = Buffer.allocUnsafe(HEAD_BYTES);
  if (position < HEADER_BYTES || file.read(first, 0, HEAD_BYTES, position) < HEAD_BYTES) return undefined;
  if (!readHead(first, 0, files.placeOf(position), head)) return undefined;
  if (head.kind !== FrameKind.record || head.number !== index) return undefined;
  const bytes = Buffer.allocUnsafe(head.length);
  if (file.read(bytes, 0, head.length, position) < head.length || !bodyIsWhole(bytes, 0, head))
    return undefined;
  return { bytes, time: head.time, safe: head.safe };
}
