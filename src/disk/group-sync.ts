interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One sync for all who wait (group commit): a request is answered by a sync that began after it was made. A sync that
 * failed is never tried again, for the system may call the lost pages clean and let the next one succeed without them.
 */
export class GroupSync {
  readonly #sync: () => Promise<void>;
  readonly #failed: (error: unknown) => unknown;
  #waiters: Waiter[] = [];
  #running = false;
  #failure: { error: unknown } | undefined;

  /** `failed` is told the error once, and returns the one that callers get from then on. */
  constructor(sync: () => Promise<void>, failed: (error: unknown) => unknown) {
    this.#sync = sync;
    this.#failed = failed;
  }

  /** Resolves when what was written before this call is on the device. */
  request(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        await this.#sync();
        for (const waiter of waiters) waiter.resolve();
      } catch (error) {
        this.#failure = { error: this.#failed(error) };
        for (const waiter of [...waiters, ...this.#waiters.splice(0)]) waiter.reject(this.#failure.error);
      }
    }
    this.#running = false;
  }
}
