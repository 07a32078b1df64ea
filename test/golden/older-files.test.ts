import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openQueue, verify } from '../../src/mod.js';
import { repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { decodeDump } from './dump.js';
import { filesIn, putFiles } from './examine.js';

/** A directory as a program left it that knew no marks. */
async function older(t: Test, name: string): Promise<string> {
  const directory = await temporaryDirectory(t);
  const text = await readFile(join(repository, 'test', 'golden', name, 'directory.txt'), 'utf8');
  await putFiles(directory, decodeDump(text));
  return directory;
}

/** The features in the headers of the data files, by their names. */
async function features(directory: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [name, bytes] of Object.entries(Object.fromEntries(await filesIn(directory))))
    if (name.endsWith('.dat')) found[name] = Buffer.from(bytes).readUInt16LE(6);
  return found;
}

t.test('a marked record goes into a segment that announces it', async (t) => {
  const directory = await older(t, 'synced');
  const before = await features(directory);
  t.same([...new Set(Object.values(before))], [0]);
  const queue = await openQueue<Uint8Array>({ directory, codec: 'bytes' });
  const waiting = await queue.length();
  const plain = await queue.enqueue(Buffer.from('plain'));
  t.same(Object.keys(await features(directory)), Object.keys(before), 'one without marks needs none');
  t.equal(await queue.enqueue(Buffer.from('urgent'), { priority: 1 }), plain + 1);
  const after = await features(directory);
  for (const [name, bits] of Object.entries(after)) t.equal(bits, name in before ? 0 : 3, name);
  t.equal(Object.keys(after).length, Object.keys(before).length + 1);
  t.equal(Buffer.from((await queue.peek()) ?? []).toString(), 'urgent');
  t.equal(await queue.length(), waiting + 2);
  await queue.close();
  t.equal((await verify({ directory })).ok, true);
});

t.test('so it does where the older segment has no record yet, which is made to announce it', async (t) => {
  const directory = await older(t, 'empty');
  const queue = await openQueue<string>({ directory });
  t.equal(await queue.enqueue('urgent', { priority: 1 }), 1);
  t.equal(await queue.enqueue('plain'), 2);
  t.same(Object.values(await features(directory)), [3]);
  await queue.close();
  const again = await openQueue<string>({ directory });
  t.same(await again.flush(), ['urgent', 'plain']);
  await again.close();
  t.equal((await verify({ directory })).ok, true);
});
