import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { damagedOnPurpose } from '../support/consistency.js';
import { repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { decodeDump, encodeDump } from './dump.js';
import { complaints, type Examined, examine, filesIn, putFiles } from './examine.js';

const golden = join(repository, 'test', 'golden');

const directories = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

t.ok(directories.length >= 34, 'none has been taken away');

for (const name of directories) {
  t.test(`a directory of a released format: ${name}`, async (t) => {
    const text = await readFile(join(golden, name, 'directory.txt'), 'utf8');
    const files = decodeDump(text);
    t.equal(encodeDump(files), text, 'as text and as bytes');
    const expected = JSON.parse(
      await readFile(join(golden, name, 'expected.json'), 'utf8'),
    ) as Examined;
    const directory = await temporaryDirectory(t);
    damagedOnPurpose(directory);
    await putFiles(directory, files);
    const { verify, open } = await examine(directory);
    t.same(verify, expected.verify);
    t.same(open, expected.open);
    if ('code' in open && open.code === 'UNSUPPORTED_VERSION')
      t.same(await filesIn(directory), files, 'not a byte and not a name was changed');
    else if (!('code' in verify) && verify.ok && !('code' in open) && !name.startsWith('beside'))
      t.same(complaints(directory), [], 'sound by the eyes of another reader');
  });
}
