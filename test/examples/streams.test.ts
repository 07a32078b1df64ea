import { readdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** What an example prints. */
async function printed(t: Test, name: string): Promise<string[]> {
  const scratch = await temporaryDirectory(t);
  const program = startProgram(t, `examples/${name}/main.js`, { env: { TMPDIR: scratch, TEMP: scratch } });
  t.same(await program.ended(100_000), { code: 0, signal: null }, program.stderr);
  t.same(readdirSync(scratch), [], 'it leaves nothing behind');
  return program.stdout.trimEnd().split('\n');
}

t.test('the audit log shows what comes, and what was done in a time', async (t) => {
  t.same(await printed(t, 'audit-log'), [
    'seen    1 ada signed in',
    'seen    2 grace signed in',
    'seen    3 ada changed the price of 7',
    'seen    4 grace deleted 9',
    'seen    5 ada signed out',
    'between noon and evening:',
    '        3 ada changed the price of 7',
    '        4 grace deleted 9',
    'the last one:',
    '        5 ada signed out',
    'the first since the evening is 5',
  ]);
});

t.test('both followers of the change feed have every change, though one is killed', async (t) => {
  t.same(await printed(t, 'change-feed'), [
    'search is killed half-way, and started anew',
    'search has the prices that were written',
    'cache has the prices that were written',
    'cache: 5000 done, 0 to come',
    'search: 5000 done, 0 to come',
  ]);
});

t.test('every word is counted as often as it is there, though a counter is killed', async (t) => {
  t.same(await printed(t, 'word-count'), [
    'one of the three is killed, and another one joins',
    'every word was counted as often as it is there',
    'the word that is there most often: the',
  ]);
});
