/**
 * Several openers in one process: each enqueues so many messages, and when everybody has, all take until nothing is left. Tells
 * what each saw and got.
 */
import { once } from 'node:events';
import { openQueue, type Queue } from '../../src/mod.js';
import { leave, type Orders, orders, tell, untilStopped } from './child.js';

export interface ManyOrders extends Orders {
  readonly name: string;
  readonly openers: number;
  readonly each: number;
}

/** What it tells, in this order. */
export interface Enqueued {
  readonly enqueued: readonly (readonly [index: number, value: string])[];
}
export interface Took {
  /** What each opener took for the length before anybody took anything. */
  readonly lengths: readonly number[];
  readonly took: readonly (readonly [index: number, value: string, attempt: number])[];
}

const { directory, options, name, openers, each } = orders<ManyOrders>();
untilStopped();

async function enqueue(queue: Queue<string>, opener: number): Promise<[number, string][]> {
  const own: [number, string][] = [];
  for (let n = 0; n < each; n++) {
    const value = `${name}.${opener}-${n}`;
    own.push([await queue.enqueue(value), value]);
  }
  return own;
}

async function take(queue: Queue<string>): Promise<[number, string, number][]> {
  const own: [number, string, number][] = [];
  for (;;) {
    const deliveries = await queue.claimMany(3, { waitMs: 50 });
    for (const delivery of deliveries) {
      await delivery.ack();
      own.push([delivery.index, delivery.value, delivery.attempt]);
    }
    if (deliveries.length > 0) continue;
    const { waiting, claimed } = await queue.stats();
    if (waiting + claimed === 0) return own;
  }
}

const next = async (): Promise<void> => {
  await once(process, 'message');
};

let heard = next();
const queues = await Promise.all(
  Array.from({ length: openers }, () => openQueue<string>({ ...options, directory })),
);
await tell({ opened: true });
await heard;
heard = next();
const enqueued = (await Promise.all(queues.map(enqueue))).flat();
await tell({ enqueued } satisfies Enqueued);
await heard;
heard = next();
const lengths = await Promise.all(queues.map((queue) => queue.length()));
await tell({ looked: true });
await heard;
const took = (await Promise.all(queues.map(take))).flat();
await Promise.all(queues.map((queue) => queue.close()));
await tell({ lengths, took } satisfies Took);
leave();
