/** A record that carries marks of order, as it was seen or written. */
export interface MarkedRecord {
  readonly index: number;
  readonly time: number;
  readonly marks: Uint8Array;
}

/** So many are kept for who comes for them later. */
const MOST = 4096;

/**
 * Keeps the marked records that came by, for who puts records in order. What came by is known to the tail, which reads every
 * frame behind the end that it found first; what was there before has to be looked up.
 */
export class MarkFeed {
  /** Of the marked records from here on none is missing. Those before may be: they have to be looked up. */
  keptFrom = 0;
  #records: MarkedRecord[] = [];

  /** A marked record was seen. It may be of a batch that is not whole, and seen again, or replaced. */
  saw(index: number, time: number, marks: Uint8Array): void {
    this.forgetFrom(index);
    if (this.#records.length >= MOST) {
      // Whoever asks for nothing is given no memory.
      this.#records = [];
      this.keptFrom = index;
    }
    this.#records.push({ index, time, marks: Uint8Array.prototype.slice.call(marks) });
  }

  /** What was seen from there on does not count. */
  forgetFrom(index: number): void {
    this.keptFrom = Math.min(this.keptFrom, index);
    let last = this.#records[this.#records.length - 1];
    while (last !== undefined && last.index >= index) {
      this.#records.pop();
      last = this.#records[this.#records.length - 1];
    }
  }

  /** Gives away the records below `end`, in order. */
  take(end: number): readonly MarkedRecord[] {
    const records = this.#records;
    const last = records[records.length - 1];
    if (last === undefined || last.index < end) {
      if (records.length > 0) this.#records = [];
      return records;
    }
    const count = records.findIndex(({ index }) => index >= end);
    return records.splice(0, count);
  }
}
