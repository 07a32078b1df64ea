import { Fenced } from '../epoch/fenced.js';
import { CorruptError } from '../errors.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import { ENTRY_BYTES } from '../segment/entry.js';
import { readSeal } from '../segment/seal.js';
import type { TailPosition } from '../segment/tail.js';
import type { Engine } from './engine.js';

/** ⚑ Two looks at the clocks, so far apart, have to agree before age counts: a wall clock that was set says nothing of an age. */
const LOOK_EVERY_MS = 60_000;
/** The wall clock may have gone by so much more or less than the monotonic one between two looks. */
const MOST_DRIFT_MS = 5000;
/** Segments of which one decision says that they are gone. */
const AT_ONCE = 64;

interface Look {
  readonly wall: number;
  readonly monotonic: number;
}

/**
 * Lets go of what is older, or more, than is to be kept, or what all named consumers have done: whole segments, the lowest first,
 * whatever became of their records. Bytes are bounded where a segment is begun (`Room`) and, for what was there before, at opening;
 * age in the background; what is consumed goes in the background as soon as it is, and where a segment is begun. A segment that is
 * still being written is kept, but one that is idle and wholly too old is succeeded by an empty one.
 *
 * Nobody waits for it and nobody is told where it fails: the next look, or the next roll, does what is left.
 */
export class Retention {
  readonly #engine: Engine;
  #look: Look | undefined;
  /** What was written before is too old, by the last two looks that agreed. */
  #horizon = Number.NEGATIVE_INFINITY;
  /** Whether somebody asked since the last run began. */
  #isAsked = false;
  #isLookingSoon = false;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  start(): void {
    const { maxAgeMs, consumed } = this.#engine.options.retention;
    if (consumed) this.#engine.fates.consumers.onChange = this.#lookSoon;
    if (this.excess() > 0 || this.#hasConsumed()) this.#run();
    if (maxAgeMs !== Number.POSITIVE_INFINITY) this.#age();
  }

  close(): void {
    this.#closing.abort();
    this.#engine.fates.consumers.onChange = undefined;
    this.#cancel?.();
  }

  /** Resolves when nothing is being let go. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** A segment was sealed: the consumers may be past it. */
  sealed(): void {
    if (this.#engine.options.retention.consumed) this.#lookSoon();
  }

  /** What consumers have done is told while it is folded, which is no moment to decide in. */
  readonly #lookSoon = (): void => {
    if (this.#isLookingSoon) return;
    this.#isLookingSoon = true;
    setImmediate(() => {
      this.#isLookingSoon = false;
      if (!this.#closing.signal.aborted && this.#hasConsumed()) this.#run();
    });
  };

  /** Whether there is a segment, no more written to, that may go because of that. */
  #hasConsumed(): boolean {
    const first = this.#firstLiving();
    return first !== undefined && first !== this.#engine.tail.active && this.isConsumed(first);
  }

  /** The same as if the active segment were sealed now. */
  hasConsumedWithActive(): boolean {
    if (!this.#engine.options.retention.consumed) return false;
    const first = this.#firstLiving();
    return first !== undefined && this.isConsumed(first);
  }

  #firstLiving(): number | undefined {
    const { tail, sweeper } = this.#engine;
    for (const first of tail.segments) if (!sweeper.isEmptied(first)) return first;
    return undefined;
  }

  /**
   * Whether what is consumed may go, and every named consumer has done all that the segment holds: then they have all before it, too.
   * ⚑ Where there is no consumer nothing is consumed.
   */
  isConsumed(first: number): boolean {
    const { options, fates, tail } = this.#engine;
    if (!options.retention.consumed) return false;
    const { least } = fates.consumers;
    const next = tail.segments.after(first) ?? tail.nextIndex;
    return least !== undefined && next > first && next <= least + 1;
  }

  /** Bytes of segments that hold living records, the one that is being written left out, beyond what may be kept. */
  excess(): number {
    const { retention } = this.#engine.options;
    if (retention.maxBytes === Number.POSITIVE_INFINITY) return 0;
    let bytes = 0;
    for (const first of this.#engine.tail.segments) bytes += this.sealedBytes(first);
    return Math.max(0, bytes - retention.maxBytes);
  }

  /** The same as if the active segment were sealed now. */
  excessWithActive(): number {
    const { options, tail, sweeper } = this.#engine;
    if (options.retention.maxBytes === Number.POSITIVE_INFINITY) return 0;
    const isEmptied = sweeper.isEmptied(tail.active);
    let bytes = isEmptied ? 0 : tail.end + HEADER_BYTES + (tail.nextIndex - tail.active) * ENTRY_BYTES;
    for (const first of tail.segments) bytes += this.sealedBytes(first);
    return Math.max(0, bytes - options.retention.maxBytes);
  }

  /** What a segment counts for once it is sealed; nothing where it is wholly gone, or still being written. */
  sealedBytes(first: number): number {
    const { tail, files, sweeper, options } = this.#engine;
    if (tail.segments.after(first) === undefined || sweeper.isEmptied(first)) return 0;
    try {
      return (files.data(first)?.size() ?? 0) + (files.entries(first)?.size() ?? 0);
    } catch (error) {
      if (error instanceof CorruptError) return options.maxFileSize;
      throw error;
    }
  }

  #age(): void {
    const { clock, options } = this.#engine;
    const before = this.#look;
    const now: Look = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#look = now;
    if (before !== undefined && isSteady(before, now)) {
      this.#horizon = before.wall - options.retention.maxAgeMs;
      this.#run();
    }
    this.#cancel = clock.setTimer(now.monotonic + LOOK_EVERY_MS, () => {
      if (!this.#closing.signal.aborted) this.#age();
    });
  }

