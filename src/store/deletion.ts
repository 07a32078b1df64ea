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
    for (const { from, to } of rangesThere(engine, sorted)) {
      facts.gone(from, to);
      count += to - from;
    }
    return count;
  }, engine.durable);
  sweepBehind(engine, sorted);
  return deleted;
}

/** What of the indexes, ascending, is there. */
const rangesThere = (engine: Engine, sorted: Iterable<number>): Range[] =>
  rangesOf(sorted, (index) => engine.has(index));

/**
 * What a batch has to say of the indexes, ascending, for them to be gone where it is on the device. ⚑ Also of what is gone already, by
 * facts or by a batch before it, as long as a power cut could bring that back, and keep this batch.
 */
export function rangesToCarry(engine: Engine, sorted: Iterable<number>): Range[] {
  const { journal, tail, fates } = engine;
  const batch = fates.unfolded.at(-1)?.number ?? 0;
  if (journal.fact <= journal.safe && batch - 1 <= tail.safe) return rangesThere(engine, sorted);
  return rangesOf(sorted, (index) => index >= 1 && index < tail.nextIndex);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function rangesOf(sorted: Iterable<number>, counts: (index: number) => boolean): Range[] {
  const ranges: Range[] = [];
  const runs = new Runs((from, to) => ranges.push({ from, to }));
  let before = 0;
  for (const index of sorted) {
    if (index === before || !counts(index)) continue;
    before = index;
    runs.add(index);
  }
  runs.end();
  return ranges;
}

/** Records of those indexes, ascending, may be gone: looks whether their segments can go, once for each. */
export function sweepBehind(engine: Engine, sorted: Iterable<number>): void {
  let next = 0;
  for (const index of sorted) {
    if (index < next) continue;
    engine.sweeper.check(index);
    next = engine.tail.segments.after(index) ?? Number.POSITIVE_INFINITY;
  }
}
