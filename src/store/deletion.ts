import type { Engine } from './engine.js';

/** Deletes records in one decision; resolves with how many were there, when that is on the device where asked. */
export async function deleteRecords(engine: Engine, indexes: readonly number[]): Promise<number> {
  engine.assertUsable();
  if (indexes.length === 0) return 0;
  const sorted = [...new Set(indexes)].sort((a, b) => a - b);
  const deleted = await engine.decider.decide((facts) => {
    engine.tail.catchUp();
    let count = 0;
    let from = 0;
    let to = 0;
    for (const index of sorted) {
      if (!engine.has(index)) continue;
      count += 1;
      if (index === to) {
        to += 1;
        continue;
      }
      if (to > from) facts.gone(from, to);
      from = index;
      to = index + 1;
    }
    if (to > from) facts.gone(from, to);
    return count;
  }, engine.durable);
  for (const index of sorted) engine.sweeper.check(index);
  return deleted;
}
