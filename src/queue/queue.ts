import type { Disk } from '../disk/disk.js';
import { osDisk } from '../disk/os.js';
import type { JournalLimits } from '../journal/journal.js';
import type { Store } from '../store/contract.js';
import { Engine } from '../store/engine.js';
import { callOptions, invalid, notYet, signalOption, waitOption, wholeNumber } from '../store/options.js';
import { readStats } from '../store/stats.js';
import { EngineStore } from '../store/store.js';
import { type ResolvedWriteOptions, resolveWriteOptions } from '../store/write-options.js';
import { type Codec, codecMark, decodeValue, encodeValue } from './codec.js';
import type {
  ClaimOptions,
  EnqueueOptions,
  Queue,
  QueueCapabilities,
  QueueStats,
  WaitOptions,
} from './contract.js';
import type { DeadLetters } from './dead-letters-contract.js';
import { ClaimedDelivery, type Delivery } from './delivery.js';
import { Events, type QueueEvents } from './events.js';
import { Holder } from './holder.js';
import { nextInLine } from './judgement.js';
import { LeaseWatch } from './lease-watch.js';
import {
  LONGEST_LEASE_MS,
  type QueueOptions,
  type ResolvedQueueOptions,
  resolveQueueOptions,
} from './options.js';
import { ScheduleBook } from './schedule-book.js';
import type { ScheduleInfo, ScheduleOptions, When } from './schedule-contract.js';
import { resolveSchedule } from './schedule-options.js';
import { type Taken, Taker, type Wish } from './taker.js';
import { Ticker } from './ticker.js';
import type { Worker, WorkerOptions } from './worker-contract.js';

/** Opens a queue, creating the directory if it is missing. Rejects as `openStore` does. */
export function openQueue<T = unknown>(options: QueueOptions<T>): Promise<Queue<T>> {
  return openQueueOn(osDisk, options);
}

/** The same on another disk: where tests put theirs. */
export async function openQueueOn<T = unknown>(
  disk: Disk,
  options: QueueOptions<T>,
  limits?: JournalLimits,
): Promise<Queue<T>> {
  const resolved = resolveQueueOptions(options);
  return new EngineQueue(await Engine.open(disk, resolved.store, limits), resolved);
}

const FLUSH_STEP = 1000;
const WAIT_OPTIONS = new Set(['waitMs', 'signal']);
const CLAIM_OPTIONS = new Set([...WAIT_OPTIONS, 'leaseMs']);
const NOT_YET = ['id', 'delayMs', 'priority', 'front', 'key'] as const;

class EngineQueue<T> implements Queue<T> {
  readonly store: Store;
  readonly capabilities: QueueCapabilities = {
    priority: false,
    front: false,
    delay: false,
    key: false,
    deduplication: false,
    exactLength: true,
    transactions: false,
    durability: ['written', 'synced'],
  };
  readonly #engine: Engine;
  readonly #codec: Codec<T>;
  readonly #mark: Buffer | undefined;
  readonly #leaseMs: number;
  readonly #holder: Holder;
  readonly #taker: Taker<T>;
  readonly #leases: LeaseWatch;
  readonly #events: Events;
  readonly #ticker: Ticker;
  readonly #schedules: ScheduleBook;
  #closing: Promise<void> | undefined;

  constructor(engine: Engine, options: ResolvedQueueOptions<T>) {
    this.#engine = engine;
    this.#codec = options.codec;
    this.#mark = codecMark(options.codec);
    this.#leaseMs = options.leaseMs;
    this.#holder = new Holder(engine);
    this.#taker = new Taker(engine, this.#holder, options.codec);
    this.#leases = new LeaseWatch(engine, () => this.#assertOpen());
    this.#events = new Events(engine);
    engine.onFailure = (error) => this.#events.error(error);
    this.#ticker = new Ticker(engine, (error) => this.#events.error(error));
    this.#schedules = new ScheduleBook(engine, this.#ticker);
    this.store = new EngineStore(engine, () => this.close());
  }

