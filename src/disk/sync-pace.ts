/** A device that takes longer, on average, is waited for in the background. Milliseconds. */
const BRISK_MS = 0.5;
/** A sync counts for so much in the average, its predecessors for the rest. */
const WEIGHT = 1 / 8;
/** So many syncs in a row answered one request each before the calling thread waits. */
const ALONE_FOR = 16;
/** Of so many, one goes through the background, to see whether others would have joined it. */
const PROBE_EVERY = 32;

/**
 * Decides where to wait for the device. The hop to a thread of the pool and back costs 40-50 µs, a third of what a brisk device takes,
 * and is worth it where the device is slow or others ask meanwhile, for they share the next sync. So the calling thread waits only
 * while the device was brisk of late, on average, and who asked was alone in this process: several files are synced side by side
 * in the background, and here one after the other.
 */
export class SyncPace {
  /** A moving average of how long syncs took. Milliseconds. */
  #average = BRISK_MS;
  /** How many in a row had a single request. */
  #alone = 0;
  /** How many the calling thread has waited for since one went through the background. */
  #here = 0;

  /** Whether the next one may be waited for in the calling thread. */
  get mayWait(): boolean {
    return this.#alone >= ALONE_FOR && this.#average < BRISK_MS && this.#here < PROBE_EVERY;
  }

  /** The calling thread has waited for so long. */
  waited(ms: number): void {
    this.#here += 1;
    this.#took(ms);
  }

  /** One in the background took so long; so many requests were made of it, or by this process while it ran. */
  passed(ms: number, requests: number): void {
    this.#here = 0;
    this.#alone = requests === 1 ? this.#alone + 1 : 0;
    this.#took(ms);
  }

  #took(ms: number): void {
    this.#average += (ms - this.#average) * WEIGHT;
  }
}
