import type { DiskFile } from '../disk/disk.js';
import { PreparedSpace } from '../disk/prepared-space.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import { Fenced } from '../epoch/fenced.js';
import { DurostoreError } from '../errors.js';
import { FEATURE_STREAMS, HEADER_BYTES } from '../frame/file-header.js';
import {
  completeHeadIn,
  emptyHead,
  FrameKind,
  HEAD_BYTES,
  isMarkedFrame,
  lengthOfFrameIn,
  marksOfFrame,
  readHead,
} from '../frame/frame.js';
import type { Batch } from './batch.js';
import { EndSurvey } from './end-survey.js';
import { firstRecordTime } from './entry-search.js';
import { type AppendedFrames, EntryWriter } from './entry-writer.js';
import type { MarkFeed } from './mark-feed.js';
import { encodeSafeMark, encodeSeal, SEAL_BYTES } from './seal.js';
import type { SegmentFiles } from './segment-files.js';
import { setAside } from './set-aside.js';
import { settleEnd } from './settle-end.js';
import type { Spool } from './spool.js';
import type { Tail } from './tail.js';

/** Positions in a data file are 32-bit. */
const LARGEST_POSITION = 2 ** 31 - 1;

/** What a segment needs beside its records: its header, and room for the seal that is always kept. */
export const SEGMENT_OVERHEAD = HEADER_BYTES + SEAL_BYTES;

/** How far segments that are written in `synced` mode are prepared at a time. */
const PREPARED_BYTES = 256 * 1024;
/** A commit as large as this gains nothing by prepared space. */
const PREPARE_BELOW = 64 * 1024;

/**
 * Appends at the end of the log. Every method runs under the write lock, in one synchronous stretch, after `catchUp`.
 */
export class Appender {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #maxFileSize: number;
  readonly #entries: EntryWriter;
  readonly #prepared = new PreparedSpace(PREPARED_BYTES);

  readonly #isAlone: boolean;

  /** `mayLoseLock`: whether the lock can be taken away from who holds it. `isAlone`: whether nobody else can have it. */
  constructor(
    files: SegmentFiles,
    tail: Tail,
    maxFileSize: number,
    { mayLoseLock, isAlone }: { readonly mayLoseLock: boolean; readonly isAlone: boolean },
  ) {
    this.#isAlone = isAlone;
    this.#entries = new EntryWriter(files, tail, !mayLoseLock);
    this.#files = files;
    this.#tail = tail;
    this.#maxFileSize = maxFileSize;
  }

