/** So many are kept in memory, in 16 bytes each. */
const KEPT = 256 * 1024;

/**
 * When delayed messages fall due, the earliest first: a binary heap in flat memory. It keeps the nearest ones only. Those beyond
 * its horizon are left to whoever knows them all, who gives them in again when the heap has run empty.
 *
 * A message that goes before its time is not taken out: who takes it from the heap sees that it is delayed no more.
 */
export class DueTimes {
  readonly #kept: number;
  #dues = new Float64Array(64);
  #indexes = new Float64Array(64);
  #size = 0;
  /** Everything before this time, and of this time what is before that index, is in the heap. */
  #horizon = Number.POSITIVE_INFINITY;
  #horizonIndex = 0;

  /** Tests keep few. */
  constructor(kept: number = KEPT) {
    this.#kept = kept;
  }

  get size(): number {
    return this.#size;
  }

  /** A time before which none falls due; infinite where there is none. */
  get earliest(): number {
    return this.#size > 0 ? (this.#dues[0] as number) : this.#horizon;
  }

  /** Whether there are some that the heap does not know, and none that it knows. */
  get isSpent(): boolean {
    return this.#size === 0 && this.#horizon < Number.POSITIVE_INFINITY;
  }

  add(index: number, due: number): void {
    if (this.#isBeyond(due, index)) return;
    if (this.#size >= this.#kept) this.#forgetFarther();
    if (this.#isBeyond(due, index)) return;
    if (this.#size === this.#dues.length) this.#grow();
    this.#rise(this.#size, due, index);
    this.#size += 1;
  }

  /** The index of one that is due at `now`, taken out; undefined where there is none. */
  take(now: number): number | undefined {
    if (this.#size === 0 || (this.#dues[0] as number) > now) return undefined;
    const index = this.#indexes[0] as number;
    this.#size -= 1;
    if (this.#size > 0) this.#sink(this.#dues[this.#size] as number, this.#indexes[this.#size] as number);
    return index;
  }

  /** To be told all of them anew. */
  clear(): void {
    this.#size = 0;
    this.#horizon = Number.POSITIVE_INFINITY;
  }

  /** Knows none, and that there are some: whoever knows them all has to tell them first. */
  forget(): void {
    this.#size = 0;
    this.#horizon = Number.NEGATIVE_INFINITY;
  }

  #isBeyond(due: number, index: number): boolean {
    return due > this.#horizon || (due === this.#horizon && index >= this.#horizonIndex);
  }

  /** Keeps the nearer half: what comes before the one in the middle. */
  #forgetFarther(): void {
    const middle = Math.max(1, this.#size >>> 1);
    this.#select(middle);
    this.#horizon = this.#dues[middle] as number;
    this.#horizonIndex = this.#indexes[middle] as number;
    this.#size = 0;
    for (let from = 0; from < middle; from++) {
      this.#rise(from, this.#dues[from] as number, this.#indexes[from] as number);
      this.#size += 1;
    }
  }

  /** Has the place hold what it would if all were in order, with what comes before that before it (quickselect, Hoare 1961). */
  #select(place: number): void {
    let low = 0;
    let high = this.#size - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const due = this.#dues[middle] as number;
      const index = this.#indexes[middle] as number;
      let left = low;
      let right = high;
      while (left <= right) {
        while (this.#isAfter(due, index, left)) left += 1;
        while (this.#isBefore(due, index, right)) right -= 1;
        if (left > right) break;
        this.#swap(left, right);
        left += 1;
        right -= 1;
      }
      if (place <= right) high = right;
      else if (place >= left) low = left;
      else return;
    }
  }

  #isAfter(due: number, index: number, at: number): boolean {
    const there = this.#dues[at] as number;
    return due > there || (due === there && index > (this.#indexes[at] as number));
  }

  #swap(one: number, other: number): void {
    const due = this.#dues[one] as number;
    const index = this.#indexes[one] as number;
    this.#put(one, this.#dues[other] as number, this.#indexes[other] as number);
    this.#put(other, due, index);
  }

  #grow(): void {
    const dues = new Float64Array(this.#dues.length * 2);
    const indexes = new Float64Array(dues.length);
    dues.set(this.#dues);
    indexes.set(this.#indexes);
    this.#dues = dues;
    this.#indexes = indexes;
  }

  /** Of what is due at one time the lower index comes first. */
  #isBefore(due: number, index: number, at: number): boolean {
    const there = this.#dues[at] as number;
    return due < there || (due === there && index < (this.#indexes[at] as number));
  }

  #put(at: number, due: number, index: number): void {
    this.#dues[at] = due;
    this.#indexes[at] = index;
  }

  #rise(from: number, due: number, index: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBefore(due, index, parent)) break;
      this.#put(at, this.#dues[parent] as number, this.#indexes[parent] as number);
      at = parent;
    }
    this.#put(at, due, index);
  }

  #sink(due: number, index: number): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const right = child + 1;
      if (
        right < this.#size &&
        this.#isBefore(this.#dues[right] as number, this.#indexes[right] as number, child)
      )
        child = right;
      if (this.#isBefore(due, index, child)) break;
      this.#put(at, this.#dues[child] as number, this.#indexes[child] as number);
      at = child;
    }
    this.#put(at, due, index);
  }
}
