import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compress, encrypt, openStore } from '../../src/mod.js';
import { repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { decodeDump } from './dump.js';
import { putFiles } from './examine.js';
import { goldenKey } from './scenes.js';

async function textsOf(t: Test, name: string): Promise<string[]> {
  const directory = await temporaryDirectory(t);
  const dump = await readFile(join(repository, 'test', 'golden', name, 'directory.txt'), 'utf8');
  await putFiles(directory, decodeDump(dump));
  const store = await openStore({ directory, transforms: [compress(), encrypt(goldenKey)] });
  const seen: string[] = [];
  for await (const { index, data } of store.entries()) {
    const parts: Uint8Array[] = [];
    for await (const part of (await store.readStream(index)) ?? []) parts.push(part);
    t.ok(Buffer.concat(parts).equals(data), 'as a stream, too');
    seen.push(Buffer.from(data).toString());
  }
  await store.close();
  return seen;
}

t.test('what a released program has transformed is undone', async (t) => {
  const long = 'again and '.repeat(20);
  t.same(await textsOf(t, 'transformed'), [
    'plain',
    `gzip: ${long}`,
    `brotli: ${long}`,
    'short',
    'secret',
    `both: ${long}`,
    'plain again',
  ]);
});

t.test('and what it has transformed piece by piece', async (t) => {
  const long = Array.from({ length: 30 }, (_, at) => `line ${at} of what is long; `).join('');
  t.same(await textsOf(t, 'transformed-streams'), [
    `gzip: ${long}`,
    `both: ${long}`,
    'short',
    `secret: ${long}`,
  ]);
});
