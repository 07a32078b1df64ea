import type { Entry } from './entries.js';
import type { WaitOptions } from './wait-options.js';

export interface ConsumerOptions {
  /**
   * Where a new consumer begins: an index, at most `nextIndex()`; `'first'` (default): the oldest record; `'next'`: only what comes;
   * negative: the last n; a date: the first that was written then or later. One that is there goes on behind what it has committed.
   */
  from?: number | 'first' | 'next' | Date | undefined;
  /** Nobody else may have it open meanwhile. Default false. */
  exclusive?: boolean | undefined;
}

/**
 * A position in a store, kept under a name, and whoever has it open. Several holders, in however many processes, share nothing but
 * the position: each of them gets every record that was not committed when it opened it, in order.
 *
 * Every method may be called at any time, also while others run. All but `close` reject with CLOSED after `close`, after the
 * store was closed and after the consumer was removed; with LOCK_LOST where, with lock files, this process slept, and somebody
 * else has it open by now in a way that excludes this one.
 */
export interface Consumer extends AsyncDisposable {
  readonly name: string;
  /**
   * The next record there is behind the last one that was returned here; undefined where there is none within `waitMs`. What was
   * deleted, or went by retention, is passed over. CORRUPT where the next one is damaged: `seek` goes on behind it.
   */
  next(options?: WaitOptions): Promise<Entry | undefined>;
  /** As many as are there, `max` at most, as soon as there is one; `[]` where there is none within `waitMs`. */
  nextMany(max: number, options?: WaitOptions): Promise<Entry[]>;
  /**
   * Everything up to the index is done; without one, everything up to the last record that was returned here since it was opened, or
   * sought. Whoever opens the consumer goes on behind it, and `retention.consumed` may drop it. Resolves when that is on the device or,
   * in a store with `durability: 'written'`, in the system's cache. What is less than was committed before, by whomever, changes
   * nothing. INVALID_OPTION for an index that no record has had yet.
   */
  commit(index?: number): Promise<void>;
  /**
   * Goes on there, forwards or backwards, and commits everything before it and nothing from it on, as `commit` does. Others that
   * have it open read on where they are. INVALID_OPTION for an index beyond `nextIndex()`.
   */
  seek(to: number | 'first' | 'next' | Date): Promise<void>;
  /** How many records there are behind what was committed, by whomever. */
  lag(): Promise<number>;
  /** Gives it back: it counts as a holder no more. What was not committed is for who opens it next. Idempotent; who waits gets CLOSED. */
  close(): Promise<void>;
}

export interface ConsumerInfo {
  name: string;
  /** Everything up to it is done; 0: nothing is. */
  committed: number;
  /** Records there are behind it. */
  lag: number;
  /** How many have it open, in all processes. With lock files one that died counts for some seconds. */
  holders: number;
}
