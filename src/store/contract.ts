import type { Consumer, ConsumerInfo, ConsumerOptions } from './consumer-contract.js';
import type { Entry, EntryRange } from './entries.js';
import type { StoreStats } from './stats.js';
import type { WriteOptions } from './write-options.js';

/**
 * Records by index, in a directory that any number of processes share.
 *
 * Every method may be called at any time, also while others run; calls of one tick share a commit. Reads see everything
 * that was committed before the call, by whichever process. All reject with CLOSED after `close`, those that write with
 * STORE_FAILED after a failed write or sync.
 */
export interface Store extends AsyncDisposable {
  /**
   * Appends a record and resolves with its index, when it is on the device or, under `written`, in the system's cache.
   * RECORD_TOO_LARGE, STORE_FULL, DISK_FULL: nothing was written.
   */
  write(data: Uint8Array, options?: WriteOptions): Promise<number>;
  /** Appends records as one batch, whole or not at all, with consecutive indexes. An empty batch writes nothing. */
  writeMany(batch: readonly Uint8Array[], options?: WriteOptions): Promise<number[]>;
  /** A record's bytes, a copy; the oldest there is without an index; undefined where it is gone or never was. CORRUPT. */
  read(index?: number): Promise<Uint8Array | undefined>;
  /** A record with its time and headers; undefined where it is gone or never was. CORRUPT. */
  entry(index: number): Promise<Entry | undefined>;
  /**
   * Records in the order of their indexes. What is deleted during the walk, ahead of it, may still be shown. CORRUPT where it
   * comes to a damaged record; a new walk from the index behind that goes on.
   */
  entries(range?: EntryRange): AsyncIterableIterator<Entry>;
  /** Deletes records; resolves with how many of them were there. */
  delete(indexes: number | readonly number[]): Promise<number>;
  /** Deletes the oldest record; resolves with its index, undefined where there is none. */
  deleteFirst(): Promise<number | undefined>;
  /** Deletes everything, or everything below an index. */
  prune(before?: number): Promise<void>;
  /** The oldest index there is; `nextIndex()` where there is none. */
  firstIndex(): Promise<number>;
  /** The index that the next record gets. */
  nextIndex(): Promise<number>;
  /**
   * The first index that was written at or after a time (a date, or milliseconds since 1970) and is there; `nextIndex()` where there
   * is none. Times never go backwards in a store, also where the clock does. INVALID_OPTION.
   */
  indexAt(time: Date | number): Promise<number>;
  /** How many records there are, whoever wrote or deleted them. */
  length(): Promise<number>;
  /** Bytes on disk: records, entries and facts; space prepared ahead is not counted. */
  size(): Promise<number>;
  stats(): Promise<StoreStats>;
  /** Re-reads the indexes now; the background indexer and every other call do it by themselves. */
  refresh(): Promise<void>;
  /** Resolves when everything written so far, by this opener or seen by it, is on the device. */
  sync(): Promise<void>;
  /**
   * Opens a named consumer: a position that is kept in the store, from which reading goes on. It is made where there is none of that
   * name, and is as durable as what is written to this store when it resolves. INVALID_OPTION for a name that is none, or differs
   * from another one's by case alone; LOCK_UNAVAILABLE where somebody has it exclusively, or it is wanted so and somebody has it;
   * DISK_FULL.
   */
  consumer(name: string, options?: ConsumerOptions): Promise<Consumer>;
  /** The named consumers there are, by name, and how many have each of them open, which is counted under the lock. STORE_FAILED. */
  consumers(): Promise<ConsumerInfo[]>;
  /**
   * Forgets a named consumer; false where there is none. Who has it open gets CLOSED from then on. Opened again, it is a new one. As
   * durable as what is written when it resolves.
   */
  removeConsumer(name: string): Promise<boolean>;
  /** Syncs what was written and frees everything. Idempotent. Calls that wait get CLOSED. */
  close(): Promise<void>;
}
