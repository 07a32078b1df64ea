import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Message } from './messages.js';

export interface Child {
  /** Resolves when the process has ended: with undefined when it should have, else with what happened to it. */
  readonly ended: Promise<string | undefined>;
  /** Asks it to finish what it is doing and end. */
  stop(): void;
  /** Kills it as the system would, SIGKILL: it cannot say goodbye. */
  kill(): void;
}

/** Starts one of this example's programs. */
export function startChild(
  name: string,
  program: string,
  args: readonly string[],
  onMessage: (message: Message) => void,
): Child {
  const child = fork(fileURLToPath(new URL(program, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let killed = false;
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.on('message', (message) => onMessage(message as Message));
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(`${name} could not be started: ${error.message}`));
    child.on('close', (code, signal) => {
      resolve(code === 0 || killed ? undefined : `${name} ended (${signal ?? code})\n${errors}`);
    });
  });
  return {
    ended,
    stop() {
      if (child.connected) child.send('stop', () => undefined);
    },
    kill() {
      killed = true;
      child.kill('SIGKILL');
    },
  };
}
