import { readdirSync } from 'node:fs';
import t from 'tap';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('each tick is one message and one run, though a process is killed in one', async (t) => {
  const scratch = await temporaryDirectory(t);
  const program = startProgram(t, 'examples/scheduled-job/main.js', {
    env: { TMPDIR: scratch, TEMP: scratch },
  });
  t.same(await program.ended(100_000), { code: 0, signal: null }, program.stderr);
  const lines = program.stdout.trimEnd().split('\n');
  t.same(lines.slice(-3), ['each tick is one message', 'each run was done once', 'unscheduled: true']);

  const killed = lines.filter((line) => / is killed$/.test(line));
  t.match(killed, [/^[AB] begins run 4, and is killed$/]);
  t.equal(killed.length, 1);
  const done = lines.flatMap((line) => {
    const [, run, attempt] = /^[AB] has done run (\d+), attempt (\d+)$/.exec(line) ?? [];
    return run === undefined ? [] : [[Number(run), Number(attempt)]];
  });
  const first = done.filter(([run = 0]) => run <= 10).sort(([a = 0], [b = 0]) => a - b);
  t.same(
    first,
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((run) => [run, run === 4 ? 2 : 1]),
  );
  t.same(readdirSync(scratch), [], 'it leaves nothing behind');
});
