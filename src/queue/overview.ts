import { LARGE_BYTES } from '../segment/large-read.js';
import type { Engine } from '../store/engine.js';
import { readStats } from '../store/stats.js';
import type { Undertaker } from './burial.js';
import { type Codec, decodeValue } from './codec.js';
import type { QueueStats } from './contract.js';
import type { Holder } from './holder.js';
import type { Line } from './line.js';

export interface OverviewParts<T> {
  readonly holder: Holder;
  readonly undertaker: Undertaker;
  readonly line: Line;
  readonly codec: Codec<T>;
  /** Throws CLOSED. */
  readonly assertOpen: () => void;
  readonly isClosed: () => boolean;
}

/** What is in the queue, for who takes nothing. */
export class Overview<T> {
  readonly #engine: Engine;
  readonly #holder: Holder;
  readonly #undertaker: Undertaker;
  readonly #line: Line;
  readonly #codec: Codec<T>;
  readonly #assertOpen: () => void;
  readonly #isClosed: () => boolean;

  constructor(engine: Engine, parts: OverviewParts<T>) {
    this.#engine = engine;
    this.#holder = parts.holder;
    this.#undertaker = parts.undertaker;
    this.#line = parts.line;
    this.#codec = parts.codec;
    this.#assertOpen = parts.assertOpen;
    this.#isClosed = parts.isClosed;
  }

  /** Learns what others did, who of them died, and whose lease ended; frees and buries what that makes free or dead. */
  async look(): Promise<void> {
    this.#assertOpen();
    this.#engine.catchUp();
    await this.#holder.freeDead();
    // That may have waited, and folded facts of records that were not seen then.
    this.#engine.catchUp();
    // Whatever waited may have folded facts of records that were not seen then.
    if (await this.#undertaker.settle()) this.#engine.catchUp();
    this.#engine.fates.expireBy(this.#engine.clock);
    if (this.#line.isBehind) await this.#line.lookInTurns();
    this.#assertOpen();
    this.#line.look();
  }

  /** The values of those that would be taken first. */
  async peek(max: number): Promise<T[]> {
    await this.look();
    const values: T[] = [];
    for (const index of this.#line.inOrder(this.#engine.tail.nextIndex, true)) {
      if (values.length >= max) break;
      try {
        let record = this.#engine.readKnown(index, LARGE_BYTES);
        const slow = this.#engine.slowly(record);
        if (slow !== undefined) {
          record = await slow;
          if (this.#isClosed()) break;
        }
        if (record !== undefined) values.push(decodeValue(this.#codec, this.#engine.plain(record)));
      } catch (error) {
        // As with `dequeueMany`, an unreadable message is the trouble of who stands before it.
        if (values.length === 0) throw error;
        return values;
      }
    }
    this.#assertOpen();
    return values;
  }

  /** How many could be had now. */
  async length(): Promise<number> {
    await this.look();
    return this.#waiting;
  }

  async stats(): Promise<QueueStats> {
    await this.look();
    const { fates, tail, clock } = this.#engine;
    const stats = readStats(this.#engine);
    const oldest = this.#timeOf(this.#line.oldest(tail.nextIndex));
    return {
      ...stats,
      pinnedBy: stats.pinnedBy.map((pin) =>
        this.#line.isDelayed(pin.index) ? { ...pin, why: 'delayed' as const } : pin,
      ),
      waiting: this.#waiting,
      delayed: this.#delayed,
      claimed: fates.running,
      dead: fates.dead.size,
      oldestAgeMs: oldest === undefined ? undefined : Math.max(0, clock.now() - oldest),
    };
  }

  get #waiting(): number {
    const { length, fates } = this.#engine;
    return length - fates.running - fates.dead.size - this.#delayed;
  }

  get #delayed(): number {
    return this.#engine.fates.delayedCount + this.#line.delayedCount;
  }

  /** Undefined where there is no such message, or it cannot be read: that is for whoever takes it to hear. */
  #timeOf(index: number): number | undefined {
    try {
      return this.#engine.readKnown(index)?.time;
    } catch {
      return undefined;
    }
  }
}
