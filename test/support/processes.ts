import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { compiled } from './repository.js';

export interface StartOptions {
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** The most descriptors that it may have, where the system has such a limit. */
  readonly descriptors?: number | undefined;
}

/** Who starts a program: a test, or whoever calls what is to be done in the end, the last first. */
export interface Starter {
  teardown(end: () => unknown): void;
}

/** A child program under test. It is killed when the test that started it ends, however it ends. */
export interface Program {
  readonly pid: number;
  /** Sends a message over IPC. */
  send(message: unknown): void;
  /**
   * Resolves with the oldest message that satisfies `wanted` and was not handed out before; rejects when the deadline
   * passes or the program ends first, with what it wrote to stderr.
   */
  message<T>(wanted: (message: unknown) => message is T, deadlineMs?: number): Promise<T>;
  /** The same for a line of its standard output. */
  line(wanted: (line: string) => boolean, deadlineMs?: number): Promise<string>;
  /** Lets it stand still as long as need be, SIGSTOP; `resume` lets it go on. */
  pause(): void;
  resume(): void;
  /** Kills it, SIGKILL, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended by itself; rejects when the deadline passes. */
  ended(deadlineMs?: number): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly running: boolean;
  /** Everything it wrote so far. */
  readonly stdout: string;
  readonly stderr: string;
}

const defaultDeadlineMs = 60_000;

/** Things that come one by one, and those who wait for some of them. */
class Inbox<T> {
  readonly #unread: T[] = [];
  readonly #waiting = new Set<() => void>();

  put(item: T): void {
    this.#unread.push(item);
    this.wake();
  }

  wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves with the oldest unread item that is wanted; `over` says why none will come any more. */
  take(
    wanted: (item: T) => boolean,
    what: string,
    deadlineMs: number,
    over: () => string | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const at = this.#unread.findIndex(wanted);
        if (at >= 0) {
          finish();
          resolve(...(this.#unread.splice(at, 1) as [T]));
          return;
        }
        const reason = over();
        if (reason === undefined) return;
        finish();
        reject(new Error(`waiting for ${what}: ${reason}`));
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`waited ${deadlineMs} ms for ${what}`));
      }, deadlineMs);
      this.#waiting.add(look);
      look();
    });
  }
}

/**
 * How to start a Node program free of the hooks by which the test runner follows child processes: they more than double
 * a program's start. The runner adds them to the environment of whatever is spawned, so `env` takes them out again.
 */
export function plainNode(args: readonly string[]): [command: string, args: string[]] {
  if (process.platform === 'win32') return [process.execPath, [...args]];
  return ['env', ['-u', 'NODE_OPTIONS', process.execPath, ...args]];
}

/** The same command with so many descriptors at most. */
function limited(
  [command, args]: [command: string, args: string[]],
  descriptors: number | undefined,
): [command: string, args: string[]] {
  if (descriptors === undefined || process.platform === 'win32') return [command, args];
  return ['sh', ['-c', `ulimit -n ${descriptors} && exec "$@"`, 'sh', command, ...args]];
}

function readLines(stream: Readable, line: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) line(text);
  });
  stream.on('end', () => {
    if (rest !== '') line(rest);
  });
}

/** Starts a compiled program, named by its path below the build directory ('test/store/writer.js'). */
export function startProgram(t: Starter, path: string, options: StartOptions = {}): Program {
  return startCommand(t, join(compiled, path), options);
}

/** The same for any program that Node runs. */
export function startCommand(t: Starter, path: string, options: StartOptions = {}): Program {
  const [command, args] = limited(
    plainNode(['--enable-source-maps', path, ...(options.args ?? [])]),
    options.descriptors,
  );
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const { pid, stdout, stderr } = child;
  if (pid === undefined || stdout === null || stderr === null)
    throw new Error(`${path} could not be started`);

  const messages = new Inbox<unknown>();
  const lines = new Inbox<string>();
  let output = '';
  let errors = '';
  let end: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  let hasExited = false;
  const closed = once(child, 'close');

  child.on('message', (message) => messages.put(message));
  readLines(stdout, (line) => lines.put(line));
  stdout.on('data', (chunk: string) => {
    output += chunk;
  });
  stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  child.on('exit', () => {
    hasExited = true;
  });
  child.on('close', (code, signal) => {
    end = { code, signal };
    messages.wake();
    lines.wake();
  });
  const over = (): string | undefined =>
    end && `${path} ended (${end.signal ?? `exit code ${end.code}`})${errors === '' ? '' : `\n${errors}`}`;

  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await closed;
  };
  t.teardown(kill);

  return {
    pid,
    send(message) {
      // A program that died meanwhile shows in what it does not answer.
      child.send(message as object, () => undefined);
    },
    message<T>(wanted: (message: unknown) => message is T, deadlineMs = defaultDeadlineMs): Promise<T> {
      return messages.take(wanted, `a message of ${path}`, deadlineMs, over) as Promise<T>;
    },
    line: (wanted, deadlineMs = defaultDeadlineMs) =>
      lines.take(wanted, `a line of ${path}`, deadlineMs, over),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill,
    async ended(deadlineMs = defaultDeadlineMs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`${path} did not end within ${deadlineMs} ms`)),
          deadlineMs,
        );
      });
      try {
        await Promise.race([closed, late]);
      } finally {
        clearTimeout(timer);
      }
      return { code: child.exitCode, signal: child.signalCode };
    },
    get running() {
      return !hasExited;
    },
    get stdout() {
      return output;
    },
    get stderr() {
      return errors;
    },
  };
}
