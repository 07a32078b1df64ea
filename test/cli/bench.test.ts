import { readdirSync } from 'node:fs';
import t from 'tap';
import { openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { durostore, linesOf, start } from './command-line.js';

const KINDS = [
  'enqueue, written',
  'enqueue, synced',
  'enqueueMany by 100, synced',
  'read in order',
  'dequeue, synced',
  'dequeueMany by 100, synced',
];

t.test('bench measures beside bare files, and leaves nothing behind', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await openStore({ directory })).close();
  const before = readdirSync(directory);
  const small = ['--messages', '200', '--size', '50', '--rounds', '1'];
  const asJson = await durostore(['bench', directory, '--json', ...small]);
  t.same({ code: asJson.code, stderr: asJson.stderr }, { code: 0, stderr: '' });
  const { results, ...about } = JSON.parse(asJson.stdout) as {
    results: { what: string; messages: number; durostore: number; bareFile: number; ratio: number }[];
  };
  t.same(about, { unit: 'microseconds a message', messages: 200, size: 50, rounds: 1 });
  t.same(
    results.map(({ what, messages }) => [what, messages]),
    KINDS.map((kind, at) => [kind, [200, 4, 200, 404, 4, 400][at]]),
  );
  for (const { what, durostore, bareFile, ratio } of results)
    t.ok(durostore > 0 && bareFile > 0 && Math.abs(ratio - durostore / bareFile) < 1e-9, what);

  const { code, stdout } = await durostore(['bench', directory, ...small]);
  t.equal(code, 0);
  const [about2, , head, ...rows] = linesOf(stdout);
  t.match(about2, /A rough look/);
  t.same(head?.split(/ {2,}/), ['WHAT', 'MESSAGES', 'DUROSTORE', 'BARE FILE', 'RATIO']);
  t.same(
    rows.map((row) => row.split(/ {2,}/)[0]),
    KINDS,
  );
  t.same(readdirSync(directory), before);
});

t.test('bench leaves nothing behind where it is interrupted', async (t) => {
  const directory = await temporaryDirectory(t);
  const program = start(t, 'bench', directory, '--rounds', '100000');
  await until('it has begun', () => readdirSync(directory).length > 0);
  process.kill(program.pid, 'SIGINT');
  t.same(await program.ended(60_000), { code: 130, signal: null });
  t.same(readdirSync(directory), []);
});
