import { LARGE_BYTES } from '../segment/large-read.js';
import type { StoredRecord } from '../segment/reader.js';
import type { Engine } from './engine.js';
import { decodeHeaders, type Headers } from './headers.js';
import { callOptions, invalid, notYet, signalOption, waitOption, wholeNumber } from './options.js';

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
  /** Where to begin: an index; `'first'` (default): the oldest; `'next'`: only what comes; negative: the last n. */
  from?: number | 'first' | 'next' | undefined;
  /** Where to end, exclusive. */
  to?: number | undefined;
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

export function toEntry(record: StoredRecord): Entry {
  return {
    index: record.index,
    time: new Date(record.time),
    size: record.payload.length,
    data: record.payload,
    headers: decodeHeaders(record.headers, record.index),
  };
}

/** The range's beginning is fixed here, so that `'next'` misses nothing that is written after the call returned. */
export function readEntries(engine: Engine, range: EntryRange): AsyncIterableIterator<Entry> {
  let start: number;
  try {
    engine.assertOpen();
    check(range);
    engine.catchUp();
    start = startOf(engine, range.from ?? 'first');
  } catch (error) {
    return failing(error);
  }
  return walk(engine, start, range);
}

async function* walk(engine: Engine, start: number, range: EntryRange): AsyncGenerator<Entry, undefined> {
  const { to = Number.POSITIVE_INFINITY, limit = Number.POSITIVE_INFINITY, signal } = range;
  let next = start;
  let given = 0;
  let quietSince = engine.clock.monotonic();
  while (given < limit && next < to) {
    signal?.throwIfAborted();
    engine.assertOpen();
    const seen = engine.indexer.version;
    if (next >= engine.tail.nextIndex) engine.catchUp();
    let record = readNext(engine, next, to, range.onGap);
    const slow = record && engine.slowly(record);
    if (slow !== undefined) {
      record = await slow;
      // It is gone by now: the search goes on behind it.
      if (record === undefined) continue;
    }
    if (record !== undefined) {
      next = record.index + 1;
      given += 1;
      yield toEntry(record);
      quietSince = engine.clock.monotonic();
      continue;
    }
    next = Math.max(next, Math.min(to, engine.tail.nextIndex));
    if (next >= to || !range.follow) return;
    const endsAt = range.waitMs === undefined ? Number.POSITIVE_INFINITY : quietSince + range.waitMs;
    if (engine.clock.monotonic() >= endsAt) return;
    await engine.indexer.beyond(seen, endsAt, signal);
  }
}

/** The first record there is in `[from, to)`; tells of gaps on the way. */
function readNext(
  engine: Engine,
  from: number,
  to: number,
  onGap: EntryRange['onGap'],
): StoredRecord | undefined {
  const { fates, tail } = engine;
  let index = from;
  while (index < to && index < tail.nextIndex) {
    const present = Math.min(fates.goneSet.firstAbsent(index), tail.nextIndex, to);
    if (present > index && onGap !== undefined) tellGaps(engine, index, present, onGap);
    if (present >= to || present >= tail.nextIndex) return undefined;
    const record = engine.readKnown(present, LARGE_BYTES);
    if (record !== undefined) return record;
    index = present + 1;
  }
  return undefined;
}

/** Records that somebody deleted in the middle are no gap; what was before the oldest, or lost, is. */
function tellGaps(
  engine: Engine,
  from: number,
  to: number,
  onGap: (gap: { from: number; to: number }) => void,
): void {
  const oldest = Math.min(engine.firstIndex, to);
  if (from < oldest) onGap({ from, to: oldest });
  if (engine.fates.lostSet.count === 0) return;
  let index = Math.max(from, oldest);
  while (index < to) {
    while (index < to && !engine.fates.lostSet.has(index)) index += 1;
    const begin = index;
    while (index < to && engine.fates.lostSet.has(index)) index += 1;
    if (index > begin) onGap({ from: begin, to: index });
  }
}

function startOf(engine: Engine, from: number | 'first' | 'next'): number {
  if (from === 'first') return engine.firstIndex;
  if (from === 'next') return engine.tail.nextIndex;
  if (from > 0) return from;
  let index = engine.tail.nextIndex;
  for (let left = -from; left > 0 && index > engine.firstIndex; ) {
    index -= 1;
    if (engine.has(index)) left -= 1;
  }
  return index;
}

const KNOWN = new Set(['from', 'to', 'limit', 'follow', 'waitMs', 'onGap', 'signal']);

function check(range: EntryRange): void {
  const { from, to, limit, follow, waitMs, onGap, signal } = callOptions(range, KNOWN);
  if ((from as unknown) instanceof Date || (to as unknown) instanceof Date) throw notYet('a range by time');
  if (
    from !== undefined &&
    from !== 'first' &&
    from !== 'next' &&
    (!Number.isSafeInteger(from) || from === 0)
  ) {
    throw invalid('from', "an index, 'first', 'next' or a negative number", from);
  }
  wholeNumber('to', to, 1, 0, Number.MAX_SAFE_INTEGER);
  wholeNumber('limit', limit === Number.POSITIVE_INFINITY ? undefined : limit, 1, 0, Number.MAX_SAFE_INTEGER);
  if (follow !== undefined && typeof follow !== 'boolean') throw invalid('follow', 'true or false', follow);
  waitOption(waitMs, 0);
  if (onGap !== undefined && typeof onGap !== 'function') throw invalid('onGap', 'a function', onGap);
  signalOption(signal);
}

/** Asynchronous methods reject, they never throw synchronously. */
function failing(error: unknown): AsyncIterableIterator<Entry> {
  const iterator: AsyncIterableIterator<Entry> = {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
