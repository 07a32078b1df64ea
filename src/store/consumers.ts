import type { ConsumerState } from '../journal/consumers.js';
import type { Hold } from '../lock/holds.js';
import { NamedConsumer } from './consumer.js';
import type { Consumer, ConsumerInfo, ConsumerOptions } from './consumer-contract.js';
import { ConsumerHolders } from './consumer-holders.js';
import { existingStart, lagBehind } from './consumer-position.js';
import type { Engine } from './engine.js';
import { checkStart } from './entries.js';
import { nameOption } from './names.js';
import { callOptions, invalid, trueOrFalse } from './options.js';

const KNOWN: ReadonlySet<string> = new Set(['from', 'exclusive']);

/** A store's calls about named consumers. */
export class Consumers {
  readonly #engine: Engine;
  readonly #holders: ConsumerHolders;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#holders = new ConsumerHolders(engine);
  }

  /** One that is there, or a new one: that is as durable as the store when it resolves. */
  async open(name: string, options?: ConsumerOptions): Promise<Consumer> {
    const engine = this.#engine;
    const { decider, fates, journal, tail } = engine;
    nameOption('name', name);
    const { from = 'first', exclusive } = callOptions(options, KNOWN);
    checkStart('from', from);
    const alone = trueOrFalse('exclusive', exclusive, false);
    engine.assertUsable();
    engine.catchUp();
    // Not under the lock, for it may be long to find; what is written meanwhile comes behind it.
    let start = fates.consumers.get(name) === undefined ? existingStart(engine, 'from', from) : undefined;
    let hold: Hold | undefined;
    try {
      const state = await decider.decide((facts): ConsumerState => {
        const known = fates.consumers.get(name);
        if (known === undefined) this.#assertNotOfOtherCase(name);
        const mine = this.#holders.take(name, alone);
        hold = mine;
        decider.afterwards((counts) => {
          if (!counts) mine.release();
        });
        if (known !== undefined) return known;
        tail.catchUp();
        start = Math.min(start ?? existingStart(engine, 'from', from), tail.nextIndex);
        const made = { name, since: journal.fact + 1, position: start - 1 };
        facts.consumer(name, made.since, made.position);
        return made;
      }, engine.durable);
      return new NamedConsumer(engine, this.#holders, state, alone, hold as unknown as Hold);
    } catch (error) {
      hold?.release();
      throw error;
    }
  }

  /** By name. Looks who has each of them open. */
  list(): Promise<ConsumerInfo[]> {
    const { decider, fates, tail } = this.#engine;
    return decider.decide(() => {
      tail.catchUp();
      const holders = this.#holders.count();
      return [...fates.consumers.all()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, position }) => ({
          name,
          committed: position,
          lag: lagBehind(this.#engine, position),
          holders: holders.get(name.toLowerCase()) ?? 0,
        }));
    }, false);
  }

  /** False where there is none of that name. */
  async remove(name: string): Promise<boolean> {
    const { decider, fates, durable } = this.#engine;
    nameOption('name', name);
    return decider.decide((facts) => {
      const isThere = fates.consumers.get(name) !== undefined;
      if (isThere) facts.consumerRemoved(name);
      return isThere;
    }, durable);
  }

  #assertNotOfOtherCase(name: string): void {
    for (const other of this.#engine.fates.consumers.all())
      if (other.name.toLowerCase() === name.toLowerCase())
        throw invalid('name', `a name that differs from '${other.name}' not only by case`, name);
  }
}
