/** The segments there are, by first index, ascending. Segment i holds the indexes from its first to the next one's. */
export class SegmentList {
  #firsts: number[] = [];

  get length(): number {
    return this.#firsts.length;
  }

  get lowest(): number | undefined {
    return this.#firsts[0];
  }

  get highest(): number | undefined {
    return this.#firsts[this.#firsts.length - 1];
  }

  [Symbol.iterator](): IterableIterator<number> {
    return this.#firsts[Symbol.iterator]();
  }

  reset(firsts: readonly number[]): void {
    this.#firsts = [...firsts];
  }

  add(first: number): void {
    const highest = this.highest;
    if (highest === undefined || first > highest) this.#firsts.push(first);
    else if (!this.#firsts.includes(first)) {
      this.#firsts.push(first);
      this.#firsts.sort((a, b) => a - b);
    }
  }

  drop(first: number): void {
    const at = this.#firsts.indexOf(first);
    if (at >= 0) this.#firsts.splice(at, 1);
  }

  /** The first of the segment that an index falls into; undefined below the lowest. */
  holding(index: number): number | undefined {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts[middle] as number) <= index) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : this.#firsts[low - 1];
  }

  /** The next segment's first; undefined for the last one. */
  after(first: number): number | undefined {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#firsts[middle] as number) <= first) low = middle + 1;
      else high = middle;
    }
    return this.#firsts[low];
  }
}
