import type { Death } from './facts.js';
import { TimeHeap } from './time-heap.js';

/** The records that were given up, and which of them longest ago. */
export class DeadRegister {
  readonly #all = new Map<number, Death>();
  readonly #byAge = new TimeHeap();

  get size(): number {
    return this.#all.size;
  }

  /** Of those that died first the lowest. */
  get oldest(): { readonly index: number; readonly lastFailedAt: number } | undefined {
    for (let one = this.#byAge.earliest; one !== undefined; one = this.#byAge.earliest) {
      if (this.#all.get(one.index)?.lastFailedAt === one.at)
        return { index: one.index, lastFailedAt: one.at };
      this.#byAge.takeEarliest();
    }
    return undefined;
  }

  has(index: number): boolean {
    return this.#all.has(index);
  }

  get(index: number): Death | undefined {
    return this.#all.get(index);
  }

  entries(): IterableIterator<[number, Death]> {
    return this.#all.entries();
  }

  indexes(): IterableIterator<number> {
    return this.#all.keys();
  }

  /** The same, ascending. */
  sorted(): number[] {
    // Numbers alone are sorted several times faster than with a function that compares them.
    return Array.from(Float64Array.from(this.#all.keys()).sort());
  }

  set(index: number, death: Death): void {
    this.#all.set(index, death);
    this.#byAge.sweep(this.#all.size, (one) => this.#all.get(one.index)?.lastFailedAt === one.at);
    this.#byAge.add(death.lastFailedAt, index);
  }

  /** False where it was not dead. */
  delete(index: number): boolean {
    return this.#all.delete(index);
  }
}
