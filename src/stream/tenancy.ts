import type { Consumer } from '../store/consumer-contract.js';
import type { Entry } from '../store/entries.js';
import type { Partition } from './partition.js';

/** A partition that a member of a group has, by the group's consumer in it, which it holds alone. */
export class Tenancy {
  readonly partition: Partition;
  readonly #consumer: Consumer;
  readonly #unlisten: () => void;
  /** The last record that was returned, and up to which it is known to be committed; 0: none. */
  #returned = 0;
  #committed = 0;
  /** Since when it is to be given up, on the monotonic clock. */
  leavingSince: number | undefined;

  /** `changed` is called when there may be more in it. */
  constructor(partition: Partition, consumer: Consumer, changed: () => void) {
    this.partition = partition;
    this.#consumer = consumer;
    this.#unlisten = partition.engine.indexer.onChange(changed);
  }

  /** Whether something was returned that is not committed. */
  get isInHand(): boolean {
    return this.#returned > this.#committed;
  }

  /** What is there now. */
  async take(max: number): Promise<Entry[]> {
    const entries = await this.#consumer.nextMany(max);
    const last = entries[entries.length - 1];
    if (last !== undefined) this.#returned = last.index;
    return entries;
  }

  async commit(): Promise<void> {
    const upTo = this.#returned;
    if (upTo <= this.#committed) return;
    await this.#consumer.commit(upTo);
    this.#committed = Math.max(this.#committed, upTo);
  }

  /** Frees it for others at once. */
  end(): Promise<void> {
    this.#unlisten();
    return this.#consumer.close();
  }
}
