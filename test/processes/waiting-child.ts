/** Waits for messages without end and tells its parent of each; `{ waiting: true }` once, when it begins. */
import { openQueue } from '../../src/mod.js';
import { leave, type Orders, orders, tell, untilStopped } from './child.js';

const { directory, options } = orders<Orders>();
const signal = untilStopped();
const queue = await openQueue<string>({ ...options, directory });
await tell({ waiting: true });
try {
  for (;;) {
    const got = await queue.dequeue({ waitMs: Number.POSITIVE_INFINITY, signal });
    await tell({ got });
  }
} catch (error) {
  if (error !== signal.reason) throw error;
}
await queue.close();
leave();
