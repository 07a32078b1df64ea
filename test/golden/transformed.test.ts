import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { compress, encrypt, openStore } from '../../src/mod.js';
import { repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { decodeDump } from './dump.js';
import { putFiles } from './examine.js';
import { goldenKey } from './scenes.js';

t.test('what a released program has transformed is undone', async (t) => {
  const directory = await temporaryDirectory(t);
  const dump = await readFile(join(repository, 'test', 'golden', 'transformed', 'directory.txt'), 'utf8');
  await putFiles(directory, decodeDump(dump));
  const store = await openStore({ directory, transforms: [compress(), encrypt(goldenKey)] });
  const seen: string[] = [];
  for await (const { data } of store.entries()) seen.push(Buffer.from(data).toString());
  await store.close();
  const long = 'again and '.repeat(20);
  t.same(seen, [
    'plain',
    `gzip: ${long}`,
    `brotli: ${long}`,
    'short',
    'secret',
    `both: ${long}`,
    'plain again',
  ]);
});
