import { onAbort } from '../abort.js';

interface Waiter {
  admit(): void;
  refuse(error: unknown): void;
}

/** Those of one process that wait for the same thing, first come first served. */
export class WaitingLine {
  readonly #waiters = new Set<Waiter>();
  readonly #deserted: () => void;

  /** `deserted` is called when the last waiter has given up. */
  constructor(deserted: () => void) {
    this.#deserted = deserted;
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Resolves when admitted; rejects when refused, or with `signal.reason` when aborted. */
  join(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        this.#waiters.delete(waiter);
        unlisten?.();
      };
      const giveUp = (): void => {
        step();
        reject(signal?.reason);
        if (this.isEmpty) this.#deserted();
      };
      const waiter: Waiter = {
        admit: () => {
          step();
          resolve();
        },
        refuse: (error) => {
          step();
          reject(error);
        },
      };
      const unlisten = signal === undefined ? undefined : onAbort(signal, giveUp);
      this.#waiters.add(waiter);
    });
  }

  /** Admits who came first; false where nobody waits. */
  admitFirst(): boolean {
    for (const waiter of this.#waiters) {
      waiter.admit();
      return true;
    }
    return false;
  }

  refuseAll(error: unknown): void {
    for (const waiter of this.#waiters) waiter.refuse(error);
  }
}
