/** Leaves a store and a queue open that were used, waited on and listened to, and comes to the end of its program. */
import { openQueue, openStore } from '../../src/mod.js';
import { type Orders, orders } from './child.js';

const { directory, options } = orders<Orders>();
process.disconnect?.();
const store = await openStore({ ...options, directory, filePrefix: 'records' });
await store.write(Buffer.from('record'));
// Somebody may dequeue what another has enqueued; with lock files, what the dead had claimed comes when its lease ends.
const queue = await openQueue<string>({ ...options, directory, leaseMs: 1000 });
await queue.enqueue('message');
const delivery = await queue.claim({ waitMs: Number.POSITIVE_INFINITY });
console.log(`claimed ${delivery?.value}`);
console.log(`then ${await queue.dequeue({ waitMs: 20 })}`);
