/**
 * A worker whose handler blocks the event loop over 'heavy': not less than `blockMs`, and as long as the file `until` is not there.
 * Works from the parent's 'work' on; tells what its handler and its queue see.
 */
import { existsSync } from 'node:fs';
import { openQueue } from '../../src/mod.js';
import { aborted } from '../support/aborted.js';
import { type Orders, orders, tell, untilStopped } from './child.js';

export interface BlockingOrders extends Orders {
  readonly blockMs: number;
  readonly until: string | undefined;
}

export interface Seen {
  readonly seen: 'opened' | 'begun' | 'blocked' | 'aborted' | 'error' | 'closed';
  readonly attempt?: number;
  readonly code?: string;
  readonly stats?: { readonly done: number; readonly failed: number };
}

const LONGEST_MS = 120_000;
const { directory, options, blockMs, until } = orders<BlockingOrders>();
const stopped = untilStopped();
const say = (seen: Seen): Promise<void> => tell(seen);

const queue = await openQueue<string>({ ...options, directory });
queue.on('error', ({ code }) => void say({ seen: 'error', code }));
const work = new Promise<void>((resolve) => {
  process.on('message', (message) => message === 'work' && resolve());
});
await say({ seen: 'opened' });
await work;
const worker = queue.process(async ({ value, attempt, signal }) => {
  signal.addEventListener('abort', () => void say({ seen: 'aborted', attempt, code: signal.reason.code }));
  await say({ seen: 'begun', attempt });
  if (value !== 'heavy') return;
  const from = performance.now();
  const isDone = (passed: number): boolean => passed > blockMs && (until === undefined || existsSync(until));
  for (let passed = 0; !isDone(passed) && passed < LONGEST_MS; ) passed = performance.now() - from;
  await say({ seen: 'blocked', attempt });
  if (until !== undefined) await new Promise((resolve) => setImmediate(resolve));
});
await aborted(stopped);
await worker.close();
await say({ seen: 'closed', stats: worker.stats() });
await queue.close();
process.exit();
