import { performance } from 'node:perf_hooks';
import type { DiskFile } from '../disk/disk.js';
import { tryLockFile } from './lock-file.js';
import type { Gate } from './queued-lock.js';

/**
 * How long one may enter again and again before it must pass the turnstile. Handing over costs up to a millisecond in which nobody is
 * in, and what others did has to be read: among sixteen processes, runs of a millisecond did a third less, and runs of four made
 * the longest wait longer (docs/performance.md).
 */
const RUN_MS = 2;
/** How long to respect a turn that is not used. Longer than a waiter's slowest poll, so only a stopped one wastes it. */
const PATIENCE_MS = 50;
/** The same once a turn was seen wasted. */
const SHORT_PATIENCE_MS = 1;

/**
 * Fairness among processes: a second lock file, the turn, that a waiter holds while it waits for the lock itself.
 *
 * A waiter takes the turn, then the lock, then frees the turn. Whoever enters without waiting needs the turn only if
 * it has not passed the turnstile for RUN_MS: so one that enters again and again keeps its 1.2 µs, yet is refused
 * within RUN_MS once somebody stands there, and the lock is that one's. Time since the last passing, rather
 * than the length of a run, because it needs no notion of a pause: a pause too short for a waiter's poll to hit would
 * end a run and let nobody in.
 *
 * The turn is a courtesy; exclusion rests on the lock alone. So a turn that nobody uses, its holder being stopped, is
 * passed by after a while: else one suspended waiter would suspend everybody.
 */
export class Turnstile implements Gate {
  readonly #turn: DiskFile;
  readonly #lock: DiskFile;
  #passedAt = Number.NEGATIVE_INFINITY;
  #hasTurn = false;
  #waitingSince: number | undefined;
  #patience = PATIENCE_MS;

  constructor(turn: DiskFile, lock: DiskFile) {
    this.#turn = turn;
    this.#lock = lock;
  }

  get isNext(): boolean {
    return this.#hasTurn;
  }

  get mayStay(): boolean {
    return performance.now() - this.#passedAt < RUN_MS;
  }

  tryPass(): boolean {
    const now = performance.now();
    if (now - this.#passedAt < RUN_MS) return tryLockFile(this.#lock, 'exclusive');
    if (!tryLockFile(this.#turn, 'exclusive')) return false;
    try {
      if (!tryLockFile(this.#lock, 'exclusive')) return false;
    } finally {
      this.#turn.unlock();
    }
    this.#passedAt = now;
    return true;
  }

  tryPassWaiting(): boolean {
    if (!this.#hasTurn) {
      this.#hasTurn = tryLockFile(this.#turn, 'exclusive');
      if (!this.#hasTurn) return this.#tryPassBy();
      this.#patience = PATIENCE_MS;
    }
    if (!tryLockFile(this.#lock, 'exclusive')) return false;
    this.stopWaiting();
    this.#passedAt = performance.now();
    return true;
  }

  #tryPassBy(): boolean {
    const now = performance.now();
    this.#waitingSince ??= now;
    if (now - this.#waitingSince < this.#patience) return false;
    if (!tryLockFile(this.#lock, 'exclusive')) return false;
    this.#patience = SHORT_PATIENCE_MS;
    this.stopWaiting();
    this.#passedAt = now;
    return true;
  }

  stopWaiting(): void {
    this.#waitingSince = undefined;
    if (!this.#hasTurn) return;
    this.#hasTurn = false;
    this.#turn.unlock();
  }

  leave(): void {
    this.#lock.unlock();
  }

  close(): void {
    this.#turn.close();
    this.#lock.close();
  }
}
