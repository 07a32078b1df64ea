import { DurostoreError } from '../errors.js';
import type { Schedule } from '../journal/schedule-facts.js';
import type { ScheduleState } from '../journal/schedules.js';
import type { Engine } from '../store/engine.js';
import { type NewTick, TickWriter } from '../store/tick-writer.js';
import { comingTick, dueTick } from './due-tick.js';
import { tickRecord } from './tick-record.js';
import { type TickTimes, timesOf } from './tick-times.js';

/** The wall clock may jump, and the machine sleep: it is looked again after so long, whether there is a schedule or not. */
const LONGEST_WAIT_MS = 60_000;
/** What failed for lack of room or of a lock is tried again after this, then after twice as long, and so on. */
const FIRST_RETRY_MS = 1000;
/** So many ticks are enqueued while the locks are held, one of a schedule. */
const MOST_AT_ONCE = 256;

/** A schedule, and what its expression means. */
interface Compiled {
  readonly schedule: Schedule;
  readonly times: TickTimes | undefined;
  /** Whether this process can enqueue its ticks. */
  readonly isOurs: boolean;
}

/**
 * Has the ticks of all schedules enqueued, whoever made them. Each open queue has one, and all try it at the same moment: who
 * has the locks first does it, and the others find it done. It keeps no process alive.
 */
export class Ticker {
  readonly #engine: Engine;
  readonly #report: (error: DurostoreError) => void;
  readonly #writer: TickWriter;
  readonly #compiled = new Map<string, Compiled>();
  /** Since when this process is there, on the monotonic clock. */
  readonly #presentSince: number;
  readonly #ended = new AbortController();
  #cancelTimer: (() => void) | undefined;
  #isLookingSoon = false;
  #working: Promise<void> | undefined;
  /** After a failure it is not tried before this, on the monotonic clock. */
  #retryAt = Number.NEGATIVE_INFINITY;
  #retryMs = FIRST_RETRY_MS;
  /** The store has failed. */
  #isStopped = false;

  /** `report` hears what keeps ticks from being enqueued. */
  constructor(engine: Engine, report: (error: DurostoreError) => void) {
    this.#engine = engine;
    this.#report = report;
    this.#writer = new TickWriter(engine);
    this.#presentSince = engine.clock.monotonic();
    engine.fates.schedules.onChange = this.#lookSoon;
    this.#lookSoon();
  }

  /** When a schedule ticks; undefined where its expression means nothing to this version. */
  times(schedule: Schedule): TickTimes | undefined {
    return this.#compile(schedule).times;
  }

