/** Streams of bytes that are under way, in and out: they end when the store is closed. */
export class OpenStreams {
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<unknown>>();

  /** Aborts when the store closes, with CLOSED as its reason. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** What closing waits for. */
  async through<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Resolves when nothing is under way. */
  async close(reason: Error): Promise<void> {
    this.#closing.abort(reason);
    await Promise.allSettled(this.#underWay);
  }
}
