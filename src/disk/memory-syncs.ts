interface Sync {
  /** The process that waits for it. */
  readonly owner: object;
  /** Takes effect. Throws where the sync fails. */
  readonly settle: () => void;
  readonly done: () => void;
  readonly refuse: (error: unknown) => void;
}

/** Syncs under way: they take effect in a later turn of the event loop, or when a test lets them. */
export class Syncs {
  #waiting: Sync[] = [];
  #held = false;
  #scheduled = false;

  get count(): number {
    return this.#waiting.length;
  }

  begin(owner: object, settle: () => void): Promise<void> {
    return new Promise((done, refuse) => {
      this.#waiting.push({ owner, settle, done, refuse });
      this.#schedule();
    });
  }

  hold(): void {
    this.#held = true;
  }

  /** The first `count` take effect now; without a number all, and those to come are no longer held. */
  release(count?: number): void {
    if (count === undefined) this.#held = false;
    for (const { settle, done, refuse } of this.#waiting.splice(0, count ?? this.#waiting.length)) {
      try {
        settle();
        done();
      } catch (error) {
        refuse(error);
      }
    }
  }

  /** A process that waits for some has died. They go on without it. */
  orphan(owner: object, error: unknown): void {
    for (const sync of this.#waiting) if (sync.owner === owner) sync.refuse(error);
  }

  /** None of them takes effect any more. */
  abandon(): void {
    this.#waiting = [];
  }

  #schedule(): void {
    if (this.#held || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#held) this.release();
    });
  }
}
