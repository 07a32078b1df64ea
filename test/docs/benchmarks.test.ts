import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { documentOf } from '../../bench/document.js';
import { drawn } from '../../bench/drawn.js';
import { chartFile, groups } from '../../bench/groups.js';
import { published } from '../../bench/publish.js';
import { repository } from '../support/repository.js';
import { document } from './documents.js';

t.test('docs/benchmarks.md says what the figures say', async (t) => {
  const report = published();
  t.equal(document('docs/benchmarks.md').text, documentOf(report));
  for (const { key } of groups) {
    if (drawn(report.results, key).length > 0) {
      t.ok(existsSync(join(repository, 'docs', 'benchmarks', chartFile(key))), `the chart of ${key}`);
    }
  }
  const known = new Set(groups.map(({ key }) => key));
  t.same(
    report.results.filter(({ group }) => !known.has(group)).map(({ id }) => id),
    [],
    'no result is left out',
  );
});
