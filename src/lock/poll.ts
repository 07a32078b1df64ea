/** Critical sections last microseconds: most waits end while spinning, between turns of the event loop. */
const SPIN_MS = 1;
/** For so long a wait is worth a look each millisecond; later the holder is stopped, or works at something long. */
const BRISK_MS = 1000;
export const SLOWEST_POLL_MS = 10;

/**
 * Attempts something again and again until it succeeds. Locks are waited for like this and not in the operating
 * system: a thread blocked there is one of libuv's four, and keeps the process from exiting. Keeps the process alive.
 */
export class Poll {
  readonly #attempt: () => boolean;
  #running = false;
  #since = 0;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `attempt` says whether polling is over. */
  constructor(attempt: () => boolean) {
    this.#attempt = attempt;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Begins with the next turn of the event loop; the first attempt is the caller's. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#since = performance.now();
    this.#schedule();
  }

  stop(): void {
    this.#running = false;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
  }

  readonly #again = (): void => {
    if (!this.#running) return;
    if (this.#attempt()) this.#running = false;
    else if (this.#running) this.#schedule();
  };

  #schedule(): void {
    const waited = performance.now() - this.#since;
    if (waited < SPIN_MS) this.#immediate = setImmediate(this.#again);
    else this.#timer = setTimeout(this.#again, waited < BRISK_MS ? 1 : slowPause());
  }
}

/** Uneven, so that those who wait for the same holder do not look in step. */
const slowPause = (): number => (SLOWEST_POLL_MS / 2) * (1 + Math.random());