  #compile(schedule: Schedule): Compiled {
    const { name } = schedule;
    const known = this.#compiled.get(name);
    if (known?.schedule === schedule) return known;
    let times: TickTimes | undefined;
    let isOurs = false;
    try {
      times = timesThatWork(schedule);
      this.#engine.writer.intake.assertSizes([tickRecord(schedule, 0, schedule.createdAt)]);
      isOurs = true;
    } catch (error) {
      const reason = `it cannot be told here when the schedule '${name}' ticks: make it anew, or leave it to other processes`;
      this.#report(
        error instanceof DurostoreError ? error : new DurostoreError('UNSUPPORTED', reason, error),
      );
    }
    const compiled = { schedule, times, isOurs };
    const { schedules } = this.#engine.fates;
    if (this.#compiled.size > 2 * schedules.size)
      for (const other of this.#compiled.keys())
        if (schedules.get(other) === undefined) this.#compiled.delete(other);
    this.#compiled.set(name, compiled);
    return compiled;
  }

  /** Ticks no more; returns what is to be waited for, if anything is under way. */
  close(): Promise<void> | undefined {
    this.#engine.fates.schedules.onChange = undefined;
    this.#ended.abort();
    this.#cancelTimer?.();
    return this.#working;
  }

  get #isOver(): boolean {
    return this.#ended.signal.aborted || this.#isStopped;
  }

  /** Facts come by the hundred: what they mean is looked at once for all of a turn. */
  readonly #lookSoon = (): void => {
    if (this.#isLookingSoon) return;
    this.#isLookingSoon = true;
    setImmediate(() => {
      this.#isLookingSoon = false;
      this.#look();
    });
  };

  readonly #look = (): void => {
    if (this.#isOver || this.#working !== undefined) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { clock } = this.#engine;
    const monotonic = clock.monotonic();
    const waitMs = Math.max(this.#untilNext(), this.#retryAt - monotonic);
    if (waitMs > 0) {
      this.#cancelTimer = clock.setTimer(monotonic + Math.min(waitMs, LONGEST_WAIT_MS), this.#lookAgain);
      return;
    }
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      this.#look();
    });
  };

  /** What others did is looked at, too: they may have made a schedule, or enqueued its tick. */
  readonly #lookAgain = (): void => {
    if (this.#isOver) return;
    try {
      this.#engine.catchUp();
    } catch {
      // Whoever calls next is told.
    }
    this.#look();
  };

  /** Milliseconds until a tick is due; none where one is. */
  #untilNext(): number {
    const { fates, clock } = this.#engine;
    const now = clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const state of fates.schedules.all()) {
      const { times, isOurs } = this.#compile(state.schedule);
      if (times === undefined || !isOurs) continue;
      if (this.#due(state, now) !== undefined) return 0;
      next = Math.min(next, comingTick(state, times, now) ?? next);
    }
    return next - now;
  }

  #due(state: ScheduleState, now: number): number | undefined {
    const { times, isOurs } = this.#compile(state.schedule);
    if (times === undefined || !isOurs) return undefined;
    return dueTick(state, times, now, this.#engine.clock.monotonic() - this.#presentSince);
  }

  /** Enqueues what is due, until nothing is. Never rejects. */
  async #work(): Promise<void> {
    const { engine, signal } = { engine: this.#engine, signal: this.#ended.signal };
    try {
      for (;;) {
        engine.assertUsable();
        // Mostly somebody else was first.
        engine.catchUp();
        if (this.#isOver || this.#untilNext() > 0) break;
        await this.#syncLast();
        if ((await this.#writer.write(this.#collect, signal)) !== 'full') continue;
        this.#retryLater();
        return;
      }
      this.#retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (signal.aborted) return;
      this.#retryLater();
      const failure =
        error instanceof DurostoreError ? error : engine.failure.of(error, 'looking at schedules');
      // Who asked to hear of failures of the store has heard of that.
      if (failure.code === 'STORE_FAILED') this.#isStopped = true;
      else this.#report(failure);
    }
  }

  #retryLater(): void {
    this.#retryAt = this.#engine.clock.monotonic() + this.#retryMs;
    this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_WAIT_MS);
  }

  /** ⚑ The record of a schedule's last tick is on the device before its next one begins. */
  async #syncLast(): Promise<void> {
    const { fates, clock, syncer, tail } = this.#engine;
    const now = clock.now();
    let index = 0;
    for (const state of fates.schedules.all())
      if (state.last !== undefined && this.#due(state, now) !== undefined)
        index = Math.max(index, state.last.index);
    if (index > 0) await syncer.upTo(Math.min(index, tail.nextIndex - 1));
  }

  /** Under both locks: what is due now, by what everybody has done. */
  readonly #collect = (): NewTick[] => {
    const { fates, clock, tail, durable } = this.#engine;
    const now = clock.now();
    const ticks: NewTick[] = [];
    if (this.#isOver) return ticks;
    for (const state of fates.schedules.all()) {
      const { schedule, last } = state;
      if (last !== undefined && last.index > tail.safe && last.index < tail.nextIndex) continue;
      const time = this.#due(state, now);
      if (time === undefined) continue;
      const record = tickRecord(schedule, time, now);
      const { name, durability } = schedule;
      ticks.push({
        name,
        time,
        record,
        durable: durability === undefined ? durable : durability === 'synced',
      });
      if (ticks.length === MOST_AT_ONCE) break;
    }
    return ticks;
  };
}

/** A time zone is looked up only when it is needed. */
function timesThatWork(schedule: Schedule): TickTimes {
  const times = timesOf(schedule);
  times.next(schedule.createdAt);
  return times;
}
