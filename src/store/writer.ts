import { onAbort } from '../abort.js';
import { Fenced } from '../epoch/fenced.js';
import { DurostoreError } from '../errors.js';
import { FEATURE_STREAMS } from '../frame/file-header.js';
import { Batch, type Group } from '../segment/batch.js';
import { SLICES, type Slices } from '../segment/slices.js';
import type { TailPosition } from '../segment/tail.js';
import { describeDiskError, isDiskFull } from './disk-errors.js';
import type { Engine } from './engine.js';
import { Intake, type NewRecord, type RecordTraits } from './intake.js';
import { type Obstacle, Room } from './room.js';
import { Tenure } from './tenure.js';
import { nextTurn } from './turns.js';

/** The writes of so many calls are committed in one turn of the event loop. */
const CALLS_AT_ONCE = 1024;

/** Under the write lock, caught up: the first index of what was written before under the same name, if it was. */
export type WrittenBefore = () => number | undefined;

interface PendingWrite {
  readonly durable: boolean;
  readonly writtenBefore: WrittenBefore | undefined;
  readonly resolve: (firstIndex: number) => void;
  readonly reject: (error: unknown) => void;
  /** Stops listening for an abort; undefined where nobody can abort. */
  unlisten: (() => void) | undefined;
  abandoned: boolean;
  /** Its first index once committed, or why it was not. */
  outcome: number | Error | undefined;
}

/**
 * The way in. The calls of one tick share a commit: their frames are encoded before the lock, completed under it, written
 * with as few system calls as possible, and synced once for all who ask for it. They succeed or fail singly.
 */
export class Writer {
  readonly intake: Intake;
  readonly #engine: Engine;
  readonly #batch: Batch;
  readonly #sliceBytes: number;
  readonly #room: Room;
  #pending: PendingWrite[] = [];
  #scheduled = false;
  #working: Promise<void> | undefined;
  /** The epoch in which pending writes were written that may not count. */
  #undecidedIn: number | undefined;

  constructor(engine: Engine, { writeBytes }: Slices = SLICES) {
    this.#engine = engine;
    this.intake = new Intake(engine.options);
    this.#sliceBytes = writeBytes;
    this.#batch = new Batch(writeBytes);
    this.#room = new Room(engine);
  }

