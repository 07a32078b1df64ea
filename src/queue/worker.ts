import PQueue from 'p-queue';
import { onAbort } from '../abort.js';
import type { Clock } from '../clock.js';
import { DurostoreError } from '../errors.js';
import { KeepAlive } from '../indexer/keep-alive.js';
import type { ClaimOptions } from './contract.js';
import type { Delivery } from './delivery.js';
import { type RunTerms, runHandler } from './handler-run.js';
import { RateWindow } from './rate-window.js';
import type { Worker, WorkerStats } from './worker-contract.js';
import type { ResolvedWorkerOptions } from './worker-options.js';

/** What a worker needs of a queue, whatever that runs on. */
export interface WorkerQueue<T> {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly maxAttempts: number;
  claimMany(max: number, options: ClaimOptions): Promise<Delivery<T>[]>;
  /** Tells those who listen to 'error'. */
  error(error: DurostoreError): void;
}

/** So long nothing is claimed after a message that cannot be read: its attempts are not used up in one breath. */
const UNREADABLE_REST_MS = 100;
/** The same after any other error; twice as long after each further one. */
const LEAST_REST_MS = 100;
const LONGEST_REST_MS = 5000;

/**
 * Claims as many messages as there are free places for, never more: a message that waits for its handler would wait under a
 * lease. p-queue has the places; one claim at a time waits for messages.
 */
export class QueueWorker<T> implements Worker {
  readonly #queue: WorkerQueue<T>;
  readonly #handler: (delivery: Delivery<T>) => unknown;
  readonly #options: ResolvedWorkerOptions;
  readonly #terms: RunTerms;
  readonly #places: PQueue;
  readonly #window: RateWindow;
  readonly #ended: () => void;
  readonly #pulling: Promise<void>;
  /** The claim that waits, if one does. */
  #claiming: AbortController | undefined;
  /** Lets go on who waits for a place. */
  #wake: () => void = () => {};
  #restMs = 0;
  #restsUntil = Number.NEGATIVE_INFINITY;
  #paused = false;
  #takesNoMore = false;
  #closing: Promise<void> | undefined;
  #done = 0;
  #failed = 0;

  /** `ended` is called when it is closed, by whoever. */
  constructor(
    queue: WorkerQueue<T>,
    handler: (delivery: Delivery<T>) => unknown,
    options: ResolvedWorkerOptions,
    ended: () => void,
  ) {
    this.#queue = queue;
    this.#handler = handler;
    this.#options = options;
    const { clock, leaseMs: queueLeaseMs } = queue;
    const { leaseMs, timeoutMs } = options;
    this.#terms = { clock, leaseMs, queueLeaseMs, timeoutMs, error: (error) => this.#tell(error) };
    this.#places = new PQueue({ concurrency: options.concurrency });
    this.#places.on('next', () => this.#wake());
    this.#window = new RateWindow(options.rateLimit);
    const keepAlive = new KeepAlive();
    keepAlive.hold();
    const { signal } = options;
    const unlisten = signal === undefined ? undefined : onAbort(signal, this.#closeQuietly);
    this.#ended = () => {
      unlisten?.();
      keepAlive.close();
      ended();
    };
    this.#pulling = this.#pull();
    if (signal?.aborted) this.#closeQuietly();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  pause(): void {
    this.#paused = true;
    this.#claiming?.abort();
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  stats(): WorkerStats {
    return {
      running: this.#places.pending,
      done: this.#done,
      failed: this.#failed,
      paused: this.#paused,
    };
  }

  readonly #closeQuietly = (): void => void this.close();

  async #close(): Promise<void> {
    this.#takesNoMore = true;
    this.#claiming?.abort();
    this.#wake();
    await this.#pulling;
    await this.#places.onIdle();
    this.#ended();
  }

