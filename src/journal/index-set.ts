const BLOCK_BITS = 12;
const BLOCK = 1 << BLOCK_BITS;
const WORDS = BLOCK / 32;
export const BLOCK_INDEXES = BLOCK;

interface Block {
  readonly words: Uint32Array;
  count: number;
}

/** A block all of whose indexes are members; it needs no bits. */
const FULL: Block = { words: new Uint32Array(0), count: BLOCK };

/**
 * A set of indexes, made for sets that fill up from below: everything under a rising base is one number, whole blocks of
 * 4096 above it are one word, and only blocks that are partly filled carry bits. A million members in order cost a few
 * bytes. Index 0 is a member from the beginning, for it is never used.
 */
export class IndexSet {
  /** Blocks below this one are full and have no entry in the map. */
  #base = 0;
  readonly #blocks = new Map<number, Block>();
  #count = 0;

  constructor() {
    this.add(0);
    this.#count = 0;
  }

  /** How many indexes are members. */
  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    const number = Math.floor(index / BLOCK);
    if (number < this.#base) return true;
    const block = this.#blocks.get(number);
    if (block === undefined) return false;
    return block === FULL || isSet(block, index - number * BLOCK);
  }

  /** False where it was a member already. */
  add(index: number): boolean {
    const number = Math.floor(index / BLOCK);
    if (number < this.#base) return false;
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = { words: new Uint32Array(WORDS), count: 0 };
      this.#blocks.set(number, block);
    }
    const bit = index - number * BLOCK;
    if (block === FULL || isSet(block, bit)) return false;
    const word = bit >>> 5;
    block.words[word] = (block.words[word] as number) | (1 << (bit & 31));
    block.count += 1;
    this.#count += 1;
    if (block.count === BLOCK) this.#fill(number);
    return true;
  }

  /** Adds `[from, to)`; returns how many of them were not members. */
  addRange(from: number, to: number): number {
    const before = this.#count;
    let index = Math.max(from, this.#base * BLOCK);
    // From the base on, whole blocks need nothing but a higher base, however many they are.
    if (index <= Math.max(1, this.#base * BLOCK) && to >= (this.#base + 1) * BLOCK) {
      this.#raise(Math.floor(to / BLOCK));
      index = this.#base * BLOCK;
    }
    while (index < to) {
      // What was added may have filled the gap below blocks that are full.
      if (index < this.#base * BLOCK) index = this.#base * BLOCK;
      else if (index % BLOCK === 0 && to - index >= BLOCK) {
        const number = index / BLOCK;
        this.#count += BLOCK - (this.#blocks.get(number)?.count ?? 0);
        this.#fill(number);
        index += BLOCK;
      } else {
        this.add(index);
        index += 1;
      }
    }
    return this.#count - before;
  }

  /** False where it was no member. */
  remove(index: number): boolean {
    const number = Math.floor(index / BLOCK);
    if (!this.has(index)) return false;
    while (this.#base > number) {
      this.#base -= 1;
      this.#blocks.set(this.#base, FULL);
    }
    let block = this.#blocks.get(number);
    if (block === FULL || block === undefined) {
      block = { words: new Uint32Array(WORDS).fill(0xffffffff), count: BLOCK };
      this.#blocks.set(number, block);
    }
    const bit = index - number * BLOCK;
    const word = bit >>> 5;
    block.words[word] = (block.words[word] as number) & ~(1 << (bit & 31));
    block.count -= 1;
    this.#count -= 1;
    return true;
  }

  /** The lowest index from `from` on that is no member. */
  firstAbsent(from: number): number {
    let index = Math.max(from, this.#base * BLOCK);
    for (;;) {
      const number = Math.floor(index / BLOCK);
      const block = this.#blocks.get(number);
      if (block === undefined) return index;
      if (block !== FULL) {
        const found = firstClear(block, index - number * BLOCK);
        if (found < BLOCK) return number * BLOCK + found;
      }
      index = (number + 1) * BLOCK;
    }
  }

  /** How many of `[from, to)` are no members. */
  absentIn(from: number, to: number): number {
    let absent = 0;
    for (let index = Math.max(from, this.#base * BLOCK); index < to; ) {
      const number = Math.floor(index / BLOCK);
      const start = number * BLOCK;
      const end = Math.min(to, start + BLOCK);
      const block = this.#blocks.get(number);
      if (block === undefined) absent += end - index;
      else if (end - index === BLOCK) absent += BLOCK - block.count;
      else if (block !== FULL)
        for (let bit = index - start; bit < end - start; bit++) if (!isSet(block, bit)) absent += 1;
      index = end;
    }
    return absent;
  }

  /** The bits of a block of `BLOCK_INDEXES`; `'full'` where all are members, undefined where none is. */
  block(number: number): Uint32Array | 'full' | undefined {
    if (number < this.#base) return 'full';
    const block = this.#blocks.get(number);
    return block === FULL ? 'full' : block?.words;
  }

  /** The members as ranges `[from, to)`, ascending; the first begins at 0. */
  *ranges(): IterableIterator<{ from: number; to: number }> {
    let from: number | undefined = this.#base > 0 ? 0 : undefined;
    let reached = this.#base * BLOCK;
    for (const number of [...this.#blocks.keys()].sort((a, b) => a - b)) {
      const start = number * BLOCK;
      if (from !== undefined && start > reached) {
        yield { from, to: reached };
        from = undefined;
      }
      const block = this.#blocks.get(number) ?? FULL;
      for (let bit = 0; bit < BLOCK; bit = block === FULL ? BLOCK : bit + 1) {
        const member = block === FULL || isSet(block, bit);
        if (member) from ??= start + bit;
        else if (from !== undefined) {
          yield { from, to: start + bit };
          from = undefined;
        }
      }
      reached = start + BLOCK;
    }
    if (from !== undefined) yield { from, to: reached };
  }

  clear(): void {
    this.#blocks.clear();
    this.#base = 0;
    this.add(0);
    this.#count = 0;
  }

  /** All blocks below are full. */
  #raise(base: number): void {
    let members = 0;
    for (const [number, { count }] of this.#blocks) {
      if (number >= base) continue;
      members += count;
      this.#blocks.delete(number);
    }
    this.#count += (base - this.#base) * BLOCK - members;
    this.#base = base;
    this.#passFull();
  }

  #fill(number: number): void {
    if (number !== this.#base) {
      this.#blocks.set(number, FULL);
      return;
    }
    this.#blocks.delete(number);
    this.#base += 1;
    this.#passFull();
  }

  #passFull(): void {
    while (this.#blocks.get(this.#base) === FULL) {
      this.#blocks.delete(this.#base);
      this.#base += 1;
    }
  }
}

const isSet = (block: Block, bit: number): boolean =>
  ((block.words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;

/** The first bit from `bit` on that is clear; BLOCK where there is none. */
function firstClear(block: Block, bit: number): number {
  let word = bit >>> 5;
  let clear = ~(block.words[word] as number) & (0xffffffff << (bit & 31));
  while (clear === 0) {
    word += 1;
    if (word === WORDS) return BLOCK;
    clear = ~(block.words[word] as number);
  }
  return word * 32 + (31 - Math.clz32(clear & -clear));
}
