import type { Result } from './cell.js';

/** Of a table with more rows than this, only the first column. */
const MANY_ROWS = 12;

/** What the chart of a group shows: nothing where there is nothing to compare with. */
export function drawn(results: readonly Result[], group: string): Result[] {
  return results
    .filter((result) => result.group === group)
    .filter(
      ({ table, contestants: { length } }, at, all) =>
        length > 1 && (length <= MANY_ROWS || all.findIndex((other) => other.table === table) === at),
    );
}
