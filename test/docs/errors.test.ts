import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repository } from '../support/repository.js';
import { document } from './documents.js';

t.test('docs/errors.md has every code, and no other', async (t) => {
  const source = readFileSync(join(repository, 'src', 'errors.ts'), 'utf8');
  const [, union = ''] = /type ErrorCode =([^;]*);/.exec(source) ?? [];
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code);
  const headings = [...document('docs/errors.md').text.matchAll(/^## `(\w+)`$/gm)].map(([, code]) => code);
  t.ok(codes.length > 0);
  t.same(headings, codes);
});
