import { readdirSync } from 'node:fs';
import t from 'tap';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const names = ['landscape', 'portrait', 'square', 'strip', 'small'];

t.test('thumbnails have the right sizes, and another process saw each job come to its end', async (t) => {
  const scratch = await temporaryDirectory(t);
  const program = startProgram(t, 'examples/thumbnails/main.js', {
    env: { TMPDIR: scratch, TEMP: scratch },
  });
  t.same(await program.ended(100_000), { code: 0, signal: null }, program.stderr);
  const lines = program.stdout.trimEnd().split('\n');
  t.same(
    lines.filter((line) => !line.endsWith('%')),
    [
      '5 pictures to make smaller',
      'thumbnails:',
      '  landscape: 800 × 450 became 96 × 54',
      '  portrait: 480 × 640 became 72 × 96',
      '  square: 500 × 500 became 96 × 96',
      '  strip: 1200 × 90 became 96 × 7',
      '  small: 64 × 32 became 64 × 32',
    ],
  );
  const told = new Map<string, number[]>(names.map((name) => [name, []]));
  for (const line of lines) {
    const [, name = '', percent] = /^ {2}(\w+)-thumbnail\.png: (\d+) %$/.exec(line) ?? [];
    told.get(name)?.push(Number(percent));
  }
  for (const [name, percents] of told) {
    t.same(
      percents,
      [25, 50, 75, 100].filter((percent) => percents.includes(percent)),
      `${name}: forwards, and none twice`,
    );
    t.equal(percents.at(-1), 100, `${name}: to its end`);
  }
  t.same(readdirSync(scratch), [], 'it leaves nothing behind');
});
