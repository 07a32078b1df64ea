/**
 * Claims messages until it has `count`, tells their values and attempts, and holds them. At `'ack'` acknowledges all and
 * tells what came of it. As a process, or as a worker.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type Delivery, DurostoreError, openQueue } from '../../src/mod.js';
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
const held: Delivery<string>[] = [];
const obey = async (message: unknown): Promise<void> => {
  if (message !== 'ack') return;
  const outcomes = held.map((delivery) =>
    delivery.ack().then(
      () => 'done',
      (error: unknown) => (error instanceof DurostoreError ? error.code : String(error)),
    ),
  );
  await say({ outcomes: await Promise.all(outcomes) });
};
if (isMainThread) {
  process.on('disconnect', () => process.exit(1));
  process.on('message', obey);
} else parentPort?.on('message', obey);

const queue = await openQueue<string>({ ...options, directory });
await say({ opened: true });
while (held.length < count) {
  const wait = { waitMs: Number.POSITIVE_INFINITY, leaseMs };
  held.push(...(await queue.claimMany(count - held.length, wait)));
}
await say({ claimed: held.map(({ value, attempt }) => ({ value, attempt })) });
