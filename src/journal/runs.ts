/** Puts indexes that come in a row together: what is to be said of them is said of ranges `[from, to)`. */
export class Runs {
  readonly #say: (from: number, to: number) => void;
  #from = 0;
  #to = 0;

  constructor(say: (from: number, to: number) => void) {
    this.#say = say;
  }

  add(index: number): void {
    if (index !== this.#to) {
      this.end();
      this.#from = index;
    }
    this.#to = index + 1;
  }

  /** Says the last run; to be called when all were added, or when what comes next is not to be said of it. */
  end(): void {
    const from = this.#from;
    const to = this.#to;
    this.#from = 0;
    this.#to = 0;
    if (to > from) this.#say(from, to);
  }
}
