import type { Store } from '../store/contract.js';
import type { StoreStats } from '../store/stats.js';
import type { WaitOptions } from '../store/wait-options.js';
import type { WriteOptions } from '../store/write-options.js';
import type { DeadLetters } from './dead-letters-contract.js';
import type { Delivery } from './delivery.js';
import type { QueueEvents } from './events.js';
import type { ScheduleInfo, ScheduleOptions, When } from './schedule-contract.js';
import type { Worker, WorkerOptions } from './worker-contract.js';

export type { WaitOptions };

export interface ClaimOptions extends WaitOptions {
  /** How long the claim holds, in milliseconds. Default: the queue's. */
  leaseMs?: number | undefined;
}

export interface EnqueueOptions extends WriteOptions {
  /** Enqueued again within the window, it is answered with the first one's index and not stored twice. At most 1000 bytes of UTF-8. */
  id?: string | undefined;
  /** Not to be had before so many milliseconds have passed, by the wall clock. Default 0. */
  delayMs?: number | undefined;
  /** 0 to 9; higher ones first, first in, first out within one. Default 0. */
  priority?: number | undefined;
  /** Before everything of its priority. */
  front?: boolean | undefined;
  /** Messages of one key are handled one at a time, in the order of their indexes, across processes. At most 1000 bytes of UTF-8. */
  key?: string | undefined;
}

export interface QueueStats extends StoreStats {
  /** Messages that can be had now. */
  waiting: number;
  delayed: number;
  /** Messages under a lease that runs. */
  claimed: number;
  dead: number;
  /** Milliseconds since the first message in line was enqueued. */
  oldestAgeMs: number | undefined;
}

/** What this engine can do; what it cannot is refused with UNSUPPORTED. */
export interface QueueCapabilities {
  priority: boolean;
  front: boolean;
  delay: boolean;
  key: boolean;
  deduplication: boolean;
  exactLength: boolean;
  transactions: boolean;
  durability: readonly ('written' | 'synced' | 'replicated')[];
}

/**
 * Messages, first in, first out, among any number of processes: in the order in which their enqueueing was committed; one
 * that comes again comes back at its place.
 *
 * Every method may be called at any time, also while others run. All reject with CLOSED after `close`.
 */
export interface Queue<T> extends AsyncDisposable {
  /** Adds a message; resolves with its index when it is as durable as asked. CODEC, RECORD_TOO_LARGE, STORE_FULL, DISK_FULL: nothing was written. */
  enqueue(value: T, options?: EnqueueOptions): Promise<number>;
  /** Adds messages, all or none, with consecutive indexes. */
  enqueueMany(values: readonly T[], options?: EnqueueOptions): Promise<number[]>;
  /** Takes the first message for good: at most once. Undefined where none came in time. CODEC where it cannot be decoded. */
  dequeue(options?: WaitOptions): Promise<T | undefined>;
  /** Waits until there is one, then takes what is there, up to `max`. */
  dequeueMany(max: number, options?: WaitOptions): Promise<T[]>;
  /** Takes the first message under a lease: at least once. It comes back unless it is acknowledged in time. */
  claim(options?: ClaimOptions): Promise<Delivery<T> | undefined>;
  claimMany(max: number, options?: ClaimOptions): Promise<Delivery<T>[]>;
  /** The first message in line, which stays. */
  peek(): Promise<T | undefined>;
  peekMany(max: number): Promise<T[]>;
  /** The message with that index, wherever it stands; undefined where it is gone or never was. */
  read(index: number): Promise<T | undefined>;
  /** Deletes messages, claimed ones too; resolves with how many were there. */
  delete(indexes: number | readonly number[]): Promise<number>;
  /** Takes everything that is waiting, in order. */
  flush(): Promise<T[]>;
  /** Deletes everything, claimed messages too; resolves with how many there were. */
  clear(): Promise<number>;
  /**
   * Hands each message to `handler`, under a lease that renews itself. What returns is acknowledged; what throws is given back
   * after the backoff, or goes to the dead letters at the last attempt. See `Worker`.
   */
  process(handler: (delivery: Delivery<T>) => unknown, options?: WorkerOptions): Worker;
  /** Ends a message, claimed or not: its handler's signal aborts in whichever process it runs. False where it was not there. */
  cancel(index: number): Promise<boolean>;
  /**
   * Has `value` enqueued at each tick, once, however many processes have the queue open; replaces the schedule of that name.
   * On the device when it resolves.
   */
  schedule(name: string, when: When, value: T, options?: ScheduleOptions): Promise<void>;
  schedules(): Promise<ScheduleInfo[]>;
  /** False where there was none. */
  unschedule(name: string): Promise<boolean>;
  /** How many messages are waiting: neither claimed, delayed, dead nor gone. */
  length(): Promise<number>;
  /** Bytes on disk. */
  size(): Promise<number>;
  stats(): Promise<QueueStats>;
  /** The same records by index. Closing it closes the queue. */
  readonly store: Store;
  /** Messages that were given up, by maxAttempts or `reject`. They keep their index; `read` finds them. */
  readonly deadLetters: DeadLetters<T>;
  readonly capabilities: QueueCapabilities;
  /** Calls `listener` at each event; returns what ends that. */
  on<E extends keyof QueueEvents>(event: E, listener: (value: QueueEvents[E]) => void): () => void;
  /** Syncs what was written and frees everything; messages claimed here are free. Idempotent. Calls that wait get CLOSED. */
  close(): Promise<void>;
}
