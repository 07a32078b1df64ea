import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './charts.js';
import { documentOf } from './document.js';
import { drawn } from './drawn.js';
import { chartFile, groups } from './groups.js';
import type { Report } from './report.js';
import { root } from './root.js';

const folder = join(root, 'docs', 'benchmarks');
const figuresFile = join(folder, 'figures.json');

/** The run that docs/benchmarks.md tells of. */
export const published = (): Report => JSON.parse(readFileSync(figuresFile, 'utf8'));

/** Makes a run the one that docs/ tells of: its figures, its charts and the page. */
export async function publish(report: Report): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(figuresFile, `${JSON.stringify(report, null, 2)}\n`);
  for (const { key, sorted } of groups) {
    const results = drawn(report.results, key);
    if (results.length > 0) writeFileSync(join(folder, chartFile(key)), await chart(results, sorted));
  }
  writeFileSync(join(root, 'docs', 'benchmarks.md'), documentOf(report));
}
