import { WALL_LOOK_MS } from '../clock.js';
import type { Disk } from '../disk/disk.js';
import { osDisk } from '../disk/os.js';
import type { FactSink } from '../journal/facts.js';
import type { JournalLimits } from '../journal/journal.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import type { Slices } from '../segment/slices.js';
import type { CompactionLimits } from '../store/compactor.js';
import type { Store } from '../store/contract.js';
import { deleteRecords } from '../store/deletion.js';
import { Engine } from '../store/engine.js';
import { callOptions, invalid, signalOption, waitOption, wholeNumber } from '../store/options.js';
import { readStats } from '../store/stats.js';
import { EngineStore } from '../store/store.js';
import type { Haul, Taken, Wish } from './asking.js';
import { Undertaker } from './burial.js';
import { type Codec, decodeValue, encodeValue } from './codec.js';
import type {
  ClaimOptions,
  EnqueueOptions,
  Queue,
  QueueCapabilities,
  QueueStats,
  WaitOptions,
} from './contract.js';
import { EngineDeadLetters } from './dead-letters.js';
import type { DeadLetters } from './dead-letters-contract.js';
import { DeathWatch } from './death-watch.js';
import { ClaimedDelivery, type Delivery, type Terms } from './delivery.js';
import type { DueTimes } from './due-times.js';
import { Enqueuer, type Entering } from './enqueuer.js';
import { Events, type QueueEvents } from './events.js';
import { Holder } from './holder.js';
import { afterFailure } from './judgement.js';
import { LeaseWatch } from './lease-watch.js';
import { Line } from './line.js';
import { MessageIds } from './message-ids.js';
import {
  LONGEST_LEASE_MS,
  type QueueOptions,
  type ResolvedQueueOptions,
  resolveQueueOptions,
} from './options.js';
import { ScheduleBook } from './schedule-book.js';
import type { ScheduleInfo, ScheduleOptions, When } from './schedule-contract.js';
import { resolveSchedule } from './schedule-options.js';
import { Taker } from './taker.js';
import { Ticker } from './ticker.js';
import { validatingCodec } from './validate.js';
import { Validation } from './validation.js';
import type { Worker, WorkerOptions } from './worker-contract.js';
import { Workers } from './workers.js';

/** Opens a queue, creating the directory if it is missing. Rejects as `openStore` does. */
export function openQueue<T = unknown>(options: QueueOptions<T>): Promise<Queue<T>> {
  return openQueueOn(osDisk, options);
}

/** What tests have smaller, so that it matters sooner. */
export interface QueueTuning {
  readonly compaction?: CompactionLimits;
  readonly slices?: Slices;
  readonly dueTimes?: DueTimes;
}

/** The same on another disk: where tests put theirs. */
export async function openQueueOn<T = unknown>(
  disk: Disk,
  options: QueueOptions<T>,
  limits?: JournalLimits,
  tuning: QueueTuning = {},
): Promise<Queue<T>> {
  const resolved = resolveQueueOptions(options);
  const engine = await Engine.open(disk, resolved.store, limits, tuning.compaction, tuning.slices);
  const queue = new EngineQueue(engine, resolved, tuning.dueTimes);
  await queue.settle();
  return queue;
}

const FLUSH_STEP = 1000;
const WAIT_OPTIONS = new Set(['waitMs', 'signal']);
const CLAIM_OPTIONS = new Set([...WAIT_OPTIONS, 'leaseMs']);

class EngineQueue<T> implements Queue<T> {
  readonly store: Store;
  readonly deadLetters: DeadLetters<T>;
  readonly capabilities: QueueCapabilities = {
    priority: true,
    front: true,
    delay: true,
    key: true,
    deduplication: true,
    exactLength: true,
    transactions: true,
    durability: ['written', 'synced'],
  };
  readonly #engine: Engine;
  readonly #codec: Codec<T>;
  readonly #validation: Validation<T> | undefined;
  readonly #enqueuer: Enqueuer<T>;
  readonly #terms: Terms;
  readonly #undertaker: Undertaker;
  readonly #holder: Holder;
  readonly #deathWatch: DeathWatch;
  readonly #line: Line;
  readonly #taker: Taker<T>;
  readonly #leases: LeaseWatch;
  readonly #events: Events;
  readonly #ticker: Ticker;
  readonly #schedules: ScheduleBook;
  readonly #workers: Workers<T>;
  #closing: Promise<void> | undefined;
  /** Behind the end of the workers, which need the queue to the last. */
  #closed = false;

