import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { damage, durostore, linesOf } from './command-line.js';

const contents = (directory: string): [string, string][] =>
  readdirSync(directory)
    .sort()
    .map((name) => [name, readFileSync(join(directory, name)).toString('latin1')]);

t.test('repair', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.writeMany(['one', 'two', 'three'].map((text) => Buffer.from(text)));
  await store.close();

  const idle = await durostore(['repair', directory]);
  t.same({ code: idle.code, stderr: idle.stderr }, { code: 0, stderr: '' });
  t.match(idle.stdout, /^ok: 3 whole records, /);

  damage(directory, 'two');
  const holder = await openStore({ directory });
  const before = contents(directory);
  const refused = await durostore(['repair', directory, '--json']);
  t.same(
    { code: refused.code, stdout: refused.stdout },
    { code: 2, stdout: '' },
    'while somebody has it open',
  );
  t.match(JSON.parse(refused.stderr), { error: { code: 'LOCK_UNAVAILABLE' } });
  t.same(contents(directory), before);
  await holder.close();

  const done = await durostore(['repair', directory]);
  t.same({ code: done.code, stderr: done.stderr }, { code: 1, stderr: '' }, 'something was found');
  const lines = linesOf(done.stdout);
  t.match(lines[1], /^damage +yes +duro_00000000000000000001\.dat +71 +39 +2 +bytes in the midst/);
  t.match(lines.at(-1), /^ok: 2 whole records, /);
  t.equal((await durostore(['verify', directory])).code, 0, 'and is mended');
  t.equal((await durostore(['dump', directory])).code, 0);
});
