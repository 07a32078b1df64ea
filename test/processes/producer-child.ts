/**
 * Enqueues `<name>-0`, `<name>-1`, …, until it has done `count` or is told to stop. Notes index and id of each that was
 * acknowledged.
 */
import { openQueue } from '../../src/mod.js';
import { leave, type Orders, orders, type Reopening, untilStopped } from './child.js';
import { Notes } from './notes.js';

export interface ProducerOrders extends Orders, Reopening {
  readonly name: string;
  readonly notes: string;
  readonly batch: number;
  readonly count: number;
}

const { directory, options, name, notes: path, batch, count, reopenEvery } = orders<ProducerOrders>();
const stopped = untilStopped();
const notes = new Notes(path);
let queue = await openQueue<string>({ ...options, directory });
for (let n = 0, calls = 1; n < count && !stopped.aborted; n += batch, calls++) {
  const ids = Array.from({ length: batch }, (_, at) => `${name}-${n + at}`);
  const [first = ''] = ids;
  const indexes = batch === 1 ? [await queue.enqueue(first)] : await queue.enqueueMany(ids);
  notes.write(indexes.map((index, at) => [index, ids[at] ?? 'none']));
  if (calls % reopenEvery !== 0) continue;
  await queue.close();
  queue = await openQueue<string>({ ...options, directory });
}
await queue.close();
notes.close();
leave();