  constructor(engine: Engine, options: ResolvedQueueOptions<T>, dueTimes?: DueTimes) {
    this.#engine = engine;
    const { codec, schema, validateOnRead, maxAttempts, deduplicationMs } = options;
    this.#codec = schema !== undefined && validateOnRead ? validatingCodec(codec, schema) : codec;
    this.#validation = schema && new Validation(schema);
    this.#undertaker = new Undertaker(engine, maxAttempts, options.deadLetters);
    this.#terms = { ...options, undertaker: this.#undertaker };
    this.#holder = new Holder(engine);
    this.#deathWatch = new DeathWatch(engine, this.#holder);
    this.#line = new Line(engine, dueTimes);
    engine.idWindowMs = deduplicationMs;
    this.#enqueuer = new Enqueuer(engine, codec, new MessageIds(engine, deduplicationMs));
    this.#taker = new Taker(engine, {
      holder: this.#holder,
      undertaker: this.#undertaker,
      line: this.#line,
      codec: this.#codec,
      maxAttempts,
      assertUsable: () => this.#assertUsable(),
    });
    this.#leases = new LeaseWatch(engine, () => this.#assertOpen());
    this.#events = new Events(engine);
    this.#ticker = new Ticker(engine, (error) => this.#events.error(error));
    this.#schedules = new ScheduleBook(engine, this.#ticker);
    this.#workers = new Workers({
      clock: engine.clock,
      leaseMs: options.leaseMs,
      maxAttempts: options.maxAttempts,
      claimMany: (max, wait) => this.claimMany(max, wait),
      error: (error) => this.#events.error(error),
    });
    engine.onFailure = (error) => {
      this.#events.error(error);
      // Who waits for a message waits in vain, and is told.
      engine.indexer.changed();
    };
    this.store = new EngineStore(engine, () => this.close());
    this.deadLetters = new EngineDeadLetters<T>(engine, {
      look: () => this.#look(),
      assertUsable: () => this.#assertUsable(),
      // Without the schema: what fails it is to be looked at, and is dead for that.
      decode: (record) => decodeValue(codec, record),
    });
  }

  /** Buries and purges what others have left to be. */
  async settle(): Promise<void> {
    await this.#undertaker.settle();
  }

  enqueue(value: T, options?: EnqueueOptions): Promise<number> {
    try {
      const entering = this.#enqueuer.entering(options);
      this.#assertUsable();
      // The writer's own promise: another one around it would cost as much as the rest of what is done here.
      if (this.#validation === undefined && entering.order?.id === undefined)
        return this.#enqueuer.writeOne(value, entering);
      return this.#enter([value], entering, false).then(([index]) => index as number);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async enqueueMany(values: readonly T[], options?: EnqueueOptions): Promise<number[]> {
    const entering = this.#enqueuer.entering(options);
    if (!Array.isArray(values)) throw invalid('values', 'an array', values);
    this.#assertUsable();
    if (values.length === 0) return [];
    return this.#enter(values, entering, true);
  }

  dequeue(options?: WaitOptions): Promise<T | undefined> {
    return this.#take(1, REMOVE, options, ([first]) => first?.value);
  }

  async dequeueMany(max: number, options?: WaitOptions): Promise<T[]> {
    return await this.#take(checkMax(max), REMOVE, options, (taken) => taken.map((one) => one.value));
  }

  claim(options?: ClaimOptions): Promise<Delivery<T> | undefined> {
    return this.#claim(1, options, ([first]) => first && this.#deliver(first));
  }

  async claimMany(max: number, options?: ClaimOptions): Promise<Delivery<T>[]> {
    return await this.#claim(checkMax(max), options, (taken) => taken.map(this.#deliver));
  }

  process(handler: (delivery: Delivery<T>) => unknown, options?: WorkerOptions): Worker {
    if (this.#closing !== undefined) throw this.#engine.closedError();
    this.#assertUsable();
    return this.#workers.start(handler, options);
  }

  async cancel(index: number): Promise<boolean> {
    if (!Number.isSafeInteger(index)) throw invalid('index', 'a whole number', index);
    this.#assertUsable();
    return (await deleteRecords(this.#engine, [index])) === 1;
  }

  async schedule(name: string, when: When, value: T, options?: ScheduleOptions): Promise<void> {
    const { draft, signal } = resolveSchedule(name, when, options, this.#engine.clock.now());
    this.#assertUsable();
    const put = async ([valid]: readonly T[]): Promise<void> => {
      const payload = encodeValue(this.#codec, valid as T);
      await this.#schedules.put({ ...draft, codec: this.#codec.name, value: Buffer.from(payload) }, signal);
    };
    if (this.#validation === undefined) await put([value]);
    else await this.#validation.pass([value], { isBatch: false, signal }, put);
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
    const values: T[] = [];
    for (const index of this.#line.inOrder(this.#engine.tail.nextIndex, true)) {
      if (values.length >= max) break;
      try {
        let record = this.#engine.readKnown(index, LARGE_BYTES);
        const slow = this.#engine.slowly(record);
        if (slow !== undefined) {
          record = await slow;
          if (this.#closed) break;
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

  async read(index: number): Promise<T | undefined> {
    this.#assertOpen();
    if (!Number.isSafeInteger(index)) throw invalid('index', 'a whole number', index);
    const record = await this.#engine.readInTurns(index);
    return record && decodeValue(this.#codec, this.#engine.plain(record));
  }

  async delete(indexes: number | readonly number[]): Promise<number> {
    return this.store.delete(indexes);
  }

  async flush(): Promise<T[]> {
    this.#assertUsable();
    await this.#look();
    const below = this.#engine.tail.nextIndex;
    const values: T[] = [];
    let isSettled = true;
    for (;;) {
      let haul: Haul<T>;
      try {
        haul = await this.#taker.take(FLUSH_STEP, { how: 'remove' }, below, values.length > 0);
      } catch (error) {
        // What was taken is the caller's; who asks again meets the error.
        if (values.length === 0) throw error;
        break;
      }
      for (const one of haul.taken) values.push(one.value);
      isSettled &&= haul.isSettled;
      if (haul.taken.length === 0) break;
    }
    if (!isSettled) await this.#engine.syncFacts();
    return values;
  }

  async clear(): Promise<number> {
    const engine = this.#engine;
    this.#assertUsable();
    const count = await engine.decider.decide((facts) => {
      engine.tail.catchUp();
      const { fates, tail } = engine;
      let from = engine.firstIndex;
      // Dead letters stay until they are purged.
      for (const to of [...fates.dead.sorted(), tail.nextIndex]) {
        if (fates.goneSet.firstAbsent(from) < to) facts.gone(from, to);
        from = to + 1;
      }
      return engine.length - fates.dead.size;
    }, engine.durable);
    engine.sweeper.checkAll();
    return count;
  }

  async length(): Promise<number> {
    await this.#look();
    return this.#waiting;
  }

  get #waiting(): number {
    const { length, fates } = this.#engine;
    return length - fates.running - fates.dead.size - this.#delayed;
  }

  get #delayed(): number {
    return this.#engine.fates.delayedCount + this.#line.delayedCount;
  }

  async size(): Promise<number> {
    return this.store.size();
  }

  async stats(): Promise<QueueStats> {
    await this.#look();
    const { fates, tail, clock } = this.#engine;
    const stats = readStats(this.#engine);
    const oldest = this.#oldestTime(this.#line.oldest(tail.nextIndex));
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

  on<E extends keyof QueueEvents>(event: E, listener: (value: QueueEvents[E]) => void): () => void {
    this.#assertOpen();
    return this.#events.on(event, listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#workers.closeBefore(() => this.#close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#events.close();
    this.#leases.end();
    this.#undertaker.close();
    const ticking = this.#ticker.close();
    // ⚑ No turn in between: a dequeue that was called before takes no message that nobody will get.
    if (ticking !== undefined) await ticking;
    try {
      await this.#holder.release((facts, claimed) => this.#buryLast(facts, claimed));
    } catch {
      // The claims are free all the same, once the slot is.
    } finally {
      await this.#engine.close();
    }
  }

  /** What was claimed here for the last time, and will not be acknowledged. */
  #buryLast(facts: FactSink, claimed: readonly number[]): void {
    const { fates, journal } = this.#engine;
    if (!journal.takesJobs) return;
    const { maxAttempts } = this.#terms;
    const last = claimed.filter((index) => afterFailure(fates.attemptsOf(index), maxAttempts) === 'dead');
    this.#undertaker.bury(
      facts,
      last.map((index) => ({ index, reason: 'the queue was closed' })),
    );
  }

  /** Undefined where there is no such message, or it cannot be read: that is for whoever takes it to hear. */
  #oldestTime(index: number): number | undefined {
    try {
      return this.#engine.readKnown(index)?.time;
    } catch {
      return undefined;
    }
  }

  #claim<R>(max: number, options: ClaimOptions | undefined, give: (taken: Taken<T>[]) => R): Promise<R> {
    let leaseMs: number;
    let wait: WaitOptions | undefined;
    try {
      const given = callOptions(options, CLAIM_OPTIONS);
      leaseMs = wholeNumber('leaseMs', given.leaseMs, this.#terms.leaseMs, 1, LONGEST_LEASE_MS);
      wait = options && { waitMs: given.waitMs, signal: given.signal };
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#take(max, { how: 'claim', leaseMs }, wait, give);
  }

  readonly #deliver = (one: Taken<T>): Delivery<T> =>
    new ClaimedDelivery(this.#engine, this.#leases, one, this.#terms);

  /** Takes what is there, or waits for it. ⚑ Looks, then waits for a change of what it looked at, never for an event. */
  async #take<R>(
    max: number,
    wish: Wish,
    options: WaitOptions | undefined,
    give: (taken: Taken<T>[]) => R,
  ): Promise<R> {
    const given = callOptions(options, WAIT_OPTIONS);
    const signal = signalOption(given.signal);
    const waitMs = waitOption(given.waitMs, 0);
    const { clock, indexer, fates } = this.#engine;
    const endsAt = waitMs === 0 ? 0 : clock.monotonic() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#assertUsable();
      if (max === 0) return give([]);
      const seen = indexer.version;
      const freeing = this.#holder.freeDead();
      if (freeing !== undefined) await freeing;
      const settling = this.#undertaker.settle();
      if (settling !== false) await settling;
      if (this.#line.isBehind) await this.#line.lookInTurns();
      const haul = await this.#taker.take(max, wish);
      const { taken } = haul;
      if (taken.length > 0 && (haul.isCut || !haul.isSettled))
        return give(await this.#takeRest(haul, max, wish, signal));
      if (taken.length > 0 || waitMs === 0 || clock.monotonic() >= endsAt) return give(taken);
      const soonest = Math.min(endsAt, fates.nextExpiry, this.#nextDue());
      this.#deathWatch.begin();
      try {
        await indexer.beyond(seen, soonest, signal);
      } finally {
        this.#deathWatch.end();
      }
    }
  }

  /**
   * Goes on taking where much was asked for, step by step. What was taken is the caller's, whatever comes then; and it is on the
   * device where that was wished for.
   */
  async #takeRest(
    { taken, isCut }: Haul<T>,
    max: number,
    wish: Wish,
    signal: AbortSignal | undefined,
  ): Promise<Taken<T>[]> {
    const { clock } = this.#engine;
    // What was claimed first is to be had while most of its lease is left.
    const until = wish.how === 'claim' ? clock.monotonic() + wish.leaseMs / 4 : Number.POSITIVE_INFINITY;
    let mayBeMore = isCut;
    while (
      clock.monotonic() < until &&
      mayBeMore &&
      taken.length < max &&
      signal?.aborted !== true &&
      !this.#closed
    ) {
      try {
        const haul = await this.#taker.take(max - taken.length, wish, undefined, true);
        for (const one of haul.taken) taken.push(one);
        mayBeMore = haul.isCut;
      } catch {
        // Who asks next meets the error.
        break;
      }
    }
    if (wish.how === 'remove' && this.#engine.durable) await this.#engine.syncFacts();
    return taken;
  }

  /** When something that was put off may be due, on the monotonic clock. */
  #nextDue(): number {
    const { clock, fates } = this.#engine;
    const nextDue = Math.min(fates.nextDue, this.#line.nextDue);
    if (nextDue === Number.POSITIVE_INFINITY) return nextDue;
    return clock.monotonic() + Math.min(Math.max(0, nextDue - clock.now()), WALL_LOOK_MS);
  }

  /** Learns what others did, who of them died, and whose lease ended. */
  async #look(): Promise<void> {
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

  /** Writes what the schema makes of the values. */
  #enter(values: readonly T[], entering: Entering, isBatch: boolean): Promise<number[]> {
    const write = (valid: readonly T[]): Promise<number[]> => this.#enqueuer.write(valid, entering);
    if (this.#validation === undefined) return write(values);
    return this.#validation.pass(values, { isBatch, signal: entering.signal }, write);
  }

  #assertOpen(): void {
    if (this.#closed) throw this.#engine.closedError();
    this.#engine.assertOpen();
  }

  #assertUsable(): void {
    this.#assertOpen();
    this.#engine.assertNotFailed();
  }
}

const REMOVE: Wish = { how: 'remove' };

function checkMax(max: number): number {
  if (max === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
  if (max === undefined) throw invalid('max', 'a whole number', max);
  return wholeNumber('max', max, 0, 0, Number.MAX_SAFE_INTEGER);
}
