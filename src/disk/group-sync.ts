import { performance } from 'node:perf_hooks';
import { SyncPace } from './sync-pace.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Brings what was written so far to the device. */
export interface Syncing {
  /** In the background. */
  sync(): Promise<void>;
  /** In the calling thread; false where that would take more than one sync of little, and nothing was done. */
  syncHere(): boolean;
  /** Is told the error of a sync that failed, once, and returns the one that callers get from then on. */
  failed(error: unknown): unknown;
}

/** So many requests this process has made of all its files, and so many were answered. */
let requested = 0;
let answered = 0;

/**
 * One sync for all who wait (group commit): a request is answered by a sync that began after it was made. A sync that
 * failed is never tried again, for the system may call the lost pages clean and let the next one succeed without them.
 */
export class GroupSync {
  readonly #syncing: Syncing;
  readonly #pace: SyncPace;
  #waiters: Waiter[] = [];
  #running = false;
  #failure: { error: unknown } | undefined;

  constructor(syncing: Syncing, pace = new SyncPace()) {
    this.#syncing = syncing;
    this.#pace = pace;
  }

  /** Resolves when what was written before this call is on the device. */
  request(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    requested += 1;
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  /** The same; undefined where it is there already, because waiting here was quicker than having others wait. */
  requestHere(): Promise<void> | undefined {
    if (this.#running || !this.#pace.mayWait || this.#failure !== undefined) return this.request();
    const began = performance.now();
    try {
      if (!this.#syncing.syncHere()) return this.request();
    } catch (error) {
      return Promise.reject(this.#fail(error));
    }
    this.#pace.waited(performance.now() - began);
    requested += 1;
    answered += 1;
    return undefined;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      const began = performance.now();
      const before = answered;
      try {
        await this.#syncing.sync();
        // Those of other files, too, before and meanwhile: in the background the device takes them side by side, here one after the other.
        this.#pace.passed(performance.now() - began, requested - before);
        answered += waiters.length;
        for (const waiter of waiters) waiter.resolve();
        // They hear of it before anybody is answered without waiting.
        await undefined;
      } catch (error) {
        const failure = this.#fail(error);
        const all = [...waiters, ...this.#waiters.splice(0)];
        answered += all.length;
        for (const waiter of all) waiter.reject(failure);
      }
    }
    this.#running = false;
  }

  #fail(error: unknown): unknown {
    this.#failure ??= { error: this.#syncing.failed(error) };
    return this.#failure.error;
  }
}
