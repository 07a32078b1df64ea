import { setImmediate as turn } from 'node:timers/promises';

/** So much is read at a stretch before others get their turn. */
export const STRETCH_BYTES = 4 * 1024 * 1024;

/** Tells how far a reading has got, lets the event loop have its turns, and ends it when it is aborted. */
export class Pace {
  #signal: AbortSignal | undefined;
  readonly #onProgress: (done: number, total: number) => void;
  #done = 0;
  #total = 0;
  #stretch = 0;

  constructor(signal: AbortSignal | undefined, onProgress: (done: number, total: number) => void) {
    this.#signal = signal;
    this.#onProgress = onProgress;
  }

  /** So many bytes are to be read, beside those that were expected before. */
  expect(bytes: number): void {
    this.#total += bytes;
  }

  /** So many bytes were read. Rejects with `signal.reason` when aborted. */
  async read(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    // Files grow while they are read.
    this.#done = Math.min(this.#done + bytes, this.#total);
    this.#stretch += bytes;
    if (this.#stretch < STRETCH_BYTES) return;
    this.#stretch = 0;
    await turn();
    this.#signal?.throwIfAborted();
    this.#onProgress(this.#done, this.#total);
  }

  /** From now on it is not aborted. */
  carryOn(): void {
    this.#signal = undefined;
  }

  /** Everything was read. */
  end(): void {
    this.#onProgress(this.#total, this.#total);
  }
}
