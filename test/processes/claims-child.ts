/** Claims messages until it has `count`, tells their values and attempts, and holds them. As a process, or as a worker. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { openQueue } from '../../src/mod.js';
import { type Orders, orders, tell } from './child.js';

export interface ClaimsOrders extends Orders {
  readonly count: number;
  readonly leaseMs: number;
}

const { directory, options, count, leaseMs } = isMainThread
  ? orders<ClaimsOrders>()
  : (workerData as ClaimsOrders);
const say = async (message: unknown): Promise<void> =>
  isMainThread ? tell(message) : parentPort?.postMessage(message);
if (isMainThread) {
  process.on('disconnect', () => process.exit(1));
  process.on('message', () => {});
} else parentPort?.on('message', () => {});

const queue = await openQueue<string>({ ...options, directory });
const claimed: { value: string; attempt: number }[] = [];
await say({ opened: true });
while (claimed.length < count) {
  const wait = { waitMs: Number.POSITIVE_INFINITY, leaseMs };
  for (const { value, attempt } of await queue.claimMany(count - claimed.length, wait))
    claimed.push({ value, attempt });
}
await say({ claimed });
