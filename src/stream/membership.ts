import type { Hold } from '../lock/holds.js';
import type { Engine } from '../store/engine.js';

/**
 * Who is in a group: each living member holds the lowest lock that was free, among those of the group's name in the topic's first
 * partition. The kernel frees it when its holder dies; a lock directory goes stale.
 *
 * ⚑ What is counted here decides only how much each member wants. That nobody else has a partition is decided by the lock of the
 * group's consumer in it, so a count that is wrong for a moment costs a move and nothing else.
 */
export class Membership {
  readonly #engine: Engine;
  readonly #group: string;
  #number: number;
  #hold: Hold;

  constructor(engine: Engine, group: string) {
    this.#engine = engine;
    this.#group = group;
    [this.#number, this.#hold] = this.#join();
  }

  /** How many members live, and the place of this one among them. Joins again where it was taken for dead. */
  look(): { readonly members: number; readonly place: number } {
    if (!this.#hold.isStillHeld()) [this.#number, this.#hold] = this.#join();
    const numbers = this.#engine.locks.held('member', this.#group).get(this.#group.toLowerCase()) ?? [];
    const others = numbers.filter((number) => number !== this.#number);
    return { members: others.length + 1, place: others.filter((number) => number < this.#number).length };
  }

  leave(): void {
    this.#hold.release();
  }

  #join(): [number: number, hold: Hold] {
    const { locks, names } = this.#engine;
    for (let number = 1; ; number++) {
      const hold = locks.tryHold(names.hold('member', this.#group, number));
      if (hold !== undefined) return [number, hold];
    }
  }
}
