import { CodecError, CorruptError, DurostoreError, type Entry, type EntryRange, type Store } from '../mod.js';
import type { Session } from './session.js';

/** What was in the way of a walk: records that are damaged, or cannot be decoded here. */
export interface Obstacles {
  damaged: number;
}

/** The record behind those that an error is about; undefined where it is about no record. */
function behind(error: unknown): number | undefined {
  if (error instanceof CorruptError) return error.indexes && error.indexes.to + 1;
  return error instanceof CodecError && error.index !== undefined ? error.index + 1 : undefined;
}

/**
 * What a walk in the order of indexes comes to. A record that is damaged, or cannot be decoded here, is told of, counted and passed over: the walk begins again
 * behind it. `from` is undefined at the beginning.
 */
export async function* passingOver<T extends { readonly index: number }>(
  walk: (from: number | undefined) => AsyncIterable<T>,
  { notes }: Session,
  obstacles: Obstacles,
): AsyncGenerator<T, undefined> {
  let from: number | undefined;
  for (;;) {
    try {
      for await (const one of walk(from)) {
        yield one;
        from = one.index + 1;
      }
      return;
    } catch (error) {
      const next = behind(error);
      if (!(error instanceof DurostoreError) || next === undefined) throw error;
      if (from !== undefined && next <= from) throw error;
      notes.failure(error);
      obstacles.damaged += 1;
      from = next;
    }
  }
}

/** Records one by one. Those that are damaged, or cannot be decoded here, are passed over; so are gaps, which are no damage, told of. */
export async function* readable(
  store: Store,
  range: EntryRange,
  session: Session,
  obstacles: Obstacles,
): AsyncGenerator<Entry, undefined> {
  const { notes, signal } = session;
  let { limit } = range;
  const onGap = ({ from, to }: { from: number; to: number }): void =>
    notes.note(`records ${from} to ${to - 1} are not there any more`, { gap: { from, to } });
  const walk = (from: number | undefined): AsyncIterable<Entry> =>
    store.entries({ ...range, from: from ?? range.from, limit, onGap, signal });
  for await (const entry of passingOver(walk, session, obstacles)) {
    // Counted before it is handed out: whoever stops there asks for no more.
    if (limit !== undefined) limit -= 1;
    yield entry;
  }
}