  /**
   * Learns what others appended and makes the end fit to append to, as recovery's table says: the writer of an unfinished
   * batch must have died, for we hold its lock; nobody appends to a file with damage; and a sealed segment gets the
   * successor that its sealer did not live to create.
   */
  catchUp(): void {
    const tail = this.#tail;
    if (tail.active === 0) this.begin(tail.nextIndex);
    for (;;) {
      tail.catchUp();
      if (tail.isFenced) throw new Fenced();
      if (tail.state === 'sealed') this.begin(tail.successor);
      else if (tail.state === 'unfinished' || tail.hasDamage || this.#files.isEnded(tail.active)) {
        const survey = new EndSurvey(this.#files, tail, false);
        const { row, goesOnAt } = settleEnd(this.#files, survey, tail, this, tail.time);
        if (row === 'end') return;
        if (row === 'earlier-epoch' && goesOnAt !== undefined) tail.enter(goesOnAt);
      } else if (this.#files.data(tail.active) !== undefined) return;
      else this.begin(tail.active);
    }
  }

  /**
   * Whether so many bytes fit into the active segment beside its seal. Nothing fits behind a seal, and ⚑ nothing into a
   * segment whose header does not announce the features it `needs`: who does not know marks would give the record out before its
   * time.
   */
  fits(bytes: number, needs = 0): boolean {
    const { state, end, active } = this.#tail;
    if (state === 'sealed' || end + bytes + SEAL_BYTES > this.#maxFileSize) return false;
    if (needs === 0 || this.#files.announces(active, needs)) return true;
    // One that an earlier version began and that holds nothing yet cannot be rolled: segments are named by their first index.
    if (end > HEADER_BYTES) return false;
    this.#files.announce(active);
    return true;
  }

  /**
   * Writes the batch's groups `[from, to)`, which fit. From the moment the last byte is in the file they are committed:
   * everybody may see them, whatever happens to this process. Before it, a failure is undone. Returns the first index.
   */
  append(batch: Batch, from: number, to: number, wallTime: number, prepare: boolean): number {
    const tail = this.#tail;
    const first = batch.groups[from];
    const last = batch.groups[to - 1];
    if (first === undefined || last === undefined) throw new Error('nothing to append');
    batch.finishAll(from, to);
    const firstIndex = tail.nextIndex;
    const time = Math.max(Math.floor(wallTime), tail.time);
    const bytes = last.end - first.start;
    const { start } = first;
    const position = tail.end;
    const { view } = batch;
    let count = 0;
    for (let at = start; at < last.end; at += lengthOfFrameIn(view, at)) {
      const place = this.#files.placeOf(position + at - start);
      completeHeadIn(view, at, place, firstIndex + count, time, tail.safe);
      count += 1;
    }
    // What rides in the last group has no index of its own.
    if (last.carriedAt !== undefined) count -= 1;
    const file = this.#activeFile();
    if (prepare && bytes < PREPARE_BELOW) this.#prepared.ensure(file, position, bytes, this.#maxFileSize);
    this.#write(file, batch.bytes, start, bytes);
    let marked = false;
    for (let at = from; at < to; at++) if (batch.groups[at]?.marked === true) marked = true;
    this.#appended(batch, { firstIndex, count, position, start, bytes, time, marked, isSynced: prepare });
    return firstIndex;
  }

  /** The frames are in the file. */
  #appended(batch: Batch, appended: AppendedFrames): void {
    const tail = this.#tail;
    this.#entries.appended(batch, appended);
    tail.end += appended.bytes;
    tail.nextIndex += appended.count;
    tail.time = appended.time;
    tail.isOwnEnd = this.#isAlone;
    if (appended.marked) for (const feed of tail.feeds) tellMarked(feed, batch, appended);
  }

  /** Whether the active segment holds nothing, so that a spool may take its place. */
  get isEmpty(): boolean {
    const { state, end, nextIndex, active } = this.#tail;
    return state === 'open' && end === HEADER_BYTES && nextIndex === active;
  }

  /**
   * Puts a spooled record in the place of the active segment, which holds nothing. ⚑ Its getting that name is the commit: before it
   * there is an empty segment and a leftover, behind it the whole record. Nothing is synced. Returns its index.
   *
   * ⚑ UNSUPPORTED where an older program began that segment: one may have it open, and would go on in what has no name any more.
   */
  adopt(spool: Spool, wallTime: number): number {
    const tail = this.#tail;
    const index = tail.nextIndex;
    const first = tail.active;
    if (!this.#files.announces(first, FEATURE_STREAMS))
      throw new DurostoreError(
        'UNSUPPORTED',
        'the last file was begun by an earlier version and holds nothing yet: write an ordinary record first',
      );
    const time = Math.max(Math.floor(wallTime), tail.time);
    const place = this.#files.placeOf(HEADER_BYTES);
    spool.complete({ header: this.#files.header(first), place, index, time, safe: tail.safe });
    tail.isOwnEnd = false;
    this.#prepared.forget();
    this.#files.replaceEmpty(first, spool.path);
    spool.adopted();
    tail.end = HEADER_BYTES + spool.frameBytes;
    tail.nextIndex = index + 1;
    tail.time = time;
    this.#entries.adopted(index, spool.frameBytes, time);
    return index;
  }

  /** Writes the entries of what was appended that are still to be written. Needs no lock. */
  flushEntries(): void {
    this.#entries.flush();
  }

  /** Seals the active segment and begins the next one, at the next index or, over a gap, further on. */
  roll(wallTime: number, next: number = this.#tail.nextIndex): void {
    // It is sealed already where the successor could not be created, for lack of space, a moment ago.
    if (this.#tail.state !== 'sealed') this.seal(wallTime, next);
    this.begin(this.#tail.successor);
  }

  /** The commit of a roll: from here on nobody appends to the segment. */
  seal(wallTime: number, next: number): void {
    const tail = this.#tail;
    // A segment that continued at its own first index would lead readers in a circle.
    if (next <= tail.active) throw new Error(`segment ${tail.active} cannot continue at ${next}`);
    const file = this.#activeFile();
    const time = Math.max(Math.floor(wallTime), tail.time);
    const count = tail.nextIndex - tail.active;
    const seal = encodeSeal(this.#files.placeOf(tail.end), next, time, tail.safe, {
      count,
      firstTime: firstRecordTime(this.#files, file) ?? tail.time,
      lastTime: tail.time,
      greatestTime: tail.time,
      marked: tail.isMarked,
    });
    this.#write(file, seal, 0, seal.length);
    tail.end += seal.length;
    tail.state = 'sealed';
    tail.successor = next;
    try {
      if (file.size() > tail.end) file.truncate(tail.end);
    } catch {
      // Prepared zeros that stay cost space, nothing else.
    }
  }

  /** Creates the segment and turns to it. */
  begin(first: number): void {
    this.#files.create(first);
    this.#files.createEntries(first);
    this.#tail.enter(first);
  }

  /**
   * Says at the end of the file that everything is synced, so that the next one to open has nothing to check. Nothing is
   * said twice, or every close would take room from the records; and nothing in a segment without records, which could
   * not be rolled to get that room back: a segment is named by its first index.
   */
  mark(wallTime: number): void {
    const tail = this.#tail;
    const file = this.#activeFile();
    // Others may have written since the caller synced: nobody has synced that.
    if (tail.safe < tail.nextIndex - 1) return;
    if (tail.nextIndex === tail.active || this.#endsWithMark(file)) return;
    const time = Math.max(Math.floor(wallTime), tail.time);
    const mark = encodeSafeMark(this.#files.placeOf(tail.end), tail.nextIndex, time);
    // ⚑ Behind a record that a stream made longer than files are here, too: nothing else says that it is on the device.
    const isLong = tail.state !== 'sealed' && tail.end + SEAL_BYTES > this.#maxFileSize;
    if (!isLong && !this.fits(mark.length)) return;
    if (tail.end + mark.length + SEAL_BYTES > LARGEST_POSITION) return;
    this.#write(file, mark, 0, mark.length);
    tail.end += mark.length;
  }

  /**
   * Removes what stands behind the committed end, physically: merely overwriting it would let an old frame come to life
   * where a new one ends exactly at its beginning. Its bytes are set aside first, and the cut is on the device before
   * anything is written there again.
   */
  cut(): void {
    const tail = this.#tail;
    tail.isOwnEnd = false;
    const file = this.#activeFile();
    setAside(this.#files, file, tail.active, tail.end);
    file.truncate(tail.end);
    syncNow(file);
    this.#prepared.forget();
    tail.state = 'open';
    this.#files.dropEntries(tail.active, tail.nextIndex);
  }

  #endsWithMark(file: DiskFile): boolean {
    const bytes = Buffer.alloc(HEAD_BYTES);
    const position = this.#tail.end - HEAD_BYTES;
    if (file.read(bytes, 0, HEAD_BYTES, position) < HEAD_BYTES) return false;
    const head = emptyHead();
    if (!readHead(bytes, 0, this.#files.placeOf(position), head)) return false;
    return head.kind === FrameKind.mark && head.number === this.#tail.nextIndex;
  }

  #activeFile(): DiskFile {
    const file = this.#files.data(this.#tail.active);
    if (file === undefined)
      throw new DurostoreError('STORE_FAILED', 'the active segment has vanished: reopen to go on');
    return file;
  }

  #write(file: DiskFile, bytes: Buffer, offset: number, length: number): void {
    const { end } = this.#tail;
    // ⚑ What becomes of it is for the file to say, until it is known to be whole.
    this.#tail.isOwnEnd = false;
    try {
      writeFully(file, offset === 0 ? bytes : bytes.subarray(offset), length, end);
    } catch (error) {
      this.#prepared.forget();
      try {
        file.truncate(end);
      } catch (second) {
        throw new DurostoreError(
          'STORE_FAILED',
          'a write failed and could not be taken back; what was being written may exist: reopen to go on',
          second,
        );
      }
      throw error;
    }
  }
}

function tellMarked(
  feed: MarkFeed,
  { bytes, view }: Batch,
  { firstIndex, count, start, time }: AppendedFrames,
): void {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (isMarkedFrame(bytes, at)) feed.saw(firstIndex + i, time, marksOfFrame(bytes, at));
    at += lengthOfFrameIn(view, at);
  }
}
