/**
 * When handlers began, as far back as counts: at most `max` may begin in any window of `perMs`. p-queue has such a limit too,
 * but tells nobody how many may begin now, which decides how many are claimed; and it goes by the wall clock, which is set
 * back now and then.
 */
export class RateWindow {
  readonly #max: number;
  readonly #perMs: number;
  /** Ascending; those before `#from` have left the window. */
  #begun: number[] = [];
  #from = 0;

  constructor(limit: { readonly max: number; readonly perMs: number } | undefined) {
    this.#max = limit?.max ?? Number.POSITIVE_INFINITY;
    this.#perMs = limit?.perMs ?? 0;
  }

  /** One has begun. `now` is not before what its handler takes for its beginning. */
  begin(now: number): void {
    if (this.#max < Number.POSITIVE_INFINITY) this.#begun.push(now);
  }

  /** How many may begin now. */
  free(now: number): number {
    while ((this.#begun[this.#from] ?? Number.POSITIVE_INFINITY) + this.#perMs <= now) this.#from += 1;
    if (this.#from > 1000 && this.#from > this.#begun.length / 2) {
      this.#begun = this.#begun.slice(this.#from);
      this.#from = 0;
    }
    return this.#max - (this.#begun.length - this.#from);
  }

  /** When the next one may begin; in the past where one may now. */
  next(now: number): number {
    if (this.free(now) > 0) return now;
    return (this.#begun[this.#from] ?? now) + this.#perMs;
  }
}
