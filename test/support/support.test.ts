import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startProgram } from './processes.js';
import { random, randomFrom } from './random.js';
import { checks, temporaryDirectory } from './temporary-directory.js';
import { until } from './until.js';

const echo = 'test/support/echo-child.js';

function isReady(message: unknown): message is 'ready' {
  return message === 'ready';
}

function isEcho(message: unknown): message is { echo: unknown } {
  return typeof message === 'object' && message !== null && 'echo' in message;
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

t.test('a program answers over IPC and by lines', async (t) => {
  const program = startProgram(t, echo, { args: ['a', 'b'] });
  t.equal(await program.line((line) => line.startsWith('arguments')), 'arguments a b');
  t.equal(
    await program.line((line) => line.startsWith('options')),
    process.platform === 'win32' ? 'options set' : 'options none',
    "without the runner's hooks",
  );
  await program.message(isReady);
  program.send(1);
  program.send(2);
  t.same(await program.message(isEcho), { echo: 1 });
  t.same(await program.message(isEcho), { echo: 2 });
  program.send('leave');
  t.same(await program.ended(), { code: 3, signal: null });
  t.equal(program.running, false);
  await t.rejects(program.message(isEcho), /exit code 3\)\nleft as told/, 'the end ends the waiting');
});

t.test('a program that stands still misses the deadline, and goes on', async (t) => {
  const program = startProgram(t, echo);
  await program.message(isReady);
  program.pause();
  program.send('hello');
  await t.rejects(program.message(isEcho, 100), /waited 100 ms/);
  program.resume();
  t.same(await program.message(isEcho), { echo: 'hello' });
  program.pause();
  await program.kill();
  t.same(
    await program.ended(),
    { code: null, signal: 'SIGKILL' },
    'a program that stands still can be killed',
  );
});

t.test('what a test started or made is gone when it ends, in the right order', async (t) => {
  let pid = 0;
  let directory = '';
  const seen: boolean[] = [];
  const check = (path: string): void => {
    seen.push(path === directory && existsSync(join(path, 'file')) && !alive(pid));
  };
  checks.push(check);
  await t.test('inner', async (t) => {
    directory = await temporaryDirectory(t);
    writeFileSync(join(directory, 'file'), '');
    const program = startProgram(t, echo);
    pid = program.pid;
    await program.message(isReady);
    t.ok(alive(pid));
  });
  checks.splice(checks.indexOf(check), 1);
  t.same(seen, [true], 'checked once, after the program and before the removal');
  t.notOk(existsSync(directory));
});

t.test('until', async (t) => {
  let looks = 0;
  t.equal(await until('the third look', () => ++looks === 3 && 'third'), 'third');
  await t.rejects(
    until('nothing', () => undefined, 20),
    /waited 20 ms for nothing/,
  );
  await t.rejects(
    until('a failure', () => Promise.reject(new Error('failed'))),
    /failed/,
  );
});

t.test('random numbers repeat with their seed', async (t) => {
  const draw = (seed: number): number[] => {
    const numbers = randomFrom(seed);
    return Array.from({ length: 100 }, () => numbers.integer(1, 6));
  };
  t.same(draw(7), draw(7));
  t.notSame(draw(7), draw(8));
  t.same([...new Set(draw(7))].sort(), [1, 2, 3, 4, 5, 6]);
  const first = random(t);
  t.same(randomFrom(first.seed).bytes(16), first.bytes(16));
});