  async #pull(): Promise<void> {
    // Who pauses it in the turn in which it was made has it claim nothing.
    await undefined;
    while (!this.#takesNoMore) {
      const free = this.#free();
      if (free > 0) await this.#claim(free);
      else await this.#room();
    }
  }

  /** How many messages may be claimed now. */
  #free(): number {
    const now = this.#queue.clock.monotonic();
    if (now < this.#restsUntil) return 0;
    return Math.min(this.#freePlaces, this.#window.free(now));
  }

  get #freePlaces(): number {
    return this.#paused ? 0 : this.#options.concurrency - this.#places.pending;
  }

  /** Resolves when there may be room: the time has come, a handler has ended, or something was said. */
  #room(): Promise<void> {
    const { clock } = this.#queue;
    return new Promise((resolve) => {
      const at = Math.max(this.#restsUntil, this.#window.next(clock.monotonic()));
      const cancelTimer = this.#freePlaces > 0 ? clock.setTimer(at, resolve) : undefined;
      this.#wake = () => {
        cancelTimer?.();
        resolve();
      };
    });
  }

  async #claim(max: number): Promise<void> {
    const abort = new AbortController();
    this.#claiming = abort;
    let deliveries: Delivery<T>[];
    let leasedAt: number;
    try {
      const { leaseMs } = this.#options;
      const wait = { waitMs: Number.POSITIVE_INFINITY, leaseMs, signal: abort.signal };
      deliveries = await this.#queue.claimMany(max, wait);
      leasedAt = this.#queue.clock.monotonic();
      this.#restMs = 0;
    } catch (error) {
      if (error !== abort.signal.reason) this.#claimFailed(error);
      return;
    } finally {
      this.#claiming = undefined;
    }
    for (const delivery of deliveries) {
      // At its last attempt a message that is given back would be dead, and nobody had looked at it.
      const isLast = delivery.attempt >= this.#queue.maxAttempts;
      if ((this.#takesNoMore || this.#paused) && !isLast) await this.#giveBack(delivery);
      else if (await this.#isHeld(delivery, leasedAt)) this.#begin(delivery);
    }
  }

  /**
   * Whether a message may be handled at all. The handlers of those before it have begun at once, and may have held the event
   * loop until its own lease needs to be renewed, or has ended.
   */
  async #isHeld(delivery: Delivery<T>, leasedAt: number): Promise<boolean> {
    const { leaseMs } = this.#options;
    if (this.#queue.clock.monotonic() < leasedAt + leaseMs / 3) return true;
    // What waits for its turn goes first: the other leases, and the messages that are done.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      await delivery.extend(leaseMs);
      return true;
    } catch (error) {
      this.#tell(error);
      this.#failed += 1;
      return false;
    }
  }

  #begin(delivery: Delivery<T>): void {
    void this.#places.add(async () => {
      const end = await this.#run(delivery);
      if (end === 'done') this.#done += 1;
      else this.#failed += 1;
    });
  }

  #run(delivery: Delivery<T>): Promise<'done' | 'failed'> {
    const running = runHandler(this.#handler, delivery, this.#terms);
    // Only now, for the handler's own beginning was before, by as much as the machine liked.
    this.#window.begin(this.#queue.clock.monotonic());
    return running;
  }

  /** A message that came when nobody wanted it any more. */
  async #giveBack(delivery: Delivery<T>): Promise<void> {
    try {
      await delivery.nack({ delayMs: 0, reason: 'given back before it was handled' });
    } catch (error) {
      this.#tell(error);
    }
  }

  #claimFailed(error: unknown): void {
    const code = error instanceof DurostoreError ? error.code : undefined;
    if (code === 'STORE_FAILED')
      this.#tell(new DurostoreError('STORE_FAILED', `a worker has ended: ${textOf(error)}`, error));
    else if (code !== 'CLOSED') this.#tell(error);
    if (code === 'STORE_FAILED' || code === 'CLOSED') this.#closeQuietly();
    else this.#rest(code === 'CODEC' || code === 'CORRUPT');
  }

  #rest(isUnreadable: boolean): void {
    if (isUnreadable) this.#restMs = 0;
    else this.#restMs = Math.min(Math.max(LEAST_REST_MS, 2 * this.#restMs), LONGEST_REST_MS);
    const ms = isUnreadable ? UNREADABLE_REST_MS : this.#restMs;
    this.#restsUntil = this.#queue.clock.monotonic() + ms;
  }

  #tell(error: unknown): void {
    if (error instanceof DurostoreError) this.#queue.error(error);
    else this.#queue.error(new DurostoreError('STORE_FAILED', `a worker: ${textOf(error)}`, error));
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
