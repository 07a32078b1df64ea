import type { Death } from '../journal/facts.js';
import type { StoredRecord } from '../segment/stored-record.js';
import type { Engine } from '../store/engine.js';
import { decodeHeaders } from '../store/headers.js';
import { callOptions, invalid, wholeNumber } from '../store/options.js';
import type { DeadLetter, DeadLetters } from './dead-letters-contract.js';

const LIST_OPTIONS = new Set(['from', 'limit']);

/** What the dead letters of a queue need of it. */
export interface DeadLettersHost<T> {
  /** Learns what others did, and buries and purges what is to be. Throws CLOSED. */
  look(): Promise<void>;
  /** Throws CLOSED, STORE_FAILED. */
  assertUsable(): void;
  /** CODEC. */
  decode(record: StoredRecord): T;
}

/** The messages of an engine that were given up: those that its fates call dead. */
export class EngineDeadLetters<T> implements DeadLetters<T> {
  readonly #engine: Engine;
  readonly #host: DeadLettersHost<T>;

  constructor(engine: Engine, host: DeadLettersHost<T>) {
    this.#engine = engine;
    this.#host = host;
  }

  /** Those that are dead when it begins, but for those that are not any more when their turn comes. */
  async *list(options?: {
    from?: number | undefined;
    limit?: number | undefined;
  }): AsyncIterableIterator<DeadLetter<T>> {
    const given = callOptions(options, LIST_OPTIONS);
    const most = Number.MAX_SAFE_INTEGER;
    const from = wholeNumber('from', given.from, 1, 1, most);
    const limit =
      given.limit === Number.POSITIVE_INFINITY ? most : wholeNumber('limit', given.limit, most, 0, most);
    if (limit === 0) return;
    await this.#host.look();
    const { fates } = this.#engine;
    const indexes = fates.dead.sorted().filter((index) => index >= from);
    let count = 0;
    for (const index of indexes) {
      this.#engine.assertOpen();
      const death = fates.dead.get(index);
      const record = death && (await this.#engine.readInTurns(index));
      if (death === undefined || record === undefined || !fates.dead.has(index)) continue;
      yield this.#letter(record, death);
      count += 1;
      if (count === limit) return;
    }
  }

  async length(): Promise<number> {
    await this.#host.look();
    return this.#engine.fates.dead.size;
  }

  async requeue(index?: number): Promise<number> {
    checkIndex(index);
    this.#host.assertUsable();
    const { decider, durable } = this.#engine;
    return decider.decide((facts) => {
      const indexes = this.#which(index);
      for (const one of indexes) facts.requeued(one);
      return indexes.length;
    }, durable);
  }

  async purge(index?: number): Promise<number> {
    checkIndex(index);
    this.#host.assertUsable();
    const { decider, sweeper, durable } = this.#engine;
    const purged = await decider.decide((facts) => {
      const indexes = this.#which(index);
      for (const one of indexes) facts.gone(one, one + 1);
      return indexes;
    }, durable);
    for (const one of purged) sweeper.check(one);
    return purged.length;
  }

  #which(index: number | undefined): number[] {
    const { dead } = this.#engine.fates;
    if (index === undefined) return dead.sorted();
    return dead.has(index) ? [index] : [];
  }

  /** The record as it was handed in, found out once. The call throws CODEC. */
  #plain(record: StoredRecord): () => StoredRecord {
    try {
      const plain = this.#engine.plain(record);
      return () => plain;
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  #letter(record: StoredRecord, death: Death): DeadLetter<T> {
    const { attempts, firstFailedAt, lastFailedAt, reason } = death;
    const plain = this.#plain(record);
    return {
      index: record.index,
      value: () => this.#host.decode(plain()),
      // What cannot be decoded is told when it is asked for: most likely it is dead for that.
      get data() {
        return plain().payload;
      },
      headers: decodeHeaders(record.headers, record.index),
      reason,
      attempts,
      firstFailedAt: new Date(firstFailedAt),
      lastFailedAt: new Date(lastFailedAt),
    };
  }
}

function checkIndex(index: number | undefined): void {
  if (index !== undefined && !Number.isSafeInteger(index)) throw invalid('index', 'a whole number', index);
}
