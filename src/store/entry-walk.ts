import { WALL_LOOK_MS } from '../clock.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import type { RecordRun } from '../segment/record-run.js';
import type { StoredRecord } from '../segment/stored-record.js';
import type { Engine } from './engine.js';
import { checkRange, type Entry, type EntryRange, type EntryStart, toEntry } from './entries.js';
import type { Transforms } from './transforms.js';

type Result = IteratorResult<Entry, undefined>;

/** The range's beginning is fixed here, so that `'next'` misses nothing that is written after the call returned. */
export function readEntries(engine: Engine, range: EntryRange): AsyncIterableIterator<Entry> {
  let start: number;
  try {
    engine.assertOpen();
    checkRange(range);
    engine.catchUp();
    start = startOf(engine, range.from ?? 'first');
  } catch (error) {
    return failing(error);
  }
  return new EntryWalk(engine, start, range);
}

/** The index that reading begins at, as far as is known. */
export function startOf(engine: Engine, from: EntryStart): number {
  if (from instanceof Date) return engine.indexAt(from.getTime());
  if (from === 'first') return engine.firstIndex;
  if (from === 'next') return engine.tail.nextIndex;
  if (from > 0) return from;
  let index = engine.tail.nextIndex;
  for (let left = -from; left > 0 && index > engine.firstIndex; ) {
    index -= 1;
    if (engine.has(index)) left -= 1;
  }
  return index;
}

