import type { Store } from '../store/contract.js';
import type { Entry } from '../store/entries.js';
import type { StoreOptions } from '../store/options.js';
import type { WaitOptions } from '../store/wait-options.js';
import type { WriteOptions } from '../store/write-options.js';

/** Those of the stores that partitions are; all but `locking` belong to this opener. */
export interface LogOptions extends Omit<StoreOptions, 'filePrefix'> {
  /** How many partitions a new topic has. Default 8, at most 1024. */
  partitions?: number | undefined;
}

export interface TopicOptions {
  /** How many partitions a new topic has; of one that is there it has to be as many as it has. Default: those of the log. */
  partitions?: number | undefined;
}

export interface AppendOptions extends WriteOptions {
  /** Records of one key are in one partition, in the order in which they were appended. Without one the partitions take turns. */
  key?: string | undefined;
}

/** Topics in a directory. Every method may be called at any time; all but `close` reject with CLOSED after `close`. */
export interface Log extends AsyncDisposable {
  /**
   * Opens a topic, creating it if it is missing: it is on the device then. The same one as long as the log is open. INVALID_OPTION for a
   * name that cannot be, that differs from another topic's by case alone, or another number of partitions than it has.
   */
  topic(name: string, options?: TopicOptions): Promise<Topic>;
  /** The names of all topics, sorted. */
  topics(): Promise<string[]>;
  /**
   * Removes a topic with everything in it, having closed what is open of it here; false where there is none. LOCK_UNAVAILABLE where
   * another opener has it open; where the system has no locks that can be trusted nobody can see that: see to it.
   */
  removeTopic(name: string): Promise<boolean>;
  /** Closes everything that was opened through it. Idempotent; who waits gets CLOSED. */
  close(): Promise<void>;
}

/** Records in a fixed number of partitions, each of which is a store. Order is kept within a partition. */
export interface Topic {
  readonly name: string;
  /** How many there are: they are numbered from 0. It never changes. */
  readonly partitions: number;
  /** Writes a record, as `Store.write` does; resolves with where it is. */
  append(data: Uint8Array, options?: AppendOptions): Promise<{ partition: number; index: number }>;
  /**
   * The store of a partition, opened when it is first asked for, and open as long as the log: its own `close` only syncs. CLOSED where the
   * topic was removed.
   */
  partition(number: number): Promise<Store>;
  /**
   * Joins a group: its living members, in however many processes, share the partitions out, each of which one of them has at a time. What a
   * group has done is kept for it: in each partition, by the named consumer of the group's name.
   */
  group(name: string): Promise<GroupMember>;
}

/**
 * One member of a group. Records come at least once, and in order within a partition: what a member had not committed comes again, to
 * whoever has the partition next.
 *
 * A partition is given up to a member that joined between calls alone: when nothing of it is in hand, that is everything returned of it
 * was committed; or else at the next `next` or `nextMany` after a second. Whoever dies gives his up at once, with lock files after some
 * seconds. Keep calling, for who neither calls nor dies keeps what he has.
 */
export interface GroupMember extends AsyncDisposable {
  /** The partitions that it has now, sorted. */
  readonly assigned: readonly number[];
  /** The next record of any of its partitions, in turns; undefined where there is none within `waitMs`. CORRUPT, CLOSED, `signal.reason`. */
  next(options?: WaitOptions): Promise<(Entry & { partition: number }) | undefined>;
  /** Up to `max` of one partition, as soon as there is one. */
  nextMany(max: number, options?: WaitOptions): Promise<(Entry & { partition: number })[]>;
  /**
   * Everything returned so far of the partitions that it has still is done: whoever has them next goes on behind it. What was returned of one
   * that it has no more comes again, to somebody else. Resolves as `Consumer.commit` does. LOCK_LOST
   * where, with lock files, this process slept and another member has a partition by now.
   */
  commit(): Promise<void>;
  /** Tells of partitions that this member has or has no more; returns its removal. */
  on(event: 'assigned' | 'revoked', listener: (partitions: readonly number[]) => void): () => void;
  /** Leaves the group. Nothing is committed. Idempotent; who waits gets CLOSED. */
  close(): Promise<void>;
}
