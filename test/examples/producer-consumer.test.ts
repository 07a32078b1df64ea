import { readdirSync } from 'node:fs';
import t from 'tap';
import type { Facts } from '../../examples/producer-consumer/inventory.js';
import { differences } from '../../examples/producer-consumer/summary.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const folder = 'examples/producer-consumer';

t.test('the whole example: a consumer is killed, and the inventory is right', async (t) => {
  const scratch = await temporaryDirectory(t);
  const program = startProgram(t, `${folder}/main.js`, { env: { TMPDIR: scratch, TEMP: scratch } });
  const end = await program.ended(100_000);
  t.same(end, { code: 0, signal: null }, program.stderr);
  const lines = program.stdout.trimEnd().split('\n');
  t.equal(lines.at(-1), 'equal, each package once');
  t.match(program.stdout, /consumer \d: killed while it held/);
  t.same(readdirSync(scratch), [], 'it leaves nothing behind');
});

t.test('interrupted, it stops its children and leaves nothing behind', async (t) => {
  const scratch = await temporaryDirectory(t);
  const program = startProgram(t, `${folder}/main.js`, { env: { TMPDIR: scratch, TEMP: scratch } });
  await program.line((line) => line.startsWith('producer 1:'));
  process.kill(program.pid, 'SIGINT');
  t.same(await program.ended(), { code: 1, signal: null });
  t.match(program.stderr, /interrupted/);
  t.same(readdirSync(scratch), []);
});

t.test('the programs to copy: what one enqueues the other does, the killed one too', async (t) => {
  const directory = await temporaryDirectory(t);
  const producer = startProgram(t, `${folder}/producer.js`, { args: [directory] });
  await producer.line((line) => line.startsWith('enqueued job 2 as message 2'));
  await producer.kill();
  const first = startProgram(t, `${folder}/consumer.js`, { args: [directory] });
  await first.line((line) => line === `doing job 1 of process ${producer.pid}, attempt 1`);
  const second = startProgram(t, `${folder}/consumer.js`, { args: [directory] });
  await second.line((line) => line.startsWith('doing job 2 '));
  await first.kill();
  await second.line((line) => line === `doing job 1 of process ${producer.pid}, attempt 2`);
  process.kill(second.pid, 'SIGINT');
  t.same(await second.ended(), { code: 0, signal: null }, 'Ctrl-C ends it in order');
});

t.test('differences between two inventories are told', async (t) => {
  const facts = (path: string, bytes: number): Facts => ({
    path,
    name: path,
    version: '1.0.0',
    licence: 'MIT',
    files: 1,
    bytes,
    digest: 'd',
  });
  t.same(differences([facts('a', 1), facts('b', 2)], [facts('b', 2), facts('a', 1)]), []);
  t.same(differences([facts('a', 1), facts('c', 3)], [facts('a', 2), facts('b', 2)]), [
    'a differs',
    'b is missing',
    'c does not exist',
  ]);
});
