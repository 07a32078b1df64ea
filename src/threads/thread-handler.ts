import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import { type Delivery, DurostoreError } from '../mod.js';
import {
  assertPiscina,
  type ResolvedThreadHandlerOptions,
  resolveThreadHandlerOptions,
  type ThreadHandlerOptions,
} from './options.js';
import { ThreadRun } from './thread-run.js';

export type { ThreadHandlerOptions } from './options.js';

/** A handler for `queue.process` whose work is done in worker threads. */
export interface ThreadHandler<T> extends AsyncDisposable {
  (delivery: Delivery<T>): Promise<void>;
  /** Resolves when the functions that run have ended, and the threads. Idempotent; a delivery that comes later is CLOSED. */
  close(): Promise<void>;
}

const RUNNER = fileURLToPath(new URL('./runner.js', import.meta.url));

/**
 * A handler that has a module's function do the work in worker threads, so that the event loop stays free and leases renew
 * however busy a processor is. See `ThreadFunction` for what the function gets.
 *
 * Needs the package piscina: UNSUPPORTED where it is missing. INVALID_OPTION, also for a module that is not there.
 * What the function throws becomes the handler's error, with name, message and code. When the delivery's signal aborts, the
 * function's does, and `graceMs` later its thread is ended. Threads are begun when the first message comes, and keep no
 * process alive.
 */
export function threadHandler<T = unknown>(
  module: URL | string,
  options?: ThreadHandlerOptions,
): ThreadHandler<T> {
  const resolved = resolveThreadHandlerOptions(module, options);
  assertPiscina();
  const running = new Set<Promise<void>>();
  let pool: Promise<Piscina> | undefined;
  let closing: Promise<void> | undefined;

  const handle = async (delivery: Delivery<T>): Promise<void> => {
    if (closing !== undefined)
      throw new DurostoreError('CLOSED', 'these threads are closed: close the worker first');
    pool ??= begin(resolved);
    const run = new ThreadRun(delivery, resolved).in(await pool);
    running.add(run);
    try {
      await run;
    } finally {
      running.delete(run);
    }
  };
  const end = async (): Promise<void> => {
    const begun = await pool;
    await Promise.allSettled(running);
    await begun?.destroy();
  };
  const close = (): Promise<void> => {
    closing ??= end();
    return closing;
  };
  return Object.assign(handle, { close, [Symbol.asyncDispose]: close });
}

async function begin({ threads }: ResolvedThreadHandlerOptions): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: RUNNER,
    minThreads: threads,
    maxThreads: threads,
    // Otherwise a thread stands still between two tasks, with whatever the module keeps open.
    atomics: 'disabled',
  });
  // Something in a thread failed behind the end of its task. The thread is replaced, and nobody waits for it.
  pool.on('error', (error: Error) => process.emitWarning(error));
  return pool;
}
