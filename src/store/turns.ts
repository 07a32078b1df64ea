import { performance } from 'node:perf_hooks';

/** Calls of one turn of the event loop may be answered in it for so long; then others get theirs. */
const LONGEST_TURN_MS = 2;
/** A call that reads counts as much as 16 KiB that it reads. */
const A_CALL = 16 * 1024;
/** The clock is looked at when so much was counted. */
const LOOK_EVERY = 16 * A_CALL;

const RESOLVED = Promise.resolve();

/** Resolves in the next turn of the event loop. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Runs work at the end of the current microtasks, so that the calls of one tick become one batch. A loop that awaits one
 * call after the other never leaves the microtasks, and would keep timers and sockets waiting for ever: after 2 ms
 * without a turn of the event loop, work waits for one.
 */
export class Turns {
  #turnBegan = Number.NEGATIVE_INFINITY;
  #marked = false;
  #count = 0;

  run(work: () => void): void {
    if (this.#isOver()) setImmediate(work);
    // Cheaper by half a microsecond than `queueMicrotask`, which enters an asynchronous resource.
    else void RESOLVED.then(work);
  }

  /**
   * For a call that did its work at once, and read so many bytes: what to await before it answers, or undefined, so that a loop of
   * such calls leaves the microtasks, too.
   */
  rest(bytes: number): Promise<void> | undefined {
    this.#count += A_CALL + bytes;
    if (this.#count < LOOK_EVERY) return undefined;
    this.#count = 0;
    return this.#isOver() ? nextTurn() : undefined;
  }

  /** For a piece of work that goes on for long: the same, at every look. */
  pause(): Promise<void> | undefined {
    return this.#isOver() ? nextTurn() : undefined;
  }

  #isOver(): boolean {
    if (this.#marked) return performance.now() - this.#turnBegan > LONGEST_TURN_MS;
    this.#marked = true;
    this.#turnBegan = performance.now();
    setImmediate(this.#endTurn);
    return false;
  }

  readonly #endTurn = (): void => {
    this.#marked = false;
  };
}
