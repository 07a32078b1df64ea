import type { QueueOptions } from '../../src/mod.js';
import type { Random } from '../support/random.js';
import type { Orders } from './child.js';

/** How one attempt at a job ends; 'ack' by the handler itself, 'die' with the whole process. */
export type Deed = 'return' | 'ack' | 'throw' | 'hang' | 'die';

export interface Job {
  readonly n: number;
  /** What the attempts do, one after the other; the last goes for all that follow. */
  readonly deeds: readonly Deed[];
}

export interface WorkersOrders extends Orders {
  readonly options: Pick<QueueOptions<Job>, 'durability' | 'maxAttempts' | 'backoff'>;
  /** Where its notes go; a file of its own. */
  readonly notes: string;
  readonly concurrency: number;
  readonly timeoutMs: number;
}

/**
 * A line of a worker process's notes. `at` is the machine's monotonic clock, in nanoseconds. 'ack' says that it was
 * acknowledged, 'acking' that it is about to be: in between somebody else may have the next message of its key.
 */
export interface Note {
  readonly what: 'begin' | 'return' | 'acking' | 'ack' | 'throw' | 'timeout' | 'die';
  readonly n: number;
  readonly index: number;
  readonly attempt: number;
  readonly at: string;
}

export const thrownFor = (n: number, attempt: number): string => `job ${n}, attempt ${attempt}: no`;

export const timedOutAfter = (timeoutMs: number): string => `timed out after ${timeoutMs} ms`;

/** That many jobs, most of which are done at the first attempt. Some kill their process, and a few of those every time. */
export function jobs(chance: Random, count: number, deaths: number): Job[] {
  const planned = Array.from({ length: count }, (_, at): Job => ({ n: at + 1, deeds: deedsOf(chance) }));
  for (let death = 0; death < deaths; death++) {
    const n = chance.integer(1, count);
    planned[n - 1] = { n, deeds: death % 6 === 0 ? ['die'] : ['die', 'return'] };
  }
  return planned;
}

function deedsOf(chance: Random): Deed[] {
  const last = chance.pick(['return', 'ack'] as const);
  const kind = chance.next();
  if (kind < 0.86) return [last];
  if (kind < 0.92) return [...Array<Deed>(chance.integer(1, 4)).fill('throw'), last];
  if (kind < 0.96) return ['throw'];
  if (kind < 0.995) return ['hang', last];
  return ['hang'];
}
