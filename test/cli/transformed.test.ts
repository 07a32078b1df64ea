import { randomBytes } from 'node:crypto';
import t from 'tap';
import { compress, encrypt, openQueue, openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { durostore, jsonLines } from './command-line.js';

t.test(
  'what is compressed is read, what is encrypted is told of as such, and what follows is read',
  async (t) => {
    const directory = await temporaryDirectory(t);
    const compressed = await openStore({ directory, transforms: [compress()] });
    await compressed.write(Buffer.from('long '.repeat(100)));
    await compressed.close();
    const encrypted = await openStore({ directory, transforms: [encrypt(randomBytes(32))] });
    await encrypted.write(Buffer.from('secret'));
    await encrypted.close();
    const plain = await openStore({ directory });
    await plain.write(Buffer.from('plain'));
    await plain.close();
    for (const command of ['dump', 'tail']) {
      const { code, stdout, stderr } = await durostore([command, directory, '--data-only']);
      t.equal(stdout, `${'long '.repeat(100)}\nplain\n`);
      t.equal(code, 1);
      t.match(stderr, /record 2 went through 'encrypt'/);
    }
    const verified = await durostore(['verify', directory]);
    t.equal(verified.code, 0, 'no key is needed to look it over');
  },
);

t.test('dequeue and dead', async (t) => {
  const directory = await temporaryDirectory(t);
  const encrypted = await openQueue({ directory, transforms: [encrypt(randomBytes(32))] });
  await encrypted.enqueue('secret', { headers: { kind: 'secret' } });
  await (await encrypted.claim())?.reject('no');
  await encrypted.close();
  const letters = await durostore(['dead', directory, '--json']);
  t.equal(letters.code, 0);
  t.match(jsonLines(letters.stdout), [
    { index: 1, reason: 'no', headers: { kind: 'secret' }, unreadable: /'encrypt'/ },
  ]);
  t.match((await durostore(['dead', directory])).stdout, /\tno\tunreadable: .*'encrypt'/);
  const compressed = await openQueue({ directory, transforms: [compress()] });
  await compressed.enqueue('long '.repeat(100));
  await compressed.close();
  const taken = await durostore(['dequeue', directory]);
  t.same(taken, { code: 0, stdout: `${'long '.repeat(100)}\n`, stderr: '' });
});
