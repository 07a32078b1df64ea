import t from 'tap';
import { document, rowsOf } from './documents.js';

t.test('each thing that is said of this library is shown somewhere, or is a no', async (t) => {
  const rows = rowsOf(document('docs/comparison.md'));
  const said = rows.filter(([what]) => what !== '');
  t.ok(said.length > 30);
  for (const [what = '', ours = ''] of said) {
    t.ok(/\]\((\.\.\/|[\w-]+\.md)/.test(ours) || /^no($|\b)/.test(ours), `${what}: ${ours}`);
  }
});
