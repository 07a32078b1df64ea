import { BLOCK_INDEXES } from '../journal/index-set.js';

/** As those of an `IndexSet`, so that the two can be searched together. */
const BLOCK = BLOCK_INDEXES;
const WORDS = BLOCK / 32;

interface Block {
  readonly words: Uint32Array;
  count: number;
}

/**
 * A set of indexes in order, made for sets that are mostly empty and move: a bitmap in blocks of 4096, of which only those with
 * members are kept. A million members in a row cost 128 KiB, a single one about half a KiB.
 */
export class Lane {
  readonly #blocks = new Map<number, Block>();
  /** The numbers of the blocks, ascending. */
  readonly #numbers: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    const number = Math.floor(index / BLOCK);
    const block = this.#blocks.get(number);
    return block !== undefined && isSet(block, index - number * BLOCK);
  }

  add(index: number): void {
    const number = Math.floor(index / BLOCK);
    const block = this.#blocks.get(number) ?? this.#begin(number);
    const bit = index - number * BLOCK;
    if (isSet(block, bit)) return;
    block.words[bit >>> 5] = (block.words[bit >>> 5] as number) | (1 << (bit & 31));
    block.count += 1;
    this.#count += 1;
  }

  remove(index: number): void {
    const number = Math.floor(index / BLOCK);
    const block = this.#blocks.get(number);
    const bit = index - number * BLOCK;
    if (block === undefined || !isSet(block, bit)) return;
    block.words[bit >>> 5] = (block.words[bit >>> 5] as number) & ~(1 << (bit & 31));
    block.count -= 1;
    this.#count -= 1;
    if (block.count > 0) return;
    this.#blocks.delete(number);
    this.#numbers.splice(this.#placeOf(number), 1);
  }

  set(index: number, isMember: boolean): void {
    if (isMember) this.add(index);
    else this.remove(index);
  }

  /** The lowest member from `from` on; infinite where there is none. */
  first(from: number): number {
    const number = Math.floor(from / BLOCK);
    for (let at = this.#placeOf(number); at < this.#numbers.length; at++) {
      const there = this.#numbers[at] as number;
      const bit = firstSet(this.#blocks.get(there), there === number ? from - there * BLOCK : 0);
      if (bit < BLOCK) return there * BLOCK + bit;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The bits of a block; `'full'` where all are members, undefined where none is. */
  block(number: number): Uint32Array | 'full' | undefined {
    const block = this.#blocks.get(number);
    return block?.count === BLOCK ? 'full' : block?.words;
  }

  /** The highest member below `below`; -1 where there is none. */
  last(below: number): number {
    const number = Math.floor((below - 1) / BLOCK);
    for (let at = Math.min(this.#placeOf(number), this.#numbers.length - 1); at >= 0; at--) {
      const there = this.#numbers[at] as number;
      if (there > number) continue;
      const bit = lastSet(this.#blocks.get(there), there === number ? below - 1 - there * BLOCK : BLOCK - 1);
      if (bit >= 0) return there * BLOCK + bit;
    }
    return -1;
  }

  /** Forgets the members of the block of an index if all of it, `[from, to)`, is over. */
  forgetBlock(index: number, isOver: (from: number, to: number) => boolean): void {
    const number = Math.floor(index / BLOCK);
    const block = this.#blocks.get(number);
    if (block === undefined || !isOver(number * BLOCK, (number + 1) * BLOCK)) return;
    this.#count -= block.count;
    this.#blocks.delete(number);
    this.#numbers.splice(this.#placeOf(number), 1);
  }

  clear(): void {
    this.#blocks.clear();
    this.#numbers.length = 0;
    this.#count = 0;
  }

  #begin(number: number): Block {
    const block = { words: new Uint32Array(WORDS), count: 0 };
    this.#blocks.set(number, block);
    const last = this.#numbers[this.#numbers.length - 1];
    if (last === undefined || last < number) this.#numbers.push(number);
    else this.#numbers.splice(this.#placeOf(number), 0, number);
    return block;
  }

  /** Where the number stands, or would. */
  #placeOf(number: number): number {
    let low = 0;
    let high = this.#numbers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#numbers[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const isSet = (block: Block, bit: number): boolean =>
  ((block.words[bit >>> 5] as number) & (1 << (bit & 31))) !== 0;

/** The first bit from `bit` on that is set; BLOCK where there is none. */
function firstSet(block: Block | undefined, bit: number): number {
  if (block === undefined) return BLOCK;
  let word = bit >>> 5;
  let bits = (block.words[word] as number) & (0xffffffff << (bit & 31));
  while (bits === 0) {
    word += 1;
    if (word === WORDS) return BLOCK;
    bits = block.words[word] as number;
  }
  return word * 32 + (31 - Math.clz32(bits & -bits));
}

/** The last bit up to `bit` that is set; -1 where there is none. */
function lastSet(block: Block | undefined, bit: number): number {
  if (block === undefined) return -1;
  let word = bit >>> 5;
  let bits = (block.words[word] as number) & (0xffffffff >>> (31 - (bit & 31)));
  while (bits === 0) {
    word -= 1;
    if (word < 0) return -1;
    bits = block.words[word] as number;
  }
  return word * 32 + (31 - Math.clz32(bits));
}
