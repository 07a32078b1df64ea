import { TimeHeap } from './time-heap.js';

/** What is remembered of a record that was claimed before and that nobody has. */
export interface Attempted {
  /** How often it was claimed. */
  readonly attempts: number;
  /** Wall time of the first attempt that failed; 0 where it is not known. */
  readonly firstFailedAt: number;
  /** Wall time before which it was put off; 0 where it was not. */
  readonly due: number;
  /** Whether nobody can have it yet. */
  isPutOff: boolean;
  /** Whether the last who had it is no more. Known to those alone who have seen the fact. */
  readonly isOrphan: boolean;
}

/** The records that were claimed before and that nobody has: how often, since when they fail, and when they are due. */
export class Attempts {
  readonly #all = new Map<number, Attempted>();
  readonly #dues = new TimeHeap();
  #putOff = 0;

  get size(): number {
    return this.#all.size;
  }

  /** How many are put off. */
  get putOff(): number {
    return this.#putOff;
  }

  /** A wall time before which nothing is due; infinite where nothing is put off. */
  get nextDue(): number {
    return this.#putOff === 0
      ? Number.POSITIVE_INFINITY
      : (this.#dues.earliest?.at ?? Number.POSITIVE_INFINITY);
  }

  get(index: number): Attempted | undefined {
    return this.#all.get(index);
  }

  entries(): IterableIterator<[number, Attempted]> {
    return this.#all.entries();
  }

  indexes(): IterableIterator<number> {
    return this.#all.keys();
  }

  /** In place of what was remembered of it. */
  set(index: number, attempted: Attempted): void {
    this.delete(index);
    this.#all.set(index, attempted);
    if (!attempted.isPutOff) return;
    this.#putOff += 1;
    this.#dues.sweep(this.#putOff, (one) => this.#holds(one.index, one.at));
    this.#dues.add(attempted.due, index);
  }

  delete(index: number): void {
    const attempted = this.#all.get(index);
    if (attempted === undefined) return;
    this.#all.delete(index);
    if (attempted.isPutOff) this.#putOff -= 1;
  }

  /** The next record that is due at that wall time, and put off no more; undefined where there is none. */
  takeDue(wall: number): number | undefined {
    for (let due = this.#dues.earliest; due !== undefined && due.at <= wall; due = this.#dues.earliest) {
      this.#dues.takeEarliest();
      const attempted = this.#all.get(due.index);
      if (attempted === undefined || !this.#holds(due.index, due.at)) continue;
      attempted.isPutOff = false;
      this.#putOff -= 1;
      return due.index;
    }
    return undefined;
  }

  clear(): void {
    this.#all.clear();
    this.#dues.clear();
    this.#putOff = 0;
  }

  #holds(index: number, due: number): boolean {
    const attempted = this.#all.get(index);
    return attempted?.isPutOff === true && attempted.due === due;
  }
}
