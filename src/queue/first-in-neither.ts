import { BLOCK_INDEXES, type IndexSet } from '../journal/index-set.js';
import type { Lane } from './lane.js';

/**
 * The lowest index from `from` on that is in neither set. Looks at both a word at a time: one after the other they would lead
 * back and forth, an index at a time, where their members alternate.
 */
export function firstInNeither(from: number, one: IndexSet, other: Lane): number {
  let index = from;
  for (;;) {
    const number = Math.floor(index / BLOCK_INDEXES);
    const start = number * BLOCK_INDEXES;
    const a = one.block(number);
    const b = other.block(number);
    if (a === undefined && b === undefined) return index;
    if (a !== 'full' && b !== 'full') {
      const bit = firstClear(index - start, a, b);
      if (bit < BLOCK_INDEXES) return start + bit;
    }
    index = start + BLOCK_INDEXES;
  }
}

/** The first bit from `bit` on that is clear in both; BLOCK_INDEXES where there is none. */
function firstClear(bit: number, a: Uint32Array | undefined, b: Uint32Array | undefined): number {
  let mask = 0xffffffff << (bit & 31);
  for (let word = bit >>> 5; word < BLOCK_INDEXES / 32; word++) {
    const clear = ~((a?.[word] ?? 0) | (b?.[word] ?? 0)) & mask;
    if (clear !== 0) return word * 32 + (31 - Math.clz32(clear & -clear));
    mask = 0xffffffff;
  }
  return BLOCK_INDEXES;
}
