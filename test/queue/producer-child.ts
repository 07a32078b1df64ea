/** Enqueues objects with the numbers 1 to n into the directory given, in batches of changing size, and closes. */
import { openQueue } from '../../src/queue/queue.js';

const [directory = '', count = '0'] = process.argv.slice(2);
const queue = await openQueue<{ n: number }>({ directory, durability: 'written', maxFileSize: 256 * 1024 });
for (let n = 1, size = 1; n <= Number(count); size = (size % 50) + 1) {
  const batch: { n: number }[] = [];
  while (batch.length < size && n <= Number(count)) batch.push({ n: n++ });
  if (batch.length === 1 && batch[0] !== undefined) await queue.enqueue(batch[0]);
  else await queue.enqueueMany(batch);
  // A turn of the event loop, so that others get theirs on one core.
  await new Promise((resolve) => setImmediate(resolve));
}
await queue.close();
