import type { FactSink } from './facts.js';

/** States that records are gone, ascending indexes in a row as one range. */
export class GoneRuns {
  readonly #facts: FactSink;
  #from = 0;
  #to = 0;

  constructor(facts: FactSink) {
    this.#facts = facts;
  }

  add(index: number): void {
    if (index !== this.#to) {
      this.end();
      this.#from = index;
    }
    this.#to = index + 1;
  }

  /** States the last run; to be called when all were added. */
  end(): void {
    if (this.#to > this.#from) this.#facts.gone(this.#from, this.#to);
    this.#from = 0;
    this.#to = 0;
  }
}
