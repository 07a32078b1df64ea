import { Fenced } from '../epoch/fenced.js';
import { FEATURE_STREAMS } from '../frame/file-header.js';
import { Batch } from '../segment/batch.js';
import type { TailPosition } from '../segment/tail.js';
import type { Engine } from './engine.js';
import type { NewRecord } from './intake.js';
import { Room } from './room.js';
import { resolveTicks } from './tick-resolution.js';

/** A tick to be enqueued: of which schedule, of what time, and the record that it becomes. */
export interface NewTick {
  readonly name: string;
  readonly time: number;
  readonly record: NewRecord;
  readonly durable: boolean;
}

/** Under both locks: which ticks are due, one of a schedule at most; the state says what others have done. */
export type DueTicks = () => readonly NewTick[];

/**
 * Enqueues ticks of schedules, each once, whoever else tries it and whatever dies meanwhile.
 *
 * ⚑ Under the fate and the write lock: the fact that the tick is the record with the next index, or nothing, is on the device
 * *before* the record is written; then the record is written, then the fact that it was. Who dies in between leaves the first
 * fact, and who decides next looks whether the record is there (`resolveTicks`). Where a power cut takes the record and leaves
 * the last fact, that names the record, so recovery says that it was lost, and the schedule is back at the tick before.
 *
 * ⚑ With lock files a look for a fence comes between the first fact and the record, and between the record and the last fact. Who
 * takes over reads the journal before the log, so whatever it counts of a sleeper's is a beginning of these three.
 */
export class TickWriter {
  readonly #engine: Engine;
  readonly #room: Room;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#room = new Room(engine);
  }

  /**
   * Enqueues what `due` says when the locks are held, or as much of it as there is room for; resolves with how many that were, on
   * the device where that was asked for. 'again': the locks were lost meanwhile. Rejects with STORE_FULL, DISK_FULL, STORE_FAILED, LOCK_UNAVAILABLE,
   * or with `signal.reason`: then a tick that was not enqueued is still due.
   */
  async write(due: DueTicks, signal: AbortSignal): Promise<number | 'again' | 'full'> {
    const { locks, syncer, backgroundSync } = this.#engine;
    let outcome: Outcome;
    await locks.fate.enter(signal);
    try {
      await locks.write.enter(signal);
      try {
        outcome = this.commit(due);
      } finally {
        locks.write.leave();
      }
    } finally {
      locks.fate.leave();
    }
    this.#engine.noteChange();
    if (typeof outcome === 'string' || outcome.count === 0) return typeof outcome === 'string' ? outcome : 0;
    if (outcome.durable) await syncer.upTo(outcome.last);
    backgroundSync.wrote();
    return outcome.count;
  }

  /** The same under both locks, in one stretch, but for what is to be synced when they are left. */
  commit(due: DueTicks): Outcome {
    const engine = this.#engine;
    const { tenure, journal, appender, tail } = engine;
    let before: TailPosition | undefined;
    try {
      engine.failure.assertNone();
      tenure.enter();
      journal.catchUpLocked();
      appender.catchUp();
      before = tail.position();
      resolveTicks(engine);
      const outcome = this.#enqueue(due());
      if (tenure.isLost(before)) return 'again';
      return outcome;
    } catch (error) {
      if (error instanceof Fenced) {
        tenure.lost(before);
        return 'again';
      }
      throw engine.failure.of(error, 'enqueueing the tick of a schedule');
    }
  }

  #enqueue(ticks: readonly NewTick[]): Outcome {
    const { appender, journal, clock, tail, tenure, files } = this.#engine;
    const nothing = { count: 0, last: 0, durable: false };
    if (ticks.length === 0) return nothing;
    const batch = new Batch();
    for (const { record } of ticks) {
      batch.begin(0, record.transformed === true ? FEATURE_STREAMS : 0);
      batch.add(record.payload, record.marks, record.headers, record.marked);
    }
    const fits = (count: number): boolean => {
      const { end, needs } = batch.groups[count - 1] ?? { end: 0, needs: 0 };
      return appender.fits(end, needs);
    };
    if (!fits(1)) {
      const obstacle = this.#room.make(true);
      if (obstacle !== 'none') return 'full';
    }
    // Facts name the indexes before a byte is written, so all is for the segment that is written to now.
    let count = 1;
    while (count < ticks.length && fits(count + 1)) count += 1;
    const written = ticks.slice(0, count);
    const first = tail.nextIndex;
    const state = (say: (tick: NewTick, at: number) => void): void => {
      for (const [at, tick] of written.entries()) say(tick, at);
      journal.decided(clock.now());
      journal.commit();
    };
    const naming = journal.begin();
    state(({ name, time }, at) => naming.ticking(name, time, first + at));
    // After another process's sync has failed one that succeeds says nothing.
    files.assertNotSuspect();
    journal.syncNow();
    if (tenure.isFenced) throw new Fenced();
    const durable = written.some((tick) => tick.durable);
    appender.append(batch, 0, count, clock.now(), durable);
    if (tenure.isFenced) throw new Fenced();
    const confirming = journal.begin();
    state(({ name }) => confirming.ticked(name));
    return { count, last: first + count - 1, durable };
  }
}

/** What came of it: how many were written; `last`: the index of the last record that was written. */
export type Outcome =
  | 'again'
  | 'full'
  | { readonly count: number; readonly last: number; readonly durable: boolean };
