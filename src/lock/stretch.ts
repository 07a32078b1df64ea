import { performance } from 'node:perf_hooks';
import type { LockDirectory } from './lock-directory.js';
import type { Gate } from './queued-lock.js';

/** How long it is kept though nothing happens. */
const IDLE_MS = 2;
/** For so long after somebody else was seen to have it, it is kept for a turn of the event loop when nothing happens. */
const SHARED_MS = 1000;

/**
 * How long an opener keeps the lock directory. Taking and releasing it costs a hundred times what a write does, so it is
 * kept while there is work; and as those who wait for it can do nothing but try now and then, it is left alone for a while
 * after each stretch. That is all the fairness there is.
 *
 * The gates of an opener's locks are faces of it: one at a time in each of them, all of them in the same stretch.
 */
export class Stretch {
  readonly #directory: LockDirectory;
  readonly #longestMs: number;
  readonly #restMs: number;
  #since = Number.NEGATIVE_INFINITY;
  #usedAt = Number.NEGATIVE_INFINITY;
  #releasedAt = Number.NEGATIVE_INFINITY;
  #restUntil = Number.NEGATIVE_INFINITY;
  #inside = 0;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #idle: NodeJS.Timeout | undefined;
  #turnEnd: NodeJS.Immediate | undefined;
  /** When it was last used, as the turn before ended. */
  #usedBefore = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(directory: LockDirectory, longestMs: number, restMs: number) {
    this.#directory = directory;
    this.#longestMs = longestMs;
    this.#restMs = restMs;
  }

  /**
   * A face of it. Who is inside `outer` while it passes this one must not wait for the stretch to end, for it waits for
   * them.
   */
  face(outer?: Face): Face {
    return new Face(this, outer);
  }

  /** Whether the next one may go on without anybody being asked. */
  get isYoung(): boolean {
    return !this.#directory.isLost && performance.now() - this.#since < this.#longestMs;
  }

  tryEnter(isNested: boolean): boolean {
    if (this.#closed) return false;
    if (this.#directory.isHeld) {
      if (isNested || this.isYoung) {
        this.#inside += 1;
        return true;
      }
      if (this.#inside > 0) return false;
      // Kept too long, because this process was busy or stopped: it may be somebody else's.
      this.#release();
    }
    const now = performance.now();
    if (now < this.#restUntil) return false;
    if (!this.#directory.tryTake()) {
      this.#refusedAt = now;
      return false;
    }
    // A pause that would have done as a rest begins a stretch.
    if (now - this.#releasedAt >= this.#restMs) this.#since = now;
    this.#inside += 1;
    return true;
  }

  leave(): void {
    this.#inside -= 1;
    if (this.#inside > 0 || this.#closed || !this.#directory.isHeld) return;
    if (!this.isYoung) {
      this.#release();
      return;
    }
    this.#usedAt = performance.now();
    if (this.#usedAt - this.#refusedAt < SHARED_MS) this.#turnEnd ??= setImmediate(this.#endTurn);
    else this.#idle ??= this.#soon(IDLE_MS);
  }

  /** Ends it though somebody may be inside, who leaves later without effect. */
  renounce(): void {
    if (this.#directory.isHeld) this.#release();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    clearImmediate(this.#turnEnd);
    this.#directory.release();
  }

  #release(): void {
    this.#directory.release();
    this.#releasedAt = performance.now();
    if (this.#releasedAt - this.#since >= this.#longestMs)
      this.#restUntil = this.#releasedAt + this.#restMs * (1 + Math.random());
  }

  /** A loop that gives the event loop a turn now and then goes on in the next one. */
  readonly #endTurn = (): void => {
    this.#turnEnd = undefined;
    if (this.#inside > 0 || !this.#directory.isHeld) return;
    if (this.#usedAt === this.#usedBefore) {
      this.#release();
      return;
    }
    this.#usedBefore = this.#usedAt;
    this.#turnEnd = setImmediate(this.#endTurn);
  };

  /** The process may end meanwhile: the lock directory is removed then, too. */
  #soon(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#idle = undefined;
      if (this.#inside > 0 || !this.#directory.isHeld) return;
      const left = this.#usedAt + IDLE_MS - performance.now();
      if (left > 0 && this.isYoung) this.#idle = this.#soon(left);
      else this.#release();
    }, ms).unref();
  }
}

/** The gate of one of an opener's locks. */
class Face implements Gate {
  readonly #stretch: Stretch;
  readonly #outer: Face | undefined;
  #isInside = false;

  constructor(stretch: Stretch, outer: Face | undefined) {
    this.#stretch = stretch;
    this.#outer = outer;
  }

  get isInside(): boolean {
    return this.#isInside;
  }

  get mayStay(): boolean {
    return this.#stretch.isYoung;
  }

  tryPass(): boolean {
    this.#isInside = this.#stretch.tryEnter(this.#outer?.isInside ?? false);
    return this.#isInside;
  }

  tryPassWaiting(): boolean {
    return this.tryPass();
  }

  /** There is no order among those who wait. */
  readonly isNext = false;

  stopWaiting(): void {}

  leave(): void {
    this.#isInside = false;
    this.#stretch.leave();
  }

  close(): void {
    this.#isInside = false;
  }
}
