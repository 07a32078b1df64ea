import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Test } from 'tap';
import type { LockMode } from '../../src/lock/locks.js';
import type { Call } from './remote-child.js';
import { soon, until } from './until.js';

const program = new URL('./remote-child.js', import.meta.url);

/** Asks an opener elsewhere to do something, and has its answer. */
class Remote {
  readonly #send: (request: { id: number; call: Call }) => void;
  readonly #open = new Map<number, (answer: unknown) => void>();
  #last = 0;

  constructor(send: (request: { id: number; call: Call }) => void) {
    this.#send = send;
  }

  do(call: Call): Promise<unknown> {
    return soon(`the answer to ${call}`, this.begin(call));
  }

  /** The same for what may never be answered. */
  begin(call: Call): Promise<unknown> {
    const id = ++this.#last;
    const answer = new Promise((resolve) => this.#open.set(id, resolve));
    this.#send({ id, call });
    return answer;
  }

  protected answered(reply: { id: number; answer: unknown }): void {
    this.#open.get(reply.id)?.(reply.answer);
  }
}

export class RemoteProcess extends Remote {
  readonly #child: ChildProcess;

  constructor(t: Test, directory: string, mode: LockMode) {
    const child = fork(program, [directory, mode], { execArgv: [] });
    super((request) => child.send(request));
    this.#child = child;
    child.on('message', (reply) => this.answered(reply as { id: number; answer: unknown }));
    t.teardown(() => child.kill('SIGKILL'));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await soon('it is dead', once(this.#child, 'exit'));
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGSTOP');
    const { pid } = this.#child;
    if (process.platform !== 'linux') return;
    await until('it is stopped', () => / \(.*\) T /s.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
  }

  continue(): void {
    this.#child.kill('SIGCONT');
  }
}

export class RemoteWorker extends Remote {
  readonly #worker: Worker;

  constructor(t: Test, directory: string, mode: LockMode) {
    const worker = new Worker(program, { workerData: [directory, mode], execArgv: [] });
    super((request) => worker.postMessage(request));
    this.#worker = worker;
    worker.on('message', (reply) => this.answered(reply));
    t.teardown(() => worker.terminate());
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}
