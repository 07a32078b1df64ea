/**
 * Takes messages until it is told to stop, or has had `count`. Notes each before it acknowledges it: `got`, when, index,
 * attempt, id; and `acked`, index afterwards. Gives back one claim in `nackOneIn` instead: `nacked`, index. What is dequeued
 * has no index, which is noted as 0.
 */
import { openQueue } from '../../src/mod.js';
import { leave, type Orders, orders, type Reopening, untilStopped } from './child.js';
import { Notes } from './notes.js';

export interface ConsumerOrders extends Orders, Reopening {
  readonly notes: string;
  readonly how: 'claim' | 'dequeue';
  readonly batch: number;
  readonly leaseMs: number;
  readonly count: number;
  readonly nackOneIn: number;
}

const order = orders<ConsumerOrders>();
const { directory, options, how, batch, leaseMs, count, nackOneIn, reopenEvery } = order;
const signal = untilStopped();
const notes = new Notes(order.notes);
let queue = await openQueue<string>({ ...options, directory });
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
    const givesBack = (delivery.index + delivery.attempt) % nackOneIn === 0;
    await (givesBack ? delivery.nack() : delivery.ack());
    notes.write([[givesBack ? 'nacked' : 'acked', delivery.index, delivery.attempt]]);
  }
  return deliveries.length;
}

try {
  for (let had = 0, calls = 1; had < count; calls++) {
    had += await (how === 'claim' ? claim() : dequeue());
    if (calls % reopenEvery !== 0) continue;
    await queue.close();
    queue = await openQueue<string>({ ...options, directory });
  }
} catch (error) {
  if (!signal.aborted || error !== signal.reason) throw error;
}
await queue.close();
notes.close();
leave();