  #run(): void {
    this.#isAsked = true;
    this.#running ??= this.#letGoAll()
      .catch(() => {})
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #letGoAll(): Promise<void> {
    while (this.#isAsked && !this.#closing.signal.aborted) {
      this.#isAsked = false;
      this.#engine.catchUp();
      await this.#rollIdle();
      const isWhole = await this.#letGo();
      this.#engine.sweeper.checkAll();
      if (!isWhole) this.#isAsked = true;
    }
  }

  /** False where there is more than one decision may say. */
  #letGo(): Promise<boolean> {
    const { sweeper, decider, tail } = this.#engine;
    return decider.decide((facts) => {
      tail.catchUp();
      let excess = this.excess();
      let count = 0;
      for (const first of tail.segments) {
        const next = tail.segments.after(first);
        if (next === undefined) return true;
        if (sweeper.isEmptied(first)) continue;
        if (excess <= 0 && !this.#isOld(first, next) && !this.isConsumed(first)) return true;
        if (count === AT_ONCE) return false;
        excess -= this.sealedBytes(first);
        facts.gone(first, next);
        count += 1;
      }
      return true;
    }, false);
  }

  /**
   * Whether all that a sealed segment holds was written before what is to be kept. Where it does not say itself, for it is damaged, what
   * comes behind it does: else it would keep everything.
   */
  #isOld(first: number, next: number): boolean {
    if (this.#horizon === Number.NEGATIVE_INFINITY) return false;
    const { tail } = this.#engine;
    const time = this.#greatestTime(first) ?? this.#greatestTime(next) ?? tail.time;
    return time < this.#horizon;
  }

  #greatestTime(first: number): number | undefined {
    const { files } = this.#engine;
    try {
      const file = files.data(first);
      return file && readSeal(files, file)?.greatestTime;
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  /** Nobody writes any more, and all is too old. */
  async #rollIdle(): Promise<void> {
    const { locks, tail, tenure, appender, clock } = this.#engine;
    const isIdle = (): boolean => tail.nextIndex > tail.active && tail.time < this.#horizon;
    if (!isIdle()) return;
    await locks.write.enter(this.#closing.signal);
    let before: TailPosition | undefined;
    try {
      this.#engine.failure.assertNone();
      tenure.enter();
      appender.catchUp();
      before = tail.position();
      if (isIdle()) appender.roll(clock.now());
      tenure.isLost(before);
    } catch (error) {
      if (!(error instanceof Fenced)) throw this.#engine.failure.of(error, 'beginning a segment');
      tenure.lost(before);
    } finally {
      locks.write.leave();
    }
    this.#engine.noteChange();
  }
}

function isSteady(before: Look, now: Look): boolean {
  const drift = now.wall - before.wall - (now.monotonic - before.monotonic);
  return Math.abs(drift) <= MOST_DRIFT_MS;
}
