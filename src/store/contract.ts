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
  /**
   * Appends one record of any size from a source that may be slow: no lock is held meanwhile. It is there as a whole when this
   * resolves with its index, or never. What the source throws, an abort, closing and a death leave nothing.
   *
   * At most 2 GiB less the overhead, also beyond `maxFileSize`, or `maxRecordSize` where that was given: RECORD_TOO_LARGE as soon as it
   * is known. Of more than 4 MiB it has a file of its own, with others behind it where there is room. STORE_FULL, DISK_FULL, CLOSED,
   * LOCK_LOST. With `transforms` it goes through them a mebibyte at a time, or `maxFileSize` where that is less: CODEC where one fails,
   * RECORD_TOO_LARGE also where they make more than that of it.
   */
  writeStream(source: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<number>;
  /**
   * Writes and deletes records together: all of it happens or nothing does, whatever dies or fails, and nobody ever sees a part of it.
   * `work` is called at once and says what is to be done; it is over when it returns. Resolves with the indexes of its writes, which
   * are consecutive, in the order in which they were said: when all is on the device or, under `written`, in the system's cache. What is
   * to be deleted and is not there counts as deleted. One that says nothing is `[]` and does nothing.
   *
   * Rejects with what `work` throws; INVALID_OPTION (also where `work` returns a promise); RECORD_TOO_LARGE where it does not fit into one
   * file; STORE_FULL, DISK_FULL, LOCK_LOST. Nothing happened then. May be called at any time, beside anything else.
   */
  transaction(work: (tx: StoreTransaction) => void): Promise<number[]>;
  /** A record's bytes, a copy; the oldest there is without an index; undefined where it is gone or never was. CORRUPT. */
  read(index?: number): Promise<Uint8Array | undefined>;
  /**
   * A record's bytes, piece by piece, each checked before it is handed out; undefined where it is gone or never was. It holds a file
   * open until it has ended or is cancelled, so it goes on though the record is deleted; the store's `close` ends it with CLOSED. CORRUPT
   * ends it where a piece is damaged, CODEC where it cannot be undone or is not the one that was written there. Rejects with CODEC where
   * one of its transforms is not among the store's.
   */
  readStream(index: number): Promise<ReadableStream<Uint8Array> | undefined>;
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
  /**
   * Copies the store, as it is at one moment between the call and its answer, into a directory that has no files of a store with this
   * prefix; what is missing of its path is created. Everybody goes on working meanwhile; what comes behind that moment is not in the
   * copy. It has the same id and way of locking, and nobody has a claim in it. When the promise resolves all of it is on the device; before
   * that, or where it rejects, there is no store there. Files that never change are shared with the copy by hard links where both are on
   * one file system.
   *
   * Rejects with INVALID_OPTION where files of a store are there; DISK_FULL, STORE_FAILED (this store is unharmed by what goes wrong
   * there), LOCK_UNAVAILABLE; CLOSED where the store is closed meanwhile.
   */
  copyTo(directory: string): Promise<void>;
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

/** What the function of a transaction says it with. Both throw CLOSED once that function has returned. */
export interface StoreTransaction {
  /** Appends a record, of which it keeps a copy. INVALID_OPTION. */
  write(data: Uint8Array, options?: { headers?: Record<string, string> | undefined }): void;
  /** Deletes a record that was there before the transaction. INVALID_OPTION. */
  delete(index: number): void;
}
