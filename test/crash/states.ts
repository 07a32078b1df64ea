import { createHash } from 'node:crypto';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { History } from './history.js';

/**
 * The crash states that were judged: what is in every file and under every name, what of it is on the device, and what the
 * callers were told. Two of them that differ in none of this are one.
 */
export class States {
  readonly #seen = new Set<string>();
  /** How many there were, those that were the same counted each time. */
  visited = 0;

  get distinct(): number {
    return this.#seen.size;
  }

  /** Whether there was none like it. */
  add(machine: MemoryDisk, history: History, after: 'death' | 'cut'): boolean {
    this.visited += 1;
    const { distinct } = this;
    this.#seen.add(
      createHash('sha1').update(`${after} ${history.digest()} `).update(machine.digest()).digest('base64'),
    );
    return this.distinct > distinct;
  }
}
