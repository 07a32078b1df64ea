/**
 * Does all at once in a directory that is removed meanwhile: writes, claims, waits, follows. Tells how each of them ended, then what
 * each call says afterwards, closes, and ends by itself.
 */
import { once } from 'node:events';
import { DurostoreError, openQueue, type Queue } from '../../src/mod.js';
import { until } from '../support/until.js';
import { leave, type Orders, orders, tell, untilStopped } from './child.js';

export interface RemovedOrders extends Orders {
  readonly work: readonly Work[];
  /** Nobody looks in the background, and the work begins only when the directory was removed. */
  readonly isQuiet?: boolean;
}

export type Work = 'enqueue' | 'claim' | 'wait' | 'follow';

/** What it tells, in this order. */
export interface Ended {
  readonly ended: Readonly<Record<string, string>>;
}
export interface Called {
  readonly calls: Readonly<Record<string, string>>;
}
export interface Closed {
  readonly closed: readonly string[];
}

const { directory, options, work, isQuiet = false } = orders<RemovedOrders>();
untilStopped();
const codeOf = (error: unknown): string =>
  error instanceof DurostoreError ? error.code : `untyped: ${String(error)}`;
process.on('unhandledRejection', (error) => {
  throw error;
});

const queue = await openQueue<string>({ ...options, directory });
const other = await openQueue<string>({ ...options, directory, filePrefix: 'empty' });
await queue.enqueueMany(['a', 'b', 'c']);

/** Until it ends in an error. */
const works: Record<Work, () => Promise<unknown>> = {
  async enqueue() {
    for (;;) {
      await queue.enqueue('x'.repeat(100));
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
  async claim() {
    for (;;) await (await queue.claim({ waitMs: Number.POSITIVE_INFINITY }))?.ack();
  },
  async wait() {
    for (;;) await other.dequeue({ waitMs: Number.POSITIVE_INFINITY });
  },
  async follow() {
    for await (const _ of other.store.entries({ follow: true }));
  },
};
const removed = once(process, 'message');
const ended: Record<string, string> = {};
const all = work.map(async (one) => {
  if (isQuiet) await removed;
  try {
    await works[one]();
    ended[one] = 'done';
  } catch (error) {
    ended[one] = codeOf(error);
  }
});
await tell({ ready: true });
await removed;
await Promise.all(all);
await tell({ ended } satisfies Ended);
for (const one of isQuiet ? [] : [queue, other])
  await until('it is seen that the directory is gone', async () => {
    try {
      await one.read(1);
      return false;
    } catch (error) {
      return error instanceof DurostoreError && error.message.includes('was removed or replaced');
    }
  });

const told = async (call: Promise<unknown>): Promise<string> => call.then(() => 'done', codeOf);
const calls = async (queue: Queue<string>): Promise<Record<string, string>> => ({
  enqueue: await told(queue.enqueue('x')),
  dequeue: await told(queue.dequeue()),
  claim: await told(queue.claim()),
  length: await told(queue.length()),
  read: await told(queue.read(1)),
  stats: await told(queue.stats()),
  sync: await told(queue.store.sync()),
  delete: await told(queue.delete(1)),
  flush: await told(queue.flush()),
});
await tell({ calls: await calls(queue) } satisfies Called);
await tell({ closed: [await told(queue.close()), await told(other.close())] } satisfies Closed);
leave();
