import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of this benchmark in a process of its own, which sends messages. */
export interface Child {
  /** Its next message; rejects where it ends first. */
  message<T>(): Promise<T>;
  send(message: string): void;
  kill(signal: NodeJS.Signals): void;
  ended(): Promise<void>;
}

/** `file` is a compiled program beside this one. */
export function start(file: string, args: readonly string[], execArgv: readonly string[] = []): Child {
  const program = fileURLToPath(new URL(`./${file}`, import.meta.url));
  return new Started(fork(program, args, { execArgv: [...execArgv] }), program);
}

class Started implements Child {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #messages: unknown[] = [];
  readonly #ended: Promise<void>;
  #arrived = (): void => {};

  constructor(child: ChildProcess, program: string) {
    this.#program = program;
    this.#child = child;
    child.on('message', (message) => {
      this.#messages.push(message);
      this.#arrived();
    });
    this.#ended = once(child, 'exit').then(() => {});
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', kill);
    this.#ended.then(() => process.removeListener('exit', kill));
  }

  async message<T>(): Promise<T> {
    if (this.#messages.length === 0) {
      const arrived = new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
      await Promise.race([arrived, this.#ended]);
    }
    if (this.#messages.length === 0) throw new Error(`${this.#program} ended without a word`);
    return this.#messages.shift() as T;
  }

  send(message: string): void {
    this.#child.send(message);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  ended(): Promise<void> {
    return this.#ended;
  }
}
