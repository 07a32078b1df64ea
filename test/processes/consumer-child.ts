/**
 * Takes messages until it is told to stop, or has had `count`. Notes each before it acknowledges it: `got`, when, index,
 * attempt, id; and `acked`, index afterwards. What is dequeued has no index, which is noted as 0.
 */
import { openQueue } from '../../src/mod.js';
import { leave, type Orders, orders, untilStopped } from './child.js';
import { Notes } from './notes.js';

export interface ConsumerOrders extends Orders {
  readonly notes: string;
  readonly how: 'claim' | 'dequeue';
  readonly batch: number;
  readonly leaseMs: number;
  readonly count: number;
}

const { directory, options, notes: path, how, batch, leaseMs, count } = orders<ConsumerOrders>();
const signal = untilStopped();
const notes = new Notes(path);
const queue = await openQueue<string>({ ...options, directory });
const wait = { waitMs: Number.POSITIVE_INFINITY, signal };

async function dequeue(): Promise<number> {
  const ids = batch === 1 ? [await queue.dequeue(wait)] : await queue.dequeueMany(batch, wait);
  notes.write(ids.map((id) => ['got', Date.now(), 0, 1, id ?? 'none']));
  return ids.length;
}

async function claim(): Promise<number> {
  const deliveries = await queue.claimMany(batch, { ...wait, leaseMs });
  notes.write(deliveries.map(({ index, attempt, value }) => ['got', Date.now(), index, attempt, value]));
  for (const delivery of deliveries) {
    await delivery.ack();
    notes.write([['acked', delivery.index]]);
  }
  return deliveries.length;
}

try {
  for (let had = 0; had < count; ) had += await (how === 'claim' ? claim() : dequeue());
} catch (error) {
  if (!signal.aborted || error !== signal.reason) throw error;
}
await queue.close();
notes.close();
leave();
