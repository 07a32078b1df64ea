/** Where a message stands in line. */
export interface Rank {
  readonly index: number;
  readonly priority: number;
  /** The first index of the batch that it was put to the front with; undefined where it was not. */
  readonly frontOf: number | undefined;
}

export function isBefore(one: Rank, other: Rank): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  if (one.frontOf !== other.frontOf) {
    if (one.frontOf === undefined) return false;
    return other.frontOf === undefined || one.frontOf > other.frontOf;
  }
  return one.index < other.index;
}

/** Places in line, the foremost first: a binary heap. */
export class RankHeap {
  readonly #ranks: Rank[] = [];

  get first(): Rank | undefined {
    return this.#ranks[0];
  }

  add(rank: Rank): void {
    const ranks = this.#ranks;
    let at = ranks.length;
    ranks.push(rank);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = ranks[parent];
      if (above === undefined || !isBefore(rank, above)) break;
      ranks[at] = above;
      at = parent;
    }
    ranks[at] = rank;
  }

  takeFirst(): Rank | undefined {
    const ranks = this.#ranks;
    const first = ranks[0];
    const last = ranks.pop();
    if (last === undefined || ranks.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = ranks[child];
      if (left === undefined) break;
      const right = ranks[child + 1];
      let below = left;
      if (right !== undefined && isBefore(right, left)) {
        below = right;
        child += 1;
      }
      if (isBefore(last, below)) break;
      ranks[at] = below;
      at = child;
    }
    ranks[at] = last;
    return first;
  }
}
