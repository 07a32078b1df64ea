/** What holds no more is swept out when it outnumbers the rest by this. */
const SLACK = 1024;

export interface TimedIndex {
  readonly at: number;
  readonly index: number;
}

/**
 * Indexes by a time, the earliest first, of those at one time the lowest: a binary heap. When a lease ends, when what was
 * put off is due, when a message died. One is not taken out when it holds no more; who takes it from the heap sees whether
 * it does.
 */
export class TimeHeap {
  #all: TimedIndex[] = [];

  get size(): number {
    return this.#all.length;
  }

  get earliest(): TimedIndex | undefined {
    return this.#all[0];
  }

  add(at: number, index: number): void {
    const all = this.#all;
    let place = all.length;
    const one = { at, index };
    all.push(one);
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      const above = all[parent];
      if (above === undefined || !isBefore(one, above)) break;
      all[place] = above;
      place = parent;
    }
    all[place] = one;
  }

  takeEarliest(): void {
    const all = this.#all;
    const last = all.pop();
    if (last === undefined || all.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const left = all[child];
      if (left === undefined) break;
      const right = all[child + 1];
      let below = left;
      if (right !== undefined && isBefore(right, left)) {
        below = right;
        child += 1;
      }
      if (!isBefore(below, last)) break;
      all[place] = below;
      place = child;
    }
    all[place] = last;
  }

  /** Sweeps out those that hold no more, if there are many beside so many that may. */
  sweep(holding: number, holds: (one: TimedIndex) => boolean): void {
    if (this.#all.length <= 2 * holding + SLACK) return;
    const held = this.#all.filter(holds);
    this.#all = [];
    for (const { at, index } of held) this.add(at, index);
  }

  clear(): void {
    this.#all = [];
  }
}

const isBefore = (one: TimedIndex, other: TimedIndex): boolean =>
  one.at < other.at || (one.at === other.at && one.index < other.index);
