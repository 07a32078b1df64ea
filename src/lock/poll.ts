import { performance } from 'node:perf_hooks';

/** Critical sections last microseconds: who is next gets in while it spins, between turns of the event loop. */
const SPIN_MS = 0.2;
/** For so long a wait is worth a look each millisecond; later the holder is stopped, or works at something long. */
const BRISK_MS = 1000;
export const SLOWEST_POLL_MS = 10;
/** Who stands behind others looks ten times in what a wait takes usually, and as often as they do where that is long. */
const PART_OF_WAIT = 0.1;
const LONGEST_PAUSE_MS = 4;
/** A wait that took longer says nothing of the next one: the holder was stopped. */
const LONGEST_USUAL_MS = 50;

/**
 * Attempts something again and again until it succeeds. Locks are waited for like this and not in the operating
 * system: a thread blocked there is one of libuv's four, and keeps the process from exiting. Keeps the process alive.
 *
 * An attempt by a timer costs 50 µs of a core, all told. Sixteen processes that made one each millisecond would keep a core
 * busy, and keep it from who has the lock. So only who is next does. The others look less often, but nearly all as often: where
 * one that has waited long sleeps longer for it, it falls behind more and more.
 */
export class Poll {
  readonly #attempt: () => boolean;
  readonly #isNext: () => boolean;
  #running = false;
  #since = 0;
  #nextSince: number | undefined;
  /** What a wait took lately, in milliseconds. */
  #usual = 0;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `attempt` says whether polling is over; `isNext` whether nobody else is to be served before. */
  constructor(attempt: () => boolean, isNext: () => boolean = () => true) {
    this.#attempt = attempt;
    this.#isNext = isNext;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Begins with the next turn of the event loop; the first attempt is the caller's. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#since = performance.now();
    this.#nextSince = undefined;
    this.#schedule();
  }

  stop(): void {
    this.#running = false;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
  }

  readonly #again = (): void => {
    if (!this.#running) return;
    if (this.#attempt()) {
      this.#running = false;
      const waited = Math.min(performance.now() - this.#since, LONGEST_USUAL_MS);
      this.#usual += (waited - this.#usual) / 4;
    } else if (this.#running) this.#schedule();
  };

  #schedule(): void {
    const now = performance.now();
    if (this.#isNext()) {
      this.#nextSince ??= now;
      if (now - this.#nextSince < SPIN_MS) {
        this.#immediate = setImmediate(this.#again);
        return;
      }
    }
    this.#timer = setTimeout(this.#again, this.#pause(now - this.#since));
  }

  #pause(waited: number): number {
    if (waited >= BRISK_MS) return slowPause();
    if (this.#nextSince !== undefined) return 1;
    return Math.min(LONGEST_PAUSE_MS, Math.max(1, PART_OF_WAIT * this.#usual));
  }
}

/** Uneven, so that those who wait for the same holder do not look in step. */
const slowPause = (): number => (SLOWEST_POLL_MS / 2) * (1 + Math.random());