  /**
   * Writes records as one batch, whole or not at all; resolves with the first one's index when it is committed, or on the
   * device. `signal` ends waiting for the lock or for room; what is committed stays. What was written before is not written
   * again, and resolves as if it had been written then.
   */
  write(
    records: readonly NewRecord[],
    durable: boolean,
    signal?: AbortSignal,
    writtenBefore?: WrittenBefore,
  ): Promise<number> {
    this.#assertWanted(signal);
    const entering = this.intake.transformed(records);
    // What a transform does meanwhile is not ours to know.
    if (entering !== records) this.#assertWanted(signal);
    const bytes = this.intake.assertSizes(entering);
    this.#batch.begin(bytes, entering === records ? 0 : FEATURE_STREAMS);
    this.#add(() => {
      for (const { payload, marks, headers, marked, owned } of entering)
        this.#batch.add(payload, marks, headers, marked, owned);
    });
    return this.#pend(durable, signal, writtenBefore);
  }

  /** The same for a single record. */
  writeOne(record: NewRecord, durable: boolean, signal: AbortSignal | undefined): Promise<number> {
    if (this.intake.areTransformed) return this.write([record], durable, signal);
    this.#assertWanted(signal);
    this.#batch.begin(this.intake.assertSize(record));
    const { payload, marks, headers, marked, owned } = record;
    try {
      this.#batch.add(payload, marks, headers, marked, owned);
    } catch (error) {
      this.#batch.takeBack();
      throw error;
    }
    return this.#pend(durable, signal, undefined);
  }

  /** The same for records that are all alike, as one batch. */
  writeAlike(
    payloads: readonly Uint8Array[],
    traits: RecordTraits,
    durable: boolean,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    if (this.intake.areTransformed)
      return this.write(
        payloads.map((payload) => ({ ...traits, payload })),
        durable,
        signal,
      );
    this.#assertWanted(signal);
    this.#batch.begin(this.intake.assertSizesAlike(payloads, traits));
    const { marks, headers, marked, owned } = traits;
    this.#add(() => {
      for (const payload of payloads) this.#batch.add(payload, marks, headers, marked, owned);
    });
    return this.#pend(durable, signal, undefined);
  }

  /** Throws CLOSED, STORE_FAILED, or `signal.reason`. */
  #assertWanted(signal: AbortSignal | undefined): void {
    this.#engine.assertUsable();
    signal?.throwIfAborted();
  }

  /** The last group of the batch, which is whole, is on its way. */
  #pend(
    durable: boolean,
    signal: AbortSignal | undefined,
    writtenBefore: WrittenBefore | undefined,
  ): Promise<number> {
    return new Promise((resolve, reject) => {
      const pending: PendingWrite = {
        durable,
        writtenBefore,
        resolve,
        reject,
        unlisten: undefined,
        abandoned: false,
        outcome: undefined,
      };
      if (signal !== undefined) this.#listen(signal, pending);
      this.#pending.push(pending);
      this.#schedule();
    });
  }

  /** Waits for what was accepted; who waits for room gets CLOSED. */
  async close(): Promise<void> {
    if (this.#scheduled) await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#working !== undefined) await this.#working;
    this.#rejectAll(
      new DurostoreError('CLOSED', 'the store was closed before there was room: open it again'),
    );
  }

  /** Fills the group that was just begun, all or nothing: a buffer that cannot grow must not leave one that nobody waits for. */
  #add(fill: () => void): void {
    try {
      fill();
    } catch (error) {
      this.#batch.takeBack();
      throw error;
    }
  }

  #listen(signal: AbortSignal, pending: PendingWrite): void {
    const abort = (): void => {
      // What is committed stays, and its caller is told the index when it is on the device.
      if (typeof pending.outcome === 'number') return;
      pending.abandoned = true;
      pending.reject(signal.reason);
      // Whoever waits for room looks again, and finds that nobody wants it any more.
      this.#engine.indexer.changed();
    };
    pending.unlisten = onAbort(signal, abort);
  }

  #schedule(): void {
    if (this.#scheduled || this.#working !== undefined) return;
    this.#scheduled = true;
    this.#engine.turns.run(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const { write } = this.#engine.locks;
    let obstacle: Obstacle = 'none';
    try {
      if (write.tryEnter()) {
        obstacle = this.#commit(false);
        if (this.#pending.length === 0) return;
      }
    } catch (error) {
      // Nobody awaits this turn: what is thrown here would end the process.
      this.#rejectAll(error);
      return;
    }
    this.#working = this.#work(obstacle).finally(() => {
      this.#working = undefined;
      if (this.#pending.length > 0) this.#schedule();
    });
  };

  /** Goes on while something is pending: waits for the lock, for room, for the fate lock. */
  async #work(first: Obstacle): Promise<void> {
    const { locks, indexer } = this.#engine;
    let obstacle = first;
    try {
      while (this.#pending.length > 0) {
        // Nothing can have changed unseen since the commit looked: it ran in this same turn.
        if (obstacle === 'full') await indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
        if (obstacle === 'turn') await nextTurn();
        if (obstacle === 'large') for (const _ of this.#batch.finish(0)) await nextTurn();
        if (obstacle === 'needs-fate') {
          await locks.fate.enter();
          try {
            await locks.write.enter();
            obstacle = this.#commit(true);
          } finally {
            locks.fate.leave();
          }
        } else {
          await locks.write.enter();
          obstacle = this.#commit(false);
        }
      }
    } catch (error) {
      this.#rejectAll(error);
    }
  }

  /** Under the write lock, which it leaves. Answers everybody it can; what stays pending met the obstacle. */
  #commit(fateHeld: boolean): Obstacle {
    const engine = this.#engine;
    const { tenure, tail } = engine;
    let obstacle: Obstacle = 'none';
    let placed = this.#pending.length;
    let before: TailPosition | undefined;
    try {
      engine.failure.assertNone();
      tenure.enter();
      this.#judgeUndecided();
      engine.appender.catchUp();
      before = tail.position();
      placed = 0;
      while (placed < this.#pending.length) {
        const head = this.#pending[placed] as PendingWrite;
        if (placed > 0 && this.#isEnough(placed)) {
          obstacle = 'turn';
          break;
        }
        if (!head.abandoned) head.outcome ??= head.writtenBefore?.();
        if (!head.abandoned && head.outcome === undefined && this.#isLarge(placed)) {
          obstacle = 'large';
          break;
        }
        if (!head.abandoned && head.outcome === undefined && !this.#fits(placed, placed)) {
          const room = this.#makeRoom(fateHeld, head);
          if (room === 'full' || room === 'needs-fate') {
            obstacle = room;
            break;
          }
        }
        placed = head.abandoned || head.outcome !== undefined ? placed + 1 : this.#appendFrom(placed);
      }
      if (placed > 0 && tenure.isLost(before)) {
        this.#undecidedIn = tenure.epoch;
        return 'fenced';
      }
    } catch (error) {
      if (error instanceof Fenced) {
        if (before !== undefined) this.#undecidedIn = tenure.epoch;
        tenure.lost(before);
        return 'fenced';
      }
      // What was written over a fence, now or before, is not to be called committed.
      const isDoubtful = this.#undecidedIn !== undefined || (before !== undefined && tenure.isLost(before));
      const failure = engine.failure.of(error, 'writing');
      placed = this.#pending.length;
      this.#undecidedIn = undefined;
      for (const pending of this.#pending)
        if (typeof pending.outcome === 'number' && isDoubtful) pending.outcome = Tenure.undecided(error);
        else pending.outcome ??= failure;
    } finally {
      engine.locks.write.leave();
    }
    this.#answer(placed);
    engine.noteChange();
    return obstacle;
  }

  /** Whether there are sums still to be made of what it writes, which is large. That is done in turns, without the lock. */
  #isLarge(at: number): boolean {
    return (this.#batch.groups[at] as Group).unfinished !== undefined;
  }

  /** Whether those before `at` are enough for one turn of the event loop. */
  #isEnough(at: number): boolean {
    const { start } = this.#batch.groups[at] as Group;
    return at >= CALLS_AT_ONCE || start - (this.#batch.groups[0] as Group).start >= 2 * this.#sliceBytes;
  }

  /**
   * ⚑ What was written over a fence counts where the take-over that ended its epoch says so; the others' callers are told
   * that nobody will ever see it.
   */
  #judgeUndecided(): void {
    if (this.#undecidedIn === undefined) return;
    const end = this.#engine.tenure.endOf(this.#undecidedIn);
    this.#undecidedIn = undefined;
    if (end === undefined) return;
    for (const [at, pending] of this.#pending.entries()) {
      if (typeof pending.outcome !== 'number') continue;
      const next = pending.outcome + (this.#batch.groups[at] as Group).count;
      if (next > end.next) pending.outcome = Tenure.lockLost();
    }
  }

  /** Whether the group `last` fits into the active segment together with those from `from` on, which do. */
  #fits(from: number, last: number): boolean {
    const { groups } = this.#batch;
    const { end, needs } = groups[last] as Group;
    return this.#engine.appender.fits(end - (groups[from] as Group).start, needs);
  }

  /**
   * Appends the group `from` and those behind it that fit beside it; returns the first one it left. One that may have been
   * written before may have been written just now.
   */
  #appendFrom(from: number): number {
    let to = from + 1;
    while (to < this.#pending.length && this.#goesAlong(from, to) && this.#fits(from, to)) to += 1;
    this.#append(from, to);
    return to;
  }

  #goesAlong(from: number, at: number): boolean {
    const { abandoned, writtenBefore } = this.#pending[at] as PendingWrite;
    if (abandoned || writtenBefore !== undefined || at - from >= CALLS_AT_ONCE) return false;
    return (
      (this.#batch.groups[at] as Group).end - (this.#batch.groups[from] as Group).start <= this.#sliceBytes
    );
  }

  #append(from: number, to: number): void {
    const { appender, clock } = this.#engine;
    let prepare = false;
    for (let at = from; at < to; at++) prepare ||= (this.#pending[at] as PendingWrite).durable;
    try {
      let first = appender.append(this.#batch, from, to, clock.now(), prepare);
      for (let at = from; at < to; at++) {
        (this.#pending[at] as PendingWrite).outcome = first;
        first += (this.#batch.groups[at] as Group).count;
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // What is too much together may fit singly.
      if (from + 1 === to)
        (this.#pending[from] as PendingWrite).outcome = this.#engine.failure.of(error, 'writing');
      else for (let at = from; at < to; at++) this.#append(at, at + 1);
    }
  }

  /** What is in the way of the group; where that is for good, its caller is told. */
  #makeRoom(fateHeld: boolean, pending: PendingWrite): Obstacle {
    try {
      return this.#room.make(fateHeld);
    } catch (error) {
      if (!isDiskFull(error) && (error as { code?: unknown }).code !== 'STORE_FULL') throw error;
      pending.outcome = this.#engine.failure.of(error, 'writing');
      return 'none';
    }
  }

  /** Tells the first `placed` callers what came of their writes; those that want it on the device are told then. */
  #answer(placed: number): void {
    const { syncer, tail, backgroundSync } = this.#engine;
    const answered = this.#taken(placed);
    this.#batch.drop(placed);
    let durable: PendingWrite[] | undefined;
    let written = false;
    for (const pending of answered) {
      if (typeof pending.outcome === 'number') written = true;
      if (pending.durable && typeof pending.outcome === 'number') {
        durable ??= [];
        durable.push(pending);
      } else this.#settle(pending);
    }
    if (durable !== undefined) this.#settleSynced(durable, syncer.upToHere(tail.nextIndex - 1));
    else if (written) backgroundSync.wrote();
  }

  /** Takes out the first ones. A list that is emptied by `pop` keeps its memory, which a call that comes alone would ask for anew. */
  #taken(count: number): readonly PendingWrite[] {
    const all = this.#pending;
    if (count === 1 && all.length === 1) return [all.pop() as PendingWrite];
    this.#pending = count === all.length ? [] : all.splice(count);
    return all;
  }

  #settleSynced(durable: readonly PendingWrite[], synced: Promise<void> | undefined): void {
    const settle = (): void => {
      for (const pending of durable) this.#settle(pending);
    };
    if (synced === undefined) {
      settle();
      return;
    }
    synced.then(settle, (error: Error) => {
      for (const pending of durable) {
        pending.outcome = error;
        this.#settle(pending);
      }
    });
  }

  #settle(pending: PendingWrite): void {
    pending.unlisten?.();
    if (typeof pending.outcome === 'number') pending.resolve(pending.outcome);
    else if (!pending.abandoned) pending.reject(pending.outcome);
  }

  #rejectAll(cause: unknown): void {
    const error = describeDiskError(cause, 'taking the lock');
    for (const pending of this.#pending)
      pending.outcome = typeof pending.outcome === 'number' ? Tenure.undecided(cause) : error;
    this.#undecidedIn = undefined;
    this.#answer(this.#pending.length);
  }
}
