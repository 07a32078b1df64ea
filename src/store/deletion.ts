import { Runs } from '../journal/runs.js';
import type { Engine } from './engine.js';

/** Deletes records in one decision; resolves with how many were there, when that is on the device where asked. */
export async function deleteRecords(engine: Engine, indexes: readonly number[]): Promise<number> {
  engine.assertUsable();
  if (indexes.length === 0) return 0;
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const deleted = await engine.decider.decide((facts) => {
    engine.tail.catchUp();
    let count = 0;
    const gone = new Runs((from, to) => facts.gone(from, to));
    for (const index of sorted) {
      if (!engine.has(index)) continue;
      count += 1;
      gone.add(index);
    }
    gone.end();
    return count;
  }, engine.durable);
  for (const index of sorted) engine.sweeper.check(index);
  return deleted;
}
