import { DurostoreError } from '../errors.js';
import type { Hold } from '../lock/holds.js';
import type { Engine } from './engine.js';

/** Of who has it alone; the others are numbered from 1 on. */
const ALONE = 0;

/**
 * Who has named consumers open, in all processes: each holds a lock for as long. All of this is done under the fate lock.
 *
 * ⚑ Whoever takes a consumer has its own lock first and only then looks for those of others. With lock files one may sleep over the
 * fate lock, and lose it: of two who take a consumer at once, one of them alone, one at least finds the other.
 */
export class ConsumerHolders {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** LOCK_UNAVAILABLE where somebody has it alone, or it is wanted alone and somebody has it. */
  take(name: string, alone: boolean): Hold {
    const hold = alone ? this.#tryHold(name, ALONE) : this.#lowest(name);
    if (hold === undefined) throw refused(name, true);
    try {
      const numbers = this.#numbers(name);
      if (alone && numbers.length > 1) throw refused(name, false);
      if (!alone && numbers.includes(ALONE)) throw refused(name, true);
    } catch (error) {
      hold.release();
      throw error;
    }
    return hold;
  }

  /** How many have each consumer open, by its name in small letters. */
  count(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const [name, numbers] of this.#engine.locks.held('consumer')) found.set(name, numbers.length);
    return found;
  }

  #numbers(name: string): readonly number[] {
    return this.#engine.locks.held('consumer', name).get(name.toLowerCase()) ?? [];
  }

  #lowest(name: string): Hold {
    for (let number = ALONE + 1; ; number++) {
      const hold = this.#tryHold(name, number);
      if (hold !== undefined) return hold;
    }
  }

  #tryHold(name: string, number: number): Hold | undefined {
    const { locks, names } = this.#engine;
    return locks.tryHold(names.hold('consumer', name, number));
  }
}

const refused = (name: string, isAlone: boolean): DurostoreError =>
  new DurostoreError(
    'LOCK_UNAVAILABLE',
    isAlone
      ? `the consumer '${name}' is open, exclusively, somewhere else: close it there first`
      : `the consumer '${name}' is open somewhere else, and exclusive: true is for one that nobody has open: close it there first`,
  );
