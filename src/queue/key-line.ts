/**
 * The messages of one key, in the order of their indexes. Only the first of them is to be had, and only while none of the others
 * is claimed; a dead one stands in nobody's way.
 */
export class KeyLine {
  readonly key: string;
  /** All that are there, dead ones too. */
  count = 0;
  /** From `#head` on, those that are there and not dead, ascending. */
  #members: number[] = [];
  /** Those before it have gone: the first ones go first, and a long array is not moved for each. */
  #head = 0;
  readonly #claimed = new Set<number>();

  constructor(key: string) {
    this.key = key;
  }

  /** The one that stands first; undefined where there is none, or another one is claimed. */
  get open(): number | undefined {
    const head = this.#members[this.#head];
    const others = this.#claimed.size - (head !== undefined && this.#claimed.has(head) ? 1 : 0);
    return others > 0 ? undefined : head;
  }

  /** The one behind a member. */
  after(index: number): number | undefined {
    return this.#members[this.#placeOf(index + 1)];
  }

  add(index: number): void {
    const last = this.#members[this.#members.length - 1];
    if (last === undefined || last < index || this.#head === this.#members.length) this.#members.push(index);
    else if (this.#members[this.#placeOf(index)] !== index)
      this.#members.splice(this.#placeOf(index), 0, index);
  }

  remove(index: number): void {
    this.#claimed.delete(index);
    const at = this.#placeOf(index);
    if (this.#members[at] !== index) return;
    if (at > this.#head) this.#members.splice(at, 1);
    else this.#head += 1;
    if (this.#head * 2 <= this.#members.length) return;
    this.#members = this.#members.slice(this.#head);
    this.#head = 0;
  }

  setClaimed(index: number, isClaimed: boolean): void {
    if (isClaimed) this.#claimed.add(index);
    else this.#claimed.delete(index);
  }

  #placeOf(index: number): number {
    let low = this.#head;
    let high = this.#members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#members[middle] as number) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
