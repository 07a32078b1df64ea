import type { Disk } from '../disk/disk.js';
import { osDisk } from '../disk/os.js';
import type { FactSink } from '../journal/facts.js';
import type { JournalLimits } from '../journal/journal.js';
import type { Slices } from '../segment/slices.js';
import type { CompactionLimits } from '../store/compactor.js';
import type { Store } from '../store/contract.js';
import { deleteRecords } from '../store/deletion.js';
import { Engine } from '../store/engine.js';
import { callOptions, invalid, wholeNumber } from '../store/options.js';
import { EngineStore } from '../store/store.js';
import type { Taken } from './asking.js';
import { Undertaker } from './burial.js';
import { clearQueue } from './clear.js';
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
import { Overview } from './overview.js';
import { ScheduleBook } from './schedule-book.js';
import type { ScheduleInfo, ScheduleOptions, When } from './schedule-contract.js';
import { resolveSchedule } from './schedule-options.js';
import { Taker } from './taker.js';
import { Ticker } from './ticker.js';
import { validatingCodec } from './validate.js';
import { Validation } from './validation.js';
import { REMOVE, WAIT_OPTIONS, WaitingTaker } from './waiting-taker.js';
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
  readonly #waiting: WaitingTaker<T>;
  readonly #overview: Overview<T>;
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
    const holder = new Holder(engine);
    const undertaker = new Undertaker(engine, maxAttempts, options.deadLetters);
    this.#holder = holder;
    this.#undertaker = undertaker;
    this.#terms = { ...options, undertaker };
    const line = new Line(engine, dueTimes);
    const assertOpen = (): void => this.#assertOpen();
    const assertUsable = (): void => this.#assertUsable();
    engine.idWindowMs = deduplicationMs;
    this.#enqueuer = new Enqueuer(engine, codec, new MessageIds(engine, deduplicationMs));
    const parts = { holder, undertaker, line, codec: this.#codec, isClosed: () => this.#closed };
    const taker = new Taker(engine, { ...parts, assertUsable, maxAttempts });
    this.#waiting = new WaitingTaker(engine, {
      ...parts,
      assertUsable,
      taker,
      deathWatch: new DeathWatch(engine, holder),
    });
    this.#overview = new Overview(engine, { ...parts, assertOpen });
    this.#leases = new LeaseWatch(engine, assertOpen);
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
    engine.failure.onFailure = (error) => {
      this.#events.error(error);
      // Who waits for a message waits in vain, and is told.
      engine.indexer.changed();
    };
    this.store = new EngineStore(engine, () => this.close());
    this.deadLetters = new EngineDeadLetters<T>(engine, {
      look: () => this.#overview.look(),
      assertUsable,
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
    return this.#waiting.take(1, REMOVE, options, ([first]) => first?.value);
  }

  async dequeueMany(max: number, options?: WaitOptions): Promise<T[]> {
    return await this.#waiting.take(checkMax(max), REMOVE, options, (taken) => taken.map((one) => one.value));
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
    await this.#overview.look();
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
    return this.#overview.peek(checkMax(max));
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
    await this.#overview.look();
    return this.#waiting.flush(this.#engine.tail.nextIndex);
  }

  async clear(): Promise<number> {
    this.#assertUsable();
    return clearQueue(this.#engine);
  }

  length(): Promise<number> {
    return this.#overview.length();
  }

  async size(): Promise<number> {
    return this.store.size();
  }

  stats(): Promise<QueueStats> {
    return this.#overview.stats();
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
    return this.#waiting.take(max, { how: 'claim', leaseMs }, wait, give);
  }

  readonly #deliver = (one: Taken<T>): Delivery<T> =>
    new ClaimedDelivery(this.#engine, this.#leases, one, this.#terms);

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
    this.#engine.failure.assertNone();
  }
}

function checkMax(max: number): number {
  if (max === Number.POSITIVE_INFINITY) return Number.MAX_SAFE_INTEGER;
  if (max === undefined) throw invalid('max', 'a whole number', max);
  return wholeNumber('max', max, 0, 0, Number.MAX_SAFE_INTEGER);
}
