import type { Clock } from '../../src/clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that stands still until a test moves it. Timers that are due run in the order of their times. */
export class MovedClock implements Clock {
  #wall = Date.UTC(2030, 0, 1);
  #monotonic = 1_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimer(at: number, run: () => void): () => void {
    const timer: Timer = { at, run };
    this.#timers.add(timer);
    // One that is due already runs soon, and never within this call.
    if (at <= this.#monotonic) setImmediate(() => this.#fire(timer));
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Moves both times on, past each timer on the way. */
  advance(ms: number): void {
    const monotonic = this.#monotonic + ms;
    const wall = this.#wall + ms;
    for (let next = this.#next(monotonic); next !== undefined; next = this.#next(monotonic)) {
      const step = Math.max(0, next.at - this.#monotonic);
      this.#monotonic += step;
      this.#wall += step;
      this.#fire(next);
    }
    this.#monotonic = monotonic;
    this.#wall = wall;
  }

  /** Sets the wall time alone, as an administrator would. */
  setWall(time: number): void {
    this.#wall = time;
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    return next;
  }

  #fire(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.run();
  }
}
