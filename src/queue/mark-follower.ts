import { type EntryMarks, entryMarksOf } from '../frame/order-marks.js';
import { MarkFeed } from '../segment/mark-feed.js';
import { markedEntries } from '../segment/mark-scan.js';
import type { StoredRecord } from '../segment/stored-record.js';
import { describeDiskError } from '../store/disk-errors.js';
import type { Engine } from '../store/engine.js';

/** So many records to be looked up may be many. */
const MANY = 1024;
/** So many marked ones are told of in one go. */
const STEP = 256;

/** A marked record; its marks in full are read where they are asked for. */
export interface Marked {
  readonly index: number;
  readonly time: number;
  readonly entry: EntryMarks;
  /** Undefined where it cannot be read. */
  marks(): Uint8Array | undefined;
}

/** What the disk says while marks are looked up is told as it is elsewhere. */
export function readingMarks(read: () => void): void {
  try {
    read();
  } catch (error) {
    throw describeDiskError(error, 'looking at the marks of records');
  }
}

export interface MarkSink {
  /** Told of each marked record, in the order of their indexes; again where looking them up has failed. */
  marked(record: Marked): void;
  /** What was told may not count: everything is told again. */
  forgetMarks(): void;
  /** Records were looked up that this opener had not seen as they came: of some the segment may be gone. */
  lookedUp?(): void;
}

/**
 * Tells of all marked records there are, and then of those that come, whoever writes them. What was there before is looked up in
 * the entries; what comes is seen by the tail as it reads on. Costs nothing where no record is marked.
 */
export class MarkFollower {
  readonly #engine: Engine;
  readonly #sink: MarkSink;
  readonly #wanted: { from: () => number; segment: (first: number, next: number) => boolean };
  readonly #feed = new MarkFeed();
  /** Every marked record below was told. */
  #upTo = 0;
  #turns: number;

  /** `wanted` says from which index on records are told, and of which segments `[first, next)`. */
  constructor(
    engine: Engine,
    sink: MarkSink,
    wanted: { from: () => number; segment: (first: number, next: number) => boolean },
  ) {
    this.#engine = engine;
    this.#sink = sink;
    this.#wanted = wanted;
    this.#turns = engine.tail.turns;
    engine.tail.tell(this.#feed);
  }

  /** Whether so much is to be looked up that it had better be done in turns. */
  get isBehind(): boolean {
    const { tail } = this.#engine;
    if (tail.nextIndex - this.#upTo < MANY && this.#turns === tail.turns) return false;
    return this.#upTo < Math.max(tail.seenFrom, this.#feed.keptFrom);
  }

  /**
   * Looks up what there was before, with turns of the event loop in between; `follow` goes on from there. Several may do it at
   * a time: each goes on where the others got to.
   */
  async followInTurns(): Promise<void> {
    while (this.isBehind) {
      this.#restartIfTurned();
      const from = this.#from();
      readingMarks(() => this.#lookUp(from, this.#lookedUpTo(), STEP));
      if (this.#upTo <= from) return;
      const pause = this.#engine.turns.pause();
      if (pause === undefined) continue;
      await pause;
      this.#engine.assertOpen();
    }
  }

  /** Tells of what there is up to the end of the log as this opener knows it. */
  follow(): void {
    this.#restartIfTurned();
    const { tail } = this.#engine;
    const end = tail.nextIndex;
    if (this.#upTo >= end && this.#upTo > 0) return;
    const from = this.#from();
    const kept = Math.max(tail.seenFrom, this.#feed.keptFrom);
    // Where that fails it is done again: nothing is told twice that matters.
    if (from < kept) readingMarks(() => this.#lookUp(from, this.#lookedUpTo()));
    for (const { index, time, marks } of this.#feed.take(end))
      if (index >= from && index >= kept)
        this.#sink.marked({ index, time, entry: entryMarksOf(marks), marks: () => marks });
    this.#upTo = end;
  }

  /** Begins anew at the next look. */
  restart(): void {
    this.#turns = this.#engine.tail.turns;
    this.#upTo = 0;
    this.#sink.forgetMarks();
    // What came by is looked up as everything else, for it has been given away.
    this.#engine.tail.tell(this.#feed);
  }

  #from(): number {
    return this.#upTo === 0 ? this.#wanted.from() : this.#upTo;
  }

  /** What comes from there on was seen by the tail. */
  #lookedUpTo(): number {
    const { seenFrom, nextIndex } = this.#engine.tail;
    return Math.min(Math.max(seenFrom, this.#feed.keptFrom), nextIndex);
  }

  #restartIfTurned(): void {
    if (this.#turns !== this.#engine.tail.turns) this.restart();
  }

  /** Of what is marked in `[from, to)` the first `most`. */
  #lookUp(from: number, to: number, most = Number.POSITIVE_INFINITY): void {
    const { files, tail } = this.#engine;
    let left = most;
    this.#sink.lookedUp?.();
    for (const { index, time, marks } of markedEntries(files, tail, from, to, this.#wanted.segment)) {
      if (left === 0) {
        this.#upTo = index;
        return;
      }
      left -= 1;
      if (marks !== undefined) {
        this.#sink.marked({ index, time, entry: marks, marks: () => this.#read(index)?.marks });
        continue;
      }
      const record = this.#read(index);
      if (record === undefined) continue;
      const entry = entryMarksOf(record.marks);
      if (entry.flags !== 0 || entry.due !== 0)
        this.#sink.marked({ index, time: record.time, entry, marks: () => record.marks });
    }
    this.#upTo = Math.max(1, to);
  }

  /** A record that cannot be read has no marks to go by; who takes it hears that it is damaged. */
  #read(index: number): StoredRecord | undefined {
    try {
      return this.#engine.readBytes(index);
    } catch {
      return undefined;
    }
  }
}
