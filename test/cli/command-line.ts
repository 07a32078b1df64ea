import { type ChildProcess, type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Test } from 'tap';
import { damagedOnPurpose } from '../support/consistency.js';
import { type Program, plainNode, startProgram } from '../support/processes.js';
import { compiled } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** The command line as it is compiled. */
export const MAIN = 'src/cli/main.js';

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 60_000;

/** Runs it to its end. */
export function durostore(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const [command, nodeArgs] = plainNode([join(compiled, MAIN), ...args]);
  return runToEnd(command, nodeArgs, options);
}

/** Runs it, to be stopped by a signal or by itself. Its standard input is empty. */
export const start = (t: Test, ...args: readonly string[]): Program => startProgram(t, MAIN, { args });

/** Starts it with an output that nobody reads. */
export function startUnread(...args: readonly string[]): ChildProcessByStdio<null, Readable, null> {
  const [command, nodeArgs] = plainNode([join(compiled, MAIN), ...args]);
  return spawn(command, nodeArgs, { stdio: ['ignore', 'pipe', 'ignore'], timeout: DEADLINE_MS });
}

/** Starts it with its output going into an open file. */
export function startInto(output: number, ...args: readonly string[]): ChildProcess {
  const [command, nodeArgs] = plainNode([join(compiled, MAIN), ...args]);
  return spawn(command, nodeArgs, { stdio: ['ignore', output, 'ignore'], timeout: DEADLINE_MS });
}

/** What a line of Bash makes, with `durostore` on the path; any failure in a pipe is one of the whole. */
export async function shell(t: Test, script: string, options: RunOptions = {}): Promise<Ran> {
  const bin = join(await temporaryDirectory(t), 'bin');
  await mkdir(bin);
  const [command, args] = plainNode([join(compiled, MAIN)]);
  const words = [command, ...args].map((word) => `'${word}'`).join(' ');
  writeFileSync(join(bin, 'durostore'), `#!/bin/sh\nexec ${words} "$@"\n`);
  await chmod(join(bin, 'durostore'), 0o755);
  const env = { ...options.env, PATH: `${bin}${delimiter}${process.env['PATH']}` };
  return runToEnd('bash', ['-c', `set -o pipefail\n${script}`], { ...options, env });
}

/** Why there is no such shell here; false where there is. */
export const noShell = process.platform === 'win32' ? 'needs Bash' : false;

/** Nobody outlives the test that started him. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function runToEnd(
  command: string,
  args: readonly string[],
  { input = '', cwd, env }: RunOptions,
): Promise<Ran> {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, FORCE_COLOR: undefined, ...env },
    timeout: DEADLINE_MS,
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // Not everybody reads to the end.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  await once(child, 'close');
  return {
    code: child.exitCode,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** Why what Linux alone has is not here; false where it is. */
export const notLinux = process.platform !== 'linux' && 'needs /dev/full, and pipes as Linux has them';

/** A pipe that takes nothing more: what is in it stays, as long as nobody reads. */
export async function fullPipe(t: Test): Promise<number> {
  const path = join(await temporaryDirectory(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(pipe));
  const page = Buffer.alloc(4096);
  try {
    for (;;) writeSync(pipe, page);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
  return pipe;
}

/** Lines without their newlines. */
export const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

/** Each line as JSON. */
export const jsonLines = <T>(text: string): T[] =>
  text === '' ? [] : linesOf(text).map((line) => JSON.parse(line) as T);

/** Changes bytes of the only data file: `what` is the text whose first byte goes. */
export function damage(directory: string, what: string): void {
  damagedOnPurpose(directory);
  const name = readdirSync(directory).find((file) => file.endsWith('.dat')) ?? '';
  const bytes = readFileSync(join(directory, name));
  bytes[bytes.indexOf(what)] = 0;
  writeFileSync(join(directory, name), bytes);
}
