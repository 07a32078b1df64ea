import { createFence } from '../epoch/fence.js';
import { Fenced } from '../epoch/fenced.js';
import { withSpare } from '../epoch/spare.js';
import type { Takeover } from '../epoch/takeover.js';
import { DurostoreError } from '../errors.js';
import { mendHeaders } from '../segment/mend-headers.js';
import { findEnd } from '../segment/recovery.js';
import type { TailPosition } from '../segment/tail.js';
import type { Engine } from './engine.js';

/** Whoever put up a fence is about to take over, mostly. */
const RESOLVE_AFTER_MS = 20;
const RESOLVE_EVERY_MS = 500;

/**
 * What it takes to hold a lock that can be taken away. With lock files whoever sleeps too long over the lock loses it, and
 * nothing tells it before it writes. So who comes in looks for a fence, and finishes a take-over that nobody has; and who
 * has written looks for a fence before anybody is told. With locks that the kernel frees all of this is nothing.
 */
export class Tenure {
  readonly #engine: Engine;
  #entered = 0;
  #isResolving = false;
  #resolveAt = Number.NEGATIVE_INFINITY;
  /** What this opener has seen or written may not count: it looks no further before it has entered again. */
  isTainted = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The epoch that this opener writes in. */
  get epoch(): number {
    return this.#engine.epochs.current;
  }

  /**
   * Under a lock, before anything is looked at: follows take-overs by others, and makes the one that a fence without any
   * asks for. Throws Fenced where the lock is lost meanwhile: then it is to be entered again.
   */
  enter(): void {
    const { locks, epochs } = this.#engine;
    if (this.#entered === locks.tenure && !this.isTainted) return;
    try {
      epochs.assertHere();
      if (epochs.refresh()) this.#engine.followTakeover();
      epochs.settle();
      if (epochs.isFenced() || this.isTainted) this.#beginAnew();
    } catch (error) {
      this.isTainted = true;
      locks.renounce();
      throw error;
    }
    this.isTainted = false;
    this.#entered = locks.tenure;
  }

  #beginAnew(): void {
    const { epochs, carried } = this.#engine;
    if (epochs.isFenced()) this.#takeOver();
    else this.#lookAnew();
    if (!carried.begin()) throw new Fenced();
  }

  /** For an opener, which has looked at nothing yet. */
  begin(): void {
    const { epochs } = this.#engine;
    epochs.refresh();
    epochs.ensureFences();
    this.#entered = -1;
    this.enter();
  }

  /**
   * After writing: whether somebody has put up a fence, so that what was written may not count. Then the tail is turned back,
   * and what became of the writes is told by `endOf` once the lock was entered again.
   */
  isLost(before: TailPosition): boolean {
    if (!this.#engine.epochs.isFenced()) return false;
    this.lost(before);
    return true;
  }

  /** Between two writes of which the second counts only where the first does: whether somebody has put up a fence. */
  get isFenced(): boolean {
    return this.#engine.epochs.isFenced();
  }

  /** The lock is lost. What was written since `before` may not count. */
  lost(before?: TailPosition): void {
    this.isTainted = true;
    if (before !== undefined) this.#engine.tail.turnBack(before);
    this.#engine.locks.renounce();
  }

  /** How the epoch ended in which something was written. STORE_FAILED where nobody remembers. */
  endOf(epoch: number): Takeover | undefined {
    const { epochs } = this.#engine;
    if (epochs.current === epoch) return undefined;
    const end = epochs.remembers(epoch) ? epochs.endOf(epoch) : undefined;
    if (end !== undefined) return end;
    throw new DurostoreError(
      'STORE_FAILED',
      'this process slept for so long that nobody remembers whether its last write counts: it may exist. Reopen the store to go on',
    );
  }

  /**
   * For who only looks, and may not believe what it sees: whoever put up the fence may have died, and with nobody who writes
   * nobody would take over. Comes in and leaves again, in the background, now and then until that succeeds.
   */
  resolveSoon(): void {
    const { clock, decider } = this.#engine;
    const now = clock.monotonic();
    if (now < this.#resolveAt || this.#isResolving) return;
    this.#isResolving = true;
    this.#resolveAt = now + RESOLVE_EVERY_MS;
    clock.setTimer(now + RESOLVE_AFTER_MS, () => {
      Promise.resolve()
        .then(() => decider.decide(() => {}, false))
        .then(() => this.#engine.noteChange())
        // Who decides or writes next meets the same, and is told.
        .catch(() => {})
        .finally(() => {
          this.#isResolving = false;
        });
    });
  }

  /** What a caller is told whose write nobody will ever see. */
  static lockLost(): DurostoreError {
    return new DurostoreError(
      'LOCK_LOST',
      'another process took the lock over while this one slept, and nobody will ever see what this call wrote: call again',
    );
  }

  /** What a caller is told whose write was made over a fence, where nobody can find out what became of it. */
  static undecided(cause: unknown): DurostoreError {
    return new DurostoreError(
      'STORE_FAILED',
      'the lock was lost while this was written, and cannot be had again: what was being written may exist. Reopen the store to go on',
      cause,
    );
  }

  /**
   * ⚑ Behind a fence of its own, which makes the epoch its own: reads the ends of the log and of the journal, writes the state
   * into a journal of the new epoch, and publishes both cuts. Nothing is written to the files of the epoch before; the
   * next segment is begun by whoever writes. Only who still has the lock *after* the fence is there goes on: whoever takes
   * it away later puts up a higher one.
   */
  #takeOver(): void {
    const { disk, names, epochs, locks } = this.#engine;
    const before = epochs.current;
    const epoch = createFence(disk, names);
    if (!locks.isStillHeld()) throw new Fenced();
    epochs.current = epoch;
    try {
      this.#publishEnds(epoch);
    } catch (error) {
      // An epoch that was not published is nobody's.
      epochs.current = before;
      throw error;
    }
  }

  #publishEnds(epoch: number): void {
    const { disk, names, epochs, journal, tail, fates, files } = this.#engine;
    this.#lookAnew();
    const { last, before } = findEnd(files, tail);
    const { number, end } = this.#prepareJournal(epoch);
    const sealed = tail.state === 'sealed' ? tail.successor : tail.nextIndex;
    const next = Math.max(sealed, tail.safe + 1, fates.highestNamed + 1);
    const takeover: Takeover = {
      epoch,
      next,
      // One that nothing is in is succeeded by another of the same name: then the one before it goes on there.
      segment: next > last.first ? last : (before ?? last),
      fact: journal.fact,
      journal: { number, end },
    };
    const lowest = { segment: tail.segments.lowest ?? takeover.next, journal: journal.lowest };
    if (!withSpare(disk, names, () => epochs.publish(takeover, lowest))) throw new Fenced();
    files.forgetPaths();
  }

  #prepareJournal(epoch: number): { number: number; end: number } {
    const { disk, names, journal, clock } = this.#engine;
    return withSpare(disk, names, () => journal.prepareTakeover(epoch, clock.now()));
  }

  /** Reads everything again from the files. Throws Fenced. */
  #lookAnew(): void {
    const { journal, tail, files, carried } = this.#engine;
    carried.forget();
    files.forgetPaths();
    mendHeaders(files);
    journal.open();
    tail.open();
    if (journal.isFenced || tail.isFenced) throw new Fenced();
  }
}
