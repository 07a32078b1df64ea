import type { StoredRecord } from '../segment/stored-record.js';
import { decodeHeaders, type Headers } from './headers.js';
import { callOptions, invalid, signalOption, waitOption, wholeNumber } from './options.js';
import { plainRecord } from './plain-record.js';
import type { Transforms } from './transforms.js';

/** A record as readers see it. `data` belongs to the caller. */
export interface Entry {
  index: number;
  time: Date;
  /** Bytes of `data`. */
  size: number;
  data: Uint8Array;
  headers: Headers;
}

export interface EntryRange {
  /**
   * Where to begin: an index; `'first'` (default): the oldest; `'next'`: only what comes; negative: the last n; a date: the first that
   * was written then or later.
   */
  from?: number | 'first' | 'next' | Date | undefined;
  /** Where to end, exclusive. A date: before what was written then or later; with `follow` also once the clock says so. */
  to?: number | Date | undefined;
  /** At most so many entries. */
  limit?: number | undefined;
  /** Wait for more at the end. Default false. */
  follow?: boolean | undefined;
  /** With `follow`: so many milliseconds without a new record end it cleanly. */
  waitMs?: number | undefined;
  /** Told when records below the oldest there is, or lost ones, were skipped; `to` is exclusive. */
  onGap?: ((gap: { from: number; to: number }) => void) | undefined;
  /** Ends it with a rejection of `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** CODEC where a transform of the record's is missing or fails, or its headers are none. */
export function toEntry(stored: StoredRecord, transforms: Transforms | undefined): Entry {
  const record = plainRecord(stored, transforms);
  return {
    index: record.index,
    time: new Date(record.time),
    size: record.payload.length,
    data: record.payload,
    headers: decodeHeaders(record.headers, record.index),
  };
}

const KNOWN = new Set(['from', 'to', 'limit', 'follow', 'waitMs', 'onGap', 'signal']);

/** INVALID_OPTION. */
export function checkRange(range: EntryRange): void {
  const { from, to, limit, follow, waitMs, onGap, signal } = callOptions(range, KNOWN);
  if (from !== undefined) checkStart('from', from);
  if (to instanceof Date) checkTime('to', to);
  else wholeNumber('to', to, 1, 0, Number.MAX_SAFE_INTEGER);
  wholeNumber('limit', limit === Number.POSITIVE_INFINITY ? undefined : limit, 1, 0, Number.MAX_SAFE_INTEGER);
  if (follow !== undefined && typeof follow !== 'boolean') throw invalid('follow', 'true or false', follow);
  waitOption(waitMs, 0);
  if (onGap !== undefined && typeof onGap !== 'function') throw invalid('onGap', 'a function', onGap);
  signalOption(signal);
}

/** Where reading begins: an index, the last n, the oldest, what comes, or a time. */
export type EntryStart = NonNullable<EntryRange['from']>;

/** INVALID_OPTION. */
export function checkStart(option: string, from: EntryStart): void {
  if (from instanceof Date) checkTime(option, from);
  else if (from !== 'first' && from !== 'next' && (!Number.isSafeInteger(from) || from === 0))
    throw invalid(option, "an index, 'first', 'next', a date or a negative number", from);
}

/** A time in milliseconds since the Unix epoch. INVALID_OPTION. */
export function checkTime(name: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && Number.isFinite(ms)) return ms;
  throw invalid(name, 'a date, or milliseconds since 1970', time);
}
