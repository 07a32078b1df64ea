/**
 * Messages in the order of their indexes, where none has marks. By hand: a generator's state costs as much as all else that is done
 * to find the next message.
 */
export class PlainOrder implements IterableIterator<number> {
  readonly #next: (from: number) => number;
  readonly #end: number;
  #from = 1;

  /** `next` gives the first message from an index on. */
  constructor(next: (from: number) => number, end: number) {
    this.#next = next;
    this.#end = end;
  }

  next(): IteratorResult<number> {
    const index = this.#next(this.#from);
    if (!(index < this.#end)) return DONE;
    this.#from = index + 1;
    return { value: index, done: false };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

const DONE: IteratorResult<number> = { value: undefined, done: true };