/** Asynchronous methods reject, they never throw synchronously. */
function failing(error: unknown): AsyncIterableIterator<Entry> {
  const iterator: AsyncIterableIterator<Entry> = {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/**
 * Walks through a range of records. A generator would cost several microtasks a record; here one that was read ahead costs its promise
 * alone. Behaves as a generator does: calls are answered in their order, and it is over after its end, an error or `return`.
 */
export class EntryWalk implements AsyncIterableIterator<Entry> {
  readonly #engine: Engine;
  readonly #run: RecordRun;
  readonly #range: EntryRange;
  readonly #transforms: Transforms | undefined;
  readonly #to: number;
  /** Wall times, for a range by time: before the first of them is passed over, and from the second on it is over. */
  readonly #since: number;
  readonly #until: number;
  readonly #signal: AbortSignal | undefined;
  #left: number;
  #next: number;
  /** For `waitMs`: when the last record was asked for. */
  #quietSince: number;
  /** A record that was waited for, not given yet. */
  #ready: StoredRecord | undefined;
  #isOver = false;
  #isLooking = false;
  /** The last of the calls that have to wait. */
  #waiting: Promise<unknown> | undefined;

  constructor(engine: Engine, start: number, range: EntryRange) {
    this.#engine = engine;
    this.#run = engine.run();
    this.#transforms = engine.options.transforms;
    this.#range = range;
    this.#next = start;
    this.#to = typeof range.to === 'number' ? range.to : Number.POSITIVE_INFINITY;
    this.#since = range.from instanceof Date ? range.from.getTime() : Number.NEGATIVE_INFINITY;
    this.#until = range.to instanceof Date ? range.to.getTime() : Number.POSITIVE_INFINITY;
    this.#left = range.limit ?? Number.POSITIVE_INFINITY;
    this.#signal = range.signal;
    this.#quietSince = engine.clock.monotonic();
  }

  next(): Promise<Result> {
    return this.#nextAhead() ?? this.#nextLater();
  }

  /**
   * The next one where it was read ahead, which nearly all are. ⚑ Whatever may have happened since then is left to the other way: an
   * abort, closing, its being deleted, the end of the range.
   */
  #nextAhead(): Promise<Result> | undefined {
    if (this.#waiting !== undefined || this.#isLooking || this.#isOver || this.#ready !== undefined)
      return undefined;
    const engine = this.#engine;
    const next = this.#next;
    if (this.#left <= 0 || next >= this.#to || !engine.isOpen || this.#signal?.aborted) return undefined;
    const record = engine.readAhead(next, this.#run);
    if (record === undefined) return undefined;
    const slow = engine.slowly(record);
    return slow === undefined ? this.#answer(record) : this.#queueBehind(slow.then(this.#wasWaitedFor));
  }

  #answer(record: StoredRecord): Promise<Result> {
    try {
      return Promise.resolve(this.#give(record));
    } catch (error) {
      this.#isOver = true;
      return Promise.reject(error);
    }
  }

  #nextLater(): Promise<Result> {
    if (this.#waiting !== undefined || this.#isLooking) return this.#queue(() => this.#await());
    try {
      const found = this.#ask();
      return found instanceof Promise ? this.#queueBehind(found) : Promise.resolve(found);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A method of its own: a closure in the way of every call costs each of them. */
  #queueBehind(found: Promise<unknown>): Promise<Result> {
    return this.#queue(() => this.#await(found));
  }

  return(): Promise<Result> {
    if (this.#waiting !== undefined || this.#isLooking) return this.#queue(async () => this.#end());
    return Promise.resolve(this.#end());
  }

  throw(error: unknown): Promise<Result> {
    const refuse = (): Promise<never> => {
      this.#end();
      return Promise.reject(error);
    };
    return this.#waiting !== undefined || this.#isLooking ? this.#queue(refuse) : refuse();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Behind all calls that wait already. */
  #queue(call: () => Promise<Result>): Promise<Result> {
    const before = this.#waiting ?? (this.#isLooking ? Promise.resolve() : undefined);
    const result = before === undefined ? call() : before.then(call, call);
    this.#waiting = result;
    const done = (): void => {
      if (this.#waiting === result) this.#waiting = undefined;
    };
    result.then(done, done);
    return result;
  }

  /** `found`: what has to be awaited before it is looked again. */
  async #await(found: Result | Promise<unknown> = this.#ask()): Promise<Result> {
    let answer = found;
    while (answer instanceof Promise) {
      try {
        await answer;
      } catch (error) {
        this.#isOver = true;
        throw error;
      }
      answer = this.#look();
    }
    return answer;
  }

  /** A call for the next one: the answer, or what it has to wait for. */
  #ask(): Result | Promise<unknown> {
    if (this.#range.waitMs !== undefined) this.#quietSince = this.#engine.clock.monotonic();
    return this.#look();
  }

  /** What throws here ends the walk. */
  #look(): Result | Promise<unknown> {
    if (this.#isOver || this.#left <= 0 || this.#next >= this.#to) return this.#end();
    let isWhole = false;
    this.#isLooking = true;
    try {
      const answer = this.#lookOn();
      isWhole = true;
      return answer;
    } finally {
      this.#isLooking = false;
      if (!isWhole) this.#isOver = true;
    }
  }

  #lookOn(): Result | Promise<unknown> {
    const engine = this.#engine;
    this.#signal?.throwIfAborted();
    engine.assertOpen();
    if (this.#ready !== undefined) return this.#give(this.#ready);
    const seen = engine.indexer.version;
    // What is written from now on is too late; what was written before is looked for once more.
    const isLate = engine.clock.now() >= this.#until;
    if (this.#next >= engine.tail.nextIndex) engine.catchUp();
    const record = this.#readNext();
    if (record !== undefined) {
      const slow = engine.slowly(record);
      return slow === undefined ? this.#give(record) : slow.then(this.#wasWaitedFor);
    }
    this.#next = Math.max(this.#next, Math.min(this.#to, engine.tail.nextIndex));
    const { follow, waitMs } = this.#range;
    if (this.#next >= this.#to || !follow || isLate) return this.#end();
    const endsAt = waitMs === undefined ? Number.POSITIVE_INFINITY : this.#quietSince + waitMs;
    if (engine.clock.monotonic() >= endsAt) return this.#end();
    return engine.indexer.beyond(seen, Math.min(endsAt, this.#lookAgainAt()), this.#signal);
  }

  /** On the monotonic clock. A wall clock that is set is noticed within a second. */
  #lookAgainAt(): number {
    if (this.#until === Number.POSITIVE_INFINITY) return this.#until;
    const { clock } = this.#engine;
    return clock.monotonic() + Math.min(Math.max(1, this.#until - clock.now()), WALL_LOOK_MS);
  }

  #give(record: StoredRecord): Result {
    this.#ready = undefined;
    if (record.time >= this.#until) return this.#end();
    this.#next = record.index + 1;
    this.#left -= 1;
    return { value: toEntry(record, this.#transforms), done: false };
  }

  readonly #wasWaitedFor = (record: StoredRecord | undefined): void => {
    this.#ready = record;
    if (record === undefined && !this.#isGone(this.#next)) this.#next += 1;
  };

  /** The first record there is from the next one on; tells of gaps on the way. */
  #readNext(): StoredRecord | undefined {
    const { fates, tail } = this.#engine;
    const to = this.#to;
    let index = this.#next;
    while (index < to && index < tail.nextIndex) {
      const present = Math.min(fates.goneSet.firstAbsent(index), tail.nextIndex, to);
      if (present > index && this.#range.onGap !== undefined)
        tellGaps(this.#engine, index, present, this.#range.onGap);
      if (present >= to || present >= tail.nextIndex) return undefined;
      this.#next = present;
      const record = this.#engine.readKnown(present, LARGE_BYTES, this.#run);
      if (record !== undefined && record.time >= this.#since) return record;
      // ⚑ What went since it was looked for is looked at again: it may be a gap to tell of.
      index = record === undefined && this.#isGone(present) ? present : present + 1;
      this.#next = index;
    }
    return undefined;
  }

  #isGone(index: number): boolean {
    return this.#engine.fates.goneSet.firstAbsent(index) > index;
  }

  #end(): Result {
    this.#isOver = true;
    return { value: undefined, done: true };
  }
}

/** Records that somebody deleted in the middle are no gap; what was before the oldest, or lost, is. */
function tellGaps(
  engine: Engine,
  from: number,
  to: number,
  onGap: (gap: { from: number; to: number }) => void,
): void {
  const oldest = Math.min(engine.firstIndex, to);
  if (from < oldest) onGap({ from, to: oldest });
  if (engine.fates.lostSet.count === 0) return;
  let index = Math.max(from, oldest);
  while (index < to) {
    while (index < to && !engine.fates.lostSet.has(index)) index += 1;
    const begin = index;
    while (index < to && engine.fates.lostSet.has(index)) index += 1;
    if (index > begin) onGap({ from: begin, to: index });
  }
}
