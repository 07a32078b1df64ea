/**
 * Enqueues `<name>-0`, `<name>-1`, …, until it has done `count` or is told to stop. Notes index and id of each that was
 * acknowledged.
 */
import { openQueue } from '../../src/mod.js';
import { leave, type Orders, orders, untilStopped } from './child.js';
import { Notes } from './notes.js';

export interface ProducerOrders extends Orders {
  readonly name: string;
  readonly notes: string;
  readonly batch: number;
  readonly count: number;
}

const { directory, options, name, notes: path, batch, count } = orders<ProducerOrders>();
const stopped = untilStopped();
const notes = new Notes(path);
const queue = await openQueue<string>({ ...options, directory });
for (let n = 0; n < count && !stopped.aborted; n += batch) {
  const ids = Array.from({ length: batch }, (_, at) => `${name}-${n + at}`);
  const [first = ''] = ids;
  const indexes = batch === 1 ? [await queue.enqueue(first)] : await queue.enqueueMany(ids);
  notes.write(indexes.map((index, at) => [index, ids[at] ?? 'none']));
}
await queue.close();
notes.close();
leave();
