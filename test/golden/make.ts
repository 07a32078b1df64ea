import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { repository } from '../support/repository.js';
import { encodeDump, type Files } from './dump.js';
import { examine, putFiles } from './examine.js';
import { scenes } from './scenes.js';

/*
 * Writes golden directories, and what opening them gives now: to be run by hand, and read with care before it is checked in.
 * One that is there is left as it is, for ever; see README.md.
 */

const golden = join(repository, 'test', 'golden');

async function make(name: string, files: Files): Promise<void> {
  const place = join(golden, name);
  if (existsSync(place)) return;
  const directory = await mkdtemp(join(tmpdir(), 'durostore-golden-'));
  try {
    await putFiles(directory, files);
    const expected = await examine(directory);
    await mkdir(place);
    await writeFile(join(place, 'directory.txt'), encodeDump(files));
    await writeFile(join(place, 'expected.json'), `${JSON.stringify(expected, undefined, 2)}\n`);
    console.log(`made ${relative(repository, place)}`);
  } finally {
    await rm(directory, { recursive: true });
  }
}

for (const [name, scene] of Object.entries(scenes)) await make(name, await scene());
