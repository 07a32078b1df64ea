import { Fenced } from '../epoch/fenced.js';
import { DurostoreError } from '../errors.js';
import { FEATURE_STREAMS } from '../frame/file-header.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { encodeCarried } from '../journal/carried-facts.js';
import type { CarriedRanges } from '../journal/fates.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import { Batch } from '../segment/batch.js';
import type { TailPosition } from '../segment/tail.js';
import { rangesToCarry, sweepBehind } from './deletion.js';
import { describeDiskError, isDiskFull } from './disk-errors.js';
import type { Engine } from './engine.js';
import type { NewRecord } from './intake.js';
import { Room } from './room.js';
import { Tenure } from './tenure.js';
import { resolveTicks } from './tick-resolution.js';
import { nextTurn } from './turns.js';

/** The largest fact that a range is gone. */
const LONGEST_RANGE = 13;

const noRoomForFacts = (): DurostoreError =>
  new DurostoreError(
    'DISK_FULL',
    'the disk is full: there is no room for the facts that the transaction needs. Nothing happened: make room and try again',
  );

/** Records to be written and indexes to be deleted together. */
export interface PendingTransaction {
  /** Its only group: the records, and behind them what they carry. */
  readonly batch: Batch;
  readonly count: number;
  /** Ascending. */
  readonly deletes: Float64Array;
  readonly durable: boolean;
  /** The epoch in which it was written that may have ended before, and its first index. */
  undecided: { readonly epoch: number; readonly first: number } | undefined;
}

/** 'again': the locks were lost meanwhile. 'full': there is no room. Else the first index. */
export type TransactionOutcome = 'again' | 'full' | number;

/**
 * Writes and deletes records in one batch of the log: the records' frames, and behind them one that says which records are gone. ⚑ That
 * batch being whole is the commit of all of it. See `CarriedDeletes` for how others learn what it carries.
 *
 * It holds the fate lock and the write lock: what it deletes is there, and nobody decides anything else about it meanwhile.
 */
