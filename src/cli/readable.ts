import { CorruptError, type Entry, type EntryRange, type Store } from '../mod.js';
import type { Session } from './session.js';

/** What was in the way of a walk. */
export interface Obstacles {
  damaged: number;
}

/** Records one by one. A damaged one is told of, counted and passed over; so are gaps, which are no damage, told of. */
export async function* readable(
  store: Store,
  range: EntryRange,
  { notes, signal }: Session,
  obstacles: Obstacles,
): AsyncGenerator<Entry, undefined> {
  let { from, limit } = range;
  const onGap = ({ from, to }: { from: number; to: number }): void =>
    notes.note(`records ${from} to ${to - 1} are not there any more`, { gap: { from, to } });
  for (;;) {
    try {
      for await (const entry of store.entries({ ...range, from, limit, onGap, signal })) {
        yield entry;
        from = entry.index + 1;
        if (limit !== undefined) limit -= 1;
      }
      return;
    } catch (error) {
      if (!(error instanceof CorruptError) || error.indexes === undefined) throw error;
      const next = error.indexes.to + 1;
      if (typeof from === 'number' && from > 0 && next <= from) throw error;
      notes.failure(error);
      obstacles.damaged += 1;
      from = next;
    }
  }
}
