import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from './cell.js';
import { chart } from './charts.js';
import { documentOf } from './document.js';
import { chartFile, groups } from './groups.js';
import type { Report } from './report.js';
import { root } from './root.js';

const MANY_ROWS = 12;
const folder = join(root, 'docs', 'benchmarks');
const figuresFile = join(folder, 'figures.json');

/** The run that docs/benchmarks.md tells of. */
export const published = (): Report => JSON.parse(readFileSync(figuresFile, 'utf8'));

/** Of a table with many rows only the first column is drawn; and nothing where there is nothing to compare with. */
function drawn(results: readonly Result[]): Result[] {
  return results.filter(
    ({ table, contestants: { length } }, at) =>
      length > 1 && (length <= MANY_ROWS || results.findIndex((other) => other.table === table) === at),
  );
}

/** Makes a run the one that docs/ tells of: its figures, its charts and the page. */
export async function publish(report: Report): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(figuresFile, `${JSON.stringify(report, null, 2)}\n`);
  for (const { key, sorted } of groups) {
    const results = report.results.filter(({ group }) => group === key);
    if (results.length > 0) writeFileSync(join(folder, chartFile(key)), await chart(drawn(results), sorted));
  }
  writeFileSync(join(root, 'docs', 'benchmarks.md'), documentOf(report));
}
