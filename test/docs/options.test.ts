import t from 'tap';
import { queueDefaults } from '../../src/queue/options.js';
import { storeDefaults } from '../../src/store/options.js';
import { document, rowsOf } from './documents.js';

/** The defaults by the names under which they are documented, as they are written there. */
function flattened(defaults: object, prefix = ''): [name: string, literal: string][] {
  return Object.entries(defaults).flatMap(([name, value]: [string, unknown]): [string, string][] => {
    if (typeof value === 'object' && value !== null) return flattened(value, `${prefix}${name}.`);
    return [[prefix + name, typeof value === 'string' ? `'${value}'` : String(value)]];
  });
}

t.test('docs/options.md gives the defaults that the code has', async (t) => {
  const rows = rowsOf(document('docs/options.md')).filter(({ length }) => length === 5);
  const documented = new Map(rows.map(([name = '', , value = '']) => [name, value]));
  const defaults = flattened({ ...storeDefaults, ...queueDefaults });
  for (const [name, literal] of defaults) {
    t.equal(documented.get(name)?.replace(/ \(.*\)$/, ''), literal, name);
  }
});
