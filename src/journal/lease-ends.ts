/** Ends of leases that were settled otherwise are swept out when they outnumber the others by this. */
const SLACK = 1024;

/**
 * When leases end, the earliest first: a binary heap. An end is not taken out when its claim is settled or extended; who
 * takes it from the heap sees whether it still holds.
 */
export class LeaseEnds {
  #ends: { until: number; index: number }[] = [];

  get size(): number {
    return this.#ends.length;
  }

  get earliest(): { readonly until: number; readonly index: number } | undefined {
    return this.#ends[0];
  }

  add(until: number, index: number): void {
    const ends = this.#ends;
    let at = ends.length;
    const end = { until, index };
    ends.push(end);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = ends[parent];
      if (above === undefined || above.until <= until) break;
      ends[at] = above;
      at = parent;
    }
    ends[at] = end;
  }

  takeEarliest(): void {
    const ends = this.#ends;
    const last = ends.pop();
    if (last === undefined || ends.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = ends[child];
      if (left === undefined) break;
      const right = ends[child + 1];
      let below = left;
      if (right !== undefined && right.until < left.until) {
        below = right;
        child += 1;
      }
      if (below.until >= last.until) break;
      ends[at] = below;
      at = child;
    }
    ends[at] = last;
  }

  /** Sweeps out the ends that hold no more, if there are many beside so many that may. */
  sweep(holding: number, holds: (index: number, until: number) => boolean): void {
    if (this.#ends.length <= 2 * holding + SLACK) return;
    const ends = this.#ends.filter(({ index, until }) => holds(index, until));
    this.#ends = [];
    for (const { until, index } of ends) this.add(until, index);
  }

  clear(): void {
    this.#ends = [];
  }
}
