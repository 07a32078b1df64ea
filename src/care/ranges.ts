import type { IndexSet } from '../journal/index-set.js';
import { Runs } from '../journal/runs.js';
import type { Range } from './report.js';

/** What of `[from, to)` is not in the set. */
export function absentIn(set: IndexSet, from: number, to: number): Range[] {
  const ranges: Range[] = [];
  const runs = new Runs((start, end) => ranges.push({ from: start, to: end }));
  for (let index = set.firstAbsent(from); index < to; index = set.firstAbsent(index + 1)) runs.add(index);
  runs.end();
  return ranges;
}

/** One range over all of them; undefined where there are none. They are in order. */
export function span(ranges: readonly Range[]): Range | undefined {
  const first = ranges[0];
  const last = ranges[ranges.length - 1];
  return first && last && { from: first.from, to: last.to };
}

export const count = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from, 0);