export class Transactor {
  readonly #engine: Engine;
  readonly #room: Room;
  readonly #running = new Set<Promise<unknown>>();
  /** When the facts that batches carry deletes were known to be on the device: `carryings` of the fates then. */
  #announced = -1;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#room = new Room(engine);
  }

  /**
   * Resolves with the first record's index. There is one record at least, and the payloads are its own. Rejects with RECORD_TOO_LARGE, STORE_FULL, DISK_FULL,
   * LOCK_LOST: nothing happened; with STORE_FAILED.
   */
  write(records: readonly NewRecord[], deletes: Float64Array, durable: boolean): Promise<number> {
    const working = this.#work(this.prepare(records, deletes, durable));
    const quiet = working.catch(() => {});
    this.#running.add(quiet);
    void quiet.then(() => this.#running.delete(quiet));
    return working;
  }

  /** The same, to be committed. Throws RECORD_TOO_LARGE, CODEC. */
  prepare(records: readonly NewRecord[], deletes: Float64Array, durable: boolean): PendingTransaction {
    const { writer } = this.#engine;
    const entering = writer.intake.transformed(records);
    const batch = new Batch();
    batch.begin(writer.intake.assertSizes(entering), entering === records ? 0 : FEATURE_STREAMS);
    for (const { payload, marks, headers, marked, owned } of entering)
      batch.add(payload, marks, headers, marked, owned);
    return { batch, count: records.length, deletes, durable, undecided: undefined };
  }

  /** Waits for what was accepted; what waits for room gets CLOSED. */
  async close(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #work(pending: PendingTransaction): Promise<number> {
    const { turns, indexer, syncer, backgroundSync } = this.#engine;
    const { batch, count, deletes, durable } = pending;
    const pause = turns.pause();
    if (pause !== undefined) await pause;
    for (const _ of batch.finish(0)) await nextTurn();
    for (;;) {
      const outcome = await this.#enter(pending);
      this.#engine.noteChange();
      // Nothing can have changed unseen since the look: it was in this same turn.
      if (outcome === 'full') await indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
      if (typeof outcome === 'string') continue;
      sweepBehind(this.#engine, deletes);
      if (durable) await syncer.upTo(outcome + count - 1);
      backgroundSync.wrote();
      return outcome;
    }
  }

  async #enter(pending: PendingTransaction): Promise<TransactionOutcome> {
    const { fate, write } = this.#engine.locks;
    try {
      await fate.enter();
    } catch (error) {
      throw this.#withoutLock(pending, error);
    }
    try {
      try {
        await write.enter();
      } catch (error) {
        throw this.#withoutLock(pending, error);
      }
      try {
        return this.commit(pending);
      } finally {
        write.leave();
      }
    } finally {
      fate.leave();
    }
  }

  #withoutLock({ undecided }: PendingTransaction, error: unknown): DurostoreError {
    return undecided === undefined ? describeDiskError(error, 'taking the lock') : Tenure.undecided(error);
  }

  /** Under both locks, in one stretch; its bodies have their sums. */
  commit(pending: PendingTransaction): TransactionOutcome {
    const engine = this.#engine;
    const { tenure, journal, appender, tail, carried } = engine;
    let before: TailPosition | undefined;
    try {
      engine.failure.assertNone();
      tenure.enter();
      const written = this.#judgeUndecided(pending);
      if (written !== undefined) return written;
      journal.catchUpLocked();
      appender.catchUp();
      carried.lookLocked();
      before = tail.position();
      resolveTicks(engine);
      const first = this.#append(pending);
      if (first === undefined) return 'full';
      if (!tenure.isLost(before)) return first;
      pending.undecided = { epoch: tenure.epoch, first };
      return 'again';
    } catch (error) {
      if (error instanceof Fenced) {
        tenure.lost(before);
        return 'again';
      }
      throw engine.failure.of(error, 'writing a transaction');
    }
  }

  /** ⚑ What was written over a fence counts where the take-over that ended its epoch says so. LOCK_LOST where it does not. */
  #judgeUndecided(pending: PendingTransaction): number | undefined {
    if (pending.undecided === undefined) return undefined;
    const { epoch, first } = pending.undecided;
    const end = this.#engine.tenure.endOf(epoch);
    pending.undecided = undefined;
    if (end !== undefined && first + pending.count > end.next) throw Tenure.lockLost();
    return first;
  }

  /** The first index; undefined where it has to wait for room. */
  #append({ batch, deletes, durable }: PendingTransaction): number | undefined {
    const { appender, fates, clock, tail } = this.#engine;
    let ranges: CarriedRanges['ranges'];
    for (;;) {
      // Making room may have dropped some of them.
      ranges = rangesToCarry(this.#engine, deletes);
      batch.dropCarried();
      if (ranges.length > 0) batch.carry(encodeCarried(ranges));
      const { end = 0, needs = 0 } = batch.groups[0] ?? {};
      this.#assertSize(SEGMENT_OVERHEAD + end);
      if (appender.fits(end, needs)) break;
      if (this.#room.make(true) === 'full') return undefined;
    }
    if (ranges.length > 0) this.#announce(ranges.length);
    const first = appender.append(batch, 0, 1, clock.now(), durable);
    if (ranges.length > 0) fates.carry({ number: tail.nextIndex, ranges });
    return first;
  }

  /**
   * ⚑ Before the first batch that carries deletes the journal says, on the device, that there may be some from here on. Where it says so
   * of an index that was lost since, with the records before it, it says so anew. ⚑ A full disk can be emptied: the journal keeps room
   * for what they are to become.
   */
  #announce(count: number): void {
    const { journal, fates, tail, clock, files, tenure } = this.#engine;
    const unfolded = fates.unfolded.reduce((sum, { ranges }) => sum + ranges.length, count);
    if (!journal.keepsRoomFor(unfolded * LONGEST_RANGE + HEAD_BYTES)) throw noRoomForFacts();
    const isSaid = fates.isCarrying && fates.carriedUpTo <= tail.nextIndex;
    if (isSaid && this.#announced === fates.carryings) return;
    if (!isSaid) {
      this.#succeedOlder();
      journal.begin().carried(tail.nextIndex, true);
      journal.decided(clock.now());
      journal.commit();
    }
    // After another process's sync has failed one that succeeds says nothing.
    files.assertNotSuspect();
    journal.syncNow();
    this.#announced = fates.carryings;
    if (tenure.isFenced) throw new Fenced();
  }

  /** A journal of before cannot say that. Where there is no room for its successor, that is DISK_FULL. */
  #succeedOlder(): void {
    const { journal, locks, clock } = this.#engine;
    if (journal.takesStreams || !locks.shorten.tryEnter()) return;
    try {
      journal.shorten(clock.now());
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    } finally {
      locks.shorten.leave();
    }
  }

  #assertSize(bytes: number): void {
    const { maxFileSize } = this.#engine.options;
    if (bytes <= maxFileSize) return;
    throw new DurostoreError(
      'RECORD_TOO_LARGE',
      `the transaction needs ${bytes} bytes in one file and maxFileSize is ${maxFileSize}. Nothing happened: split it, or raise maxFileSize`,
    );
  }
}
