import type { Store } from '../store/contract.js';
import type { StoreStats } from '../store/stats.js';
import type { WriteOptions } from '../store/write-options.js';
import type { Delivery } from './delivery.js';
import type { QueueEvents } from './events.js';

export interface WaitOptions {
  /** Milliseconds to wait for a message. Default 0; `Infinity`: until aborted or closed. */
  waitMs?: number | undefined;
  /** Ends waiting with a rejection of `signal.reason`; it never takes a message that was got already. */
  signal?: AbortSignal | undefined;
}

export interface ClaimOptions extends WaitOptions {
  /** How long the claim holds, in milliseconds. Default: the queue's. */
  leaseMs?: number | undefined;
}

export type EnqueueOptions = WriteOptions;

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
  /** How many messages are waiting: neither claimed nor gone. */
  length(): Promise<number>;
  /** Bytes on disk. */
  size(): Promise<number>;
  stats(): Promise<QueueStats>;
  /** The same records by index. Closing it closes the queue. */
  readonly store: Store;
  readonly capabilities: QueueCapabilities;
  /** Calls `listener` at each event; returns what ends that. */
  on<E extends keyof QueueEvents>(event: E, listener: (value: QueueEvents[E]) => void): () => void;
  /** Syncs what was written and frees everything; messages claimed here are free. Idempotent. Calls that wait get CLOSED. */
  close(): Promise<void>;
}
