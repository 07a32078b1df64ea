import type { GoEntry } from './go-entries.js';

type Range = Pick<GoEntry, 'start' | 'finish'>;

/**
 * What entries that overlap have between them. ⚑ Two writers at once note the same place for different bytes, so nobody can tell
 * whose they are. `ranges`: each once.
 */
export function overlapping<T extends Range>(ranges: readonly T[]): Set<T> {
  const found = new Set<T>();
  let furthest: T | undefined;
  for (const range of inOrder(ranges)) {
    if (furthest !== undefined && range.start < furthest.finish) found.add(furthest).add(range);
    if (furthest === undefined || range.finish > furthest.finish) furthest = range;
  }
  return found;
}

/** The bytes of a file that none of them has. */
export function uncovered(ranges: readonly Range[], size: number): Range[] {
  const found: Range[] = [];
  let at = 0;
  for (const { start, finish } of [...inOrder(ranges), { start: size, finish: size }]) {
    if (start > at) found.push({ start: at, finish: start });
    at = Math.max(at, finish);
  }
  return found;
}

/** Those of no bytes have nothing that others could have. */
const inOrder = <T extends Range>(ranges: readonly T[]): T[] =>
  ranges.filter(({ start, finish }) => finish > start).sort((one, other) => one.start - other.start);
