/** Enqueues without a pause from `'go'` on; answers `'count'` with how many it has done, and tells when that is `target`. */
import { once } from 'node:events';
import { openQueue } from '../../src/mod.js';
import { leave, type Orders, orders, tell, untilStopped } from './child.js';

export interface FlatOutOrders extends Orders {
  readonly target: number;
}

const { directory, options, target } = orders<FlatOutOrders>();
const stopped = untilStopped();
const queue = await openQueue<string>({ ...options, directory });
let count = 0;
process.on('message', (message) => {
  if (message === 'count') void tell({ count });
});
await tell({ opened: true });
await once(process, 'message');
while (!stopped.aborted) {
  await queue.enqueue('message');
  count += 1;
  if (count === target) await tell({ reached: count });
}
await queue.close();
leave();
