import { Runs } from '../journal/runs.js';
import type { Engine } from './engine.js';

/** Deletes records in one decision; resolves with how many were there, when that is on the device where asked. */
export async function deleteRecords(engine: Engine, indexes: readonly number[]): Promise<number> {
  engine.assertUsable();
  if (indexes.length === 0) return 0;
  // Without a function that compares them: a quarter of a million takes 15 ms instead of 90.
  const sorted = Float64Array.from(indexes).sort();
  const deleted = await engine.decider.decide((facts) => {
    engine.tail.catchUp();
    let count = 0;
    const gone = new Runs((from, to) => facts.gone(from, to));
    let before = 0;
    for (const index of sorted) {
      if (index === before || !engine.has(index)) continue;
      before = index;
      count += 1;
      gone.add(index);
    }
    gone.end();
    return count;
  }, engine.durable);
  // Once for each segment.
  let next = 0;
  for (const index of sorted) {
    if (index < next) continue;
    engine.sweeper.check(index);
    next = engine.tail.segments.after(index) ?? Number.POSITIVE_INFINITY;
  }
  return deleted;
}
