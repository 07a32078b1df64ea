import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import t from 'tap';
import { violations } from './support/architecture.js';
import { repository } from './support/repository.js';

function check(path: string, text: string): string[] {
  return violations(new Map([[path, text]]));
}

t.test('the imports of src go downwards, and only disk touches the file system', async (t) => {
  const folder = join(repository, 'src');
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  t.ok(paths.length > 0, 'sources were found');
  const sources = new Map(
    paths.map((path) => [path.split(sep).join('/'), readFileSync(join(folder, path), 'utf8')] as const),
  );
  t.same(violations(sources), []);
});

t.test('the check finds what it is for', async (t) => {
  t.same(check('store/store.ts', "import type { Disk } from '../disk/disk.js';"), [], 'downwards is fine');
  t.same(check('store/store.ts', "import { a } from './sub/a.js';"), [], 'inside a folder is fine');
  t.same(check('store/store.ts', "import PQueue from 'p-queue';"), [], 'a package is fine');
  t.same(check('disk/os.ts', "import { openSync } from 'node:fs';"), [], 'disk may touch the file system');
  t.same(check('mod.ts', "export { a } from './queue/a.js';"), [], 'mod.ts sees everything');

  t.same(
    check('cli/a.ts', "import { a } from '../mod.js';"),
    [],
    'the command line sees the public contract',
  );
  t.same(
    check('cli/commands/a.ts', "import { a } from '../../disk/bare-files.js';"),
    [],
    'and what it compares with',
  );
  for (const within of ['../store/store.js', '../errors.js', '../disk/os.js'])
    t.same(check('cli/a.ts', `import { a } from '${within}';`), [
      `cli/a.ts: imports ${within}, past the public contract`,
    ]);
  t.same(check('mod.ts', "export { a } from './cli/a.js';"), ['mod.ts: imports ./cli/a.js, upwards']);

  const upward = ['store/store.ts: imports ../queue/queue.js, upwards'];
  for (const form of [
    "import { a } from '../queue/queue.js';",
    "import type { A } from '../queue/queue.js';",
    "import { type A } from '../queue/queue.js';",
    "import '../queue/queue.js';",
    "export * from '../queue/queue.js';",
    "export type { A } from '../queue/queue.js';",
    "const a = await import('../queue/queue.js');",
    "export type A = import('../queue/queue.js').A;",
  ]) {
    t.same(check('store/store.ts', form), upward, form);
  }
  t.same(check('errors.ts', "import './clock.js';"), ['errors.ts: imports ./clock.js, sideways']);
  t.same(check('lock/os.ts', "import '../frame/frame.js';"), [
    'lock/os.ts: imports ../frame/frame.js, sideways',
  ]);
  t.same(check('segment/a/b.ts', "import '../../journal/c.js';"), [
    'segment/a/b.ts: imports ../../journal/c.js, sideways',
  ]);
  t.same(check('disk/os.ts', "import '../mod.js';"), ['disk/os.ts: imports ../mod.js, upwards']);
  t.same(check('queue/a.ts', "import 'durostore';"), [
    'queue/a.ts: imports durostore, which stands above everything',
  ]);
  for (const name of ['node:fs', 'fs', 'node:fs/promises', 'fs/promises', 'graceful-fs']) {
    t.same(check('lock/os.ts', `import x from '${name}';`), [
      `lock/os.ts: imports ${name}, which only 'disk' may`,
    ]);
  }
  t.same(check('util/a.ts', ''), ["util/a.ts: 'util' is not in the table of floors"]);
  t.same(check('helpers.ts', ''), ["helpers.ts: 'helpers.ts' is not in the table of floors"]);
  t.same(check('store/a.ts', "import '../util/a.js';"), [
    'store/a.ts: imports ../util/a.js, which is not in the table of floors',
  ]);
  t.same(check('store/a.ts', "import '../../test/support/until.js';"), [
    'store/a.ts: imports ../../test/support/until.js, which is not in the table of floors',
  ]);
});
