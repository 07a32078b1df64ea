import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encrypt, openQueue, openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { durostore, jsonLines } from './command-line.js';

t.test('copy: everything is in the copy, while others work in the store', async (t) => {
  const directory = await temporaryDirectory(t);
  const to = join(await temporaryDirectory(t), 'made', 'here');
  const queue = await openQueue<string>({ directory, maxFileSize: 2048 });
  for (let n = 1; n <= 40; n++) await queue.enqueue(`${n}`.padEnd(100), { priority: n % 3, id: `id ${n}` });
  await queue.store.delete([2, 3]);
  const { stdout: whole } = await durostore(['export', directory]);
  const { code, stdout, stderr } = await durostore(['copy', directory, to]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.equal(stdout, `38 records copied to ${to}, where the next index is 41\n`);
  await queue.enqueue('later');
  t.equal((await durostore(['export', to])).stdout, whole);
  t.equal((await durostore(['verify', to])).code, 0);
  const copy = await openQueue<string>({ directory: to });
  t.equal(await copy.enqueue('again', { id: 'id 7' }), 7, 'ids are known there');
  t.equal((await copy.dequeue())?.trim(), '5', 'and so is the order');
  await copy.close();
  await queue.close();
});

t.test('copy: what it does is told as JSON', async (t) => {
  const directory = await temporaryDirectory(t);
  const to = join(await temporaryDirectory(t), 'copy');
  const keys = { id: 'a', key: Buffer.alloc(32, 1) };
  const store = await openStore({ directory, filePrefix: 'mail', transforms: [encrypt(keys)] });
  await store.writeMany(['one', 'two'].map((text) => Buffer.from(text)));
  await store.close();
  const { code, stdout, stderr } = await durostore(['copy', directory, to, '--prefix', 'mail', '--json']);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.same(jsonLines(stdout), [{ records: 2, nextIndex: 3, directory: to }]);
  const copy = await openStore({ directory: to, filePrefix: 'mail', transforms: [encrypt(keys)] });
  t.equal(Buffer.from((await copy.read(2)) ?? []).toString(), 'two', 'encrypted as it was');
  await copy.close();
});

t.test('copy: nothing is copied where a store is, or where none can be', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.write(Buffer.from('one'));
  await store.close();
  const taken = await temporaryDirectory(t);
  await durostore(['copy', directory, taken]);
  const before = readdirSync(taken).sort();
  const again = await durostore(['copy', directory, taken]);
  t.same([again.code, again.stdout], [2, '']);
  t.match(again.stderr, /^durostore: INVALID_OPTION: directory: .*without files of a store/);
  t.same(readdirSync(taken).sort(), before);
  const itself = await durostore(['copy', directory, directory, '--json']);
  t.equal(itself.code, 2);
  t.match(jsonLines(itself.stderr), [{ error: { code: 'INVALID_OPTION' } }]);
  const file = join(await temporaryDirectory(t), 'file');
  writeFileSync(file, 'no directory');
  t.equal((await durostore(['copy', directory, join(file, 'x')])).code, 2);
  const beside = await temporaryDirectory(t);
  mkdirSync(join(beside, 'other'));
  t.equal((await durostore(['copy', directory, beside])).code, 0, 'other names are in nobody’s way');
});