  async enqueue(value: T, options?: EnqueueOptions): Promise<number> {
    const { headers, durable, signal } = this.#enqueueOptions(options);
    this.#assertUsable();
    const payload = encodeValue(this.#codec, value);
    return this.#engine.writer.write([{ payload, headers, marks: this.#mark }], durable, signal);
  }

  async enqueueMany(values: readonly T[], options?: EnqueueOptions): Promise<number[]> {
    const { headers, durable, signal } = this.#enqueueOptions(options);
    if (!Array.isArray(values)) throw invalid('values', 'an array', values);
    this.#assertUsable();
    if (values.length === 0) return [];
    const records = values.map((value: T) => ({
      payload: encodeValue(this.#codec, value),
      headers,
      marks: this.#mark,
    }));
    const first = await this.#engine.writer.write(records, durable, signal);
    return records.map((_, at) => first + at);
  }

  async dequeue(options?: WaitOptions): Promise<T | undefined> {
    const taken = await this.#take(1, { how: 'remove' }, options);
    return taken[0]?.value;
  }

  async dequeueMany(max: number, options?: WaitOptions): Promise<T[]> {
    const taken = await this.#take(checkMax(max), { how: 'remove' }, options);
    return taken.map((one) => one.value);
  }

  async claim(options?: ClaimOptions): Promise<Delivery<T> | undefined> {
    const deliveries = await this.claimMany(1, options);
    return deliveries[0];
  }

  async claimMany(max: number, options?: ClaimOptions): Promise<Delivery<T>[]> {
    const { leaseMs, ...wait } = callOptions(options, CLAIM_OPTIONS);
    const lease = wholeNumber('leaseMs', leaseMs, this.#leaseMs, 1, LONGEST_LEASE_MS);
    const taken = await this.#take(checkMax(max), { how: 'claim', leaseMs: lease }, wait);
    return taken.map((one) => new ClaimedDelivery(this.#engine, this.#leases, one, this.#leaseMs));
  }

  get deadLetters(): DeadLetters<T> {
    throw notYet('deadLetters');
  }

  process(_handler: (delivery: Delivery<T>) => unknown, _options?: WorkerOptions): Worker {
    throw notYet('process');
  }

  async cancel(_index: number): Promise<boolean> {
    throw notYet('cancel');
  }

  async schedule(name: string, when: When, value: T, options?: ScheduleOptions): Promise<void> {
    const { draft, signal } = resolveSchedule(name, when, options, this.#engine.clock.now());
    this.#assertUsable();
    const payload = encodeValue(this.#codec, value);
    await this.#schedules.put({ ...draft, codec: this.#codec.name, value: Buffer.from(payload) }, signal);
  }

  async schedules(): Promise<ScheduleInfo[]> {
    await this.#look();
    return this.#schedules.list();
  }

  async unschedule(name: string): Promise<boolean> {
    this.#assertUsable();
    return this.#schedules.remove(name);
  }

  async peek(): Promise<T | undefined> {
    return (await this.peekMany(1))[0];
  }

  async peekMany(max: number): Promise<T[]> {
    checkMax(max);
    await this.#look();
    const { fates, tail } = this.#engine;
    const end = tail.nextIndex;
    const values: T[] = [];
    for (let index = nextInLine(fates, 1, end); index < end && values.length < max; ) {
      try {
        const record = this.#engine.readKnown(index);
        if (record !== undefined) values.push(decodeValue(this.#codec, record));
      } catch (error) {
        // As with `dequeueMany`, an unreadable message is the trouble of who stands before it.
        if (values.length === 0) throw error;
        return values;
      }
      index = nextInLine(fates, index + 1, end);
    }
    return values;
  }

  async read(index: number): Promise<T | undefined> {
    this.#assertOpen();
    if (!Number.isSafeInteger(index)) throw invalid('index', 'a whole number', index);
    const record = this.#engine.read(index);
    return record && decodeValue(this.#codec, record);
  }

  async delete(indexes: number | readonly number[]): Promise<number> {
    return this.store.delete(indexes);
  }

  async flush(): Promise<T[]> {
    this.#assertUsable();
    await this.#look();
    const below = this.#engine.tail.nextIndex;
    const values: T[] = [];
    for (;;) {
      let taken: Taken<T>[];
      try {
        taken = await this.#taker.take(FLUSH_STEP, { how: 'remove' }, below);
      } catch (error) {
        // What was taken is the caller's; who asks again meets the error.
        if (values.length > 0) return values;
        throw error;
      }
      if (taken.length === 0) return values;
      for (const one of taken) values.push(one.value);
    }
  }

  async clear(): Promise<number> {
    const engine = this.#engine;
    this.#assertUsable();
    const count = await engine.decider.decide((facts) => {
      engine.tail.catchUp();
      const { length, firstIndex } = engine;
      if (length > 0) facts.gone(firstIndex, engine.tail.nextIndex);
      return length;
    }, engine.durable);
    engine.sweeper.checkAll();
    return count;
  }

  async length(): Promise<number> {
    await this.#look();
    return this.#engine.length - this.#engine.fates.running;
  }

  async size(): Promise<number> {
    return this.store.size();
  }

  async stats(): Promise<QueueStats> {
    await this.#look();
    const { fates, tail, clock } = this.#engine;
    const stats = readStats(this.#engine);
    const oldest = this.#oldestTime(nextInLine(fates, 1, tail.nextIndex));
    return {
      ...stats,
      waiting: stats.length - fates.running,
      delayed: 0,
      claimed: fates.running,
      dead: 0,
      oldestAgeMs: oldest === undefined ? undefined : Math.max(0, clock.now() - oldest),
    };
  }

  on<E extends keyof QueueEvents>(event: E, listener: (value: QueueEvents[E]) => void): () => void {
    this.#assertOpen();
    return this.#events.on(event, listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#events.close();
    this.#leases.end();
    await this.#ticker.close();
    try {
      await this.#holder.release();
    } catch {
      // The claims are free all the same, once the slot is.
    } finally {
      await this.#engine.close();
    }
  }

  /** Undefined where there is no such message, or it cannot be read: that is for whoever takes it to hear. */
  #oldestTime(index: number): number | undefined {
    try {
      return this.#engine.readKnown(index)?.time;
    } catch {
      return undefined;
    }
  }

  /** Takes what is there, or waits for it. ⚑ Looks, then waits for a change of what it looked at, never for an event. */
  async #take(max: number, wish: Wish, options?: WaitOptions): Promise<Taken<T>[]> {
    const given = callOptions(options, WAIT_OPTIONS);
    const signal = signalOption(given.signal);
    const waitMs = waitOption(given.waitMs, 0);
    const { clock, indexer, fates } = this.#engine;
    const endsAt = clock.monotonic() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#assertUsable();
      if (max === 0) return [];
      const seen = indexer.version;
      await this.#holder.freeDead();
      const taken = await this.#taker.take(max, wish);
      if (taken.length > 0 || clock.monotonic() >= endsAt) return taken;
      await indexer.beyond(seen, Math.min(endsAt, fates.nextExpiry, this.#holder.nextProbe()), signal);
    }
  }

  /** Learns what others did, who of them died, and whose lease ended. */
  async #look(): Promise<void> {
    this.#assertOpen();
    this.#engine.catchUp();
    await this.#holder.freeDead();
    // That may have waited, and folded facts of records that were not seen then.
    this.#engine.catchUp();
    this.#engine.fates.expire(this.#engine.clock.monotonic());
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw this.#engine.closedError();
    this.#engine.assertOpen();
  }

  #assertUsable(): void {
    this.#assertOpen();
    this.#engine.assertNotFailed();
  }

  #enqueueOptions(options: EnqueueOptions | undefined): ResolvedWriteOptions {
    const given = options as Readonly<Record<string, unknown>> | undefined | null;
    for (const name of NOT_YET) if (given?.[name] !== undefined) throw notYet(name);
    return resolveWriteOptions(options, this.#engine.options.durability);
  }
}

function checkMax(max: number): number {
  if (max === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
  if (max === undefined) throw invalid('max', 'a whole number', max);
  return wholeNumber('max', max, 0, 0, Number.MAX_SAFE_INTEGER);
}
