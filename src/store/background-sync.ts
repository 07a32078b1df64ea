import type { Engine } from './engine.js';

/**
 * Brings what was only written to the device in the background, all at once: own records within the interval, those of
 * others, whose writer may have died, within twice that, so that readers do not all sync.
 */
export class BackgroundSync {
  readonly #engine: Engine;
  #dueAt = Number.POSITIVE_INFINITY;
  /** Within how long of that time at which it was asked for. */
  #dueWithin = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Records or facts were written here. */
  wrote(): void {
    this.#syncWithin(this.#engine.options.syncIntervalMs);
  }

  /** Those of others were seen. */
  saw(): void {
    this.#syncWithin(2 * this.#engine.options.syncIntervalMs);
  }

  /** ⚑ For good: calls that are under way say that they wrote, and a sync behind the end would find closed files, and call that a failure. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#forget();
  }

  #forget(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#dueWithin = Number.POSITIVE_INFINITY;
  }

  #syncWithin(delayMs: number): void {
    // What was asked for earlier, and for as soon, comes sooner; looking at the clock costs more than all this.
    if (this.#isClosed || this.#dueWithin <= delayMs) return;
    const { clock, syncer, tail, journal, fates } = this.#engine;
    if (tail.safe >= tail.nextIndex - 1 && journal.fact <= journal.safe && !fates.isCarrying) return;
    const dueAt = clock.monotonic() + delayMs;
    if (this.#dueAt <= dueAt) return;
    this.#cancel?.();
    this.#dueAt = dueAt;
    this.#dueWithin = delayMs;
    this.#cancel = clock.setTimer(dueAt, () => {
      this.#forget();
      // A failed sync makes the store failed, and the next call says so.
      syncer
        .upTo(tail.nextIndex - 1)
        .then(() => (this.#isClosed ? undefined : this.#engine.carried.settle()))
        .catch(() => {});
    });
  }
}
