import { openQueue, openStore, type StoreOptions } from '../../src/mod.js';
import type { Opened, Subject } from '../subject.js';

type Options = Omit<StoreOptions, 'directory' | 'durability'>;

/** The library as it is by default: locks of the operating system, others free to join at any time, checksums on. */
export const durostore = durostoreWith('durostore', { locking: 'os' });

export function durostoreWith(name: string, options: Options): Subject {
  return {
    name,
    inProcess: true,
    open: ({ directory, durability, as }) =>
      (as === 'log' ? openedLog : openedQueue)({ ...options, directory, durability }),
  };
}

async function openedQueue(options: StoreOptions): Promise<Opened> {
  const queue = await openQueue<Uint8Array>({ ...options, codec: 'bytes' });
  const forever = { waitMs: Number.POSITIVE_INFINITY };
  return {
    put: (record) => queue.enqueue(record),
    putMany: (records) => queue.enqueueMany(records),
    putTogether: (records) => Promise.all(records.map((record) => queue.enqueue(record))),
    take: () => queue.dequeue(),
    takeMany: (max) => queue.dequeueMany(max),
    async claim() {
      const delivery = await queue.claim();
      await delivery?.ack();
      return delivery === undefined ? 0 : 1;
    },
    async claimMany(max) {
      const deliveries = await queue.claimMany(max);
      await Promise.all(deliveries.map((delivery) => delivery.ack()));
      return deliveries.length;
    },
    async follow(by, count, had, ready) {
      let left = count;
      ready();
      while (left > 0) {
        if (by === 1) {
          const one = await queue.dequeue(forever);
          if (one === undefined) continue;
          had(one);
          left -= 1;
        } else {
          const some = await queue.dequeueMany(by, forever);
          for (const one of some) had(one);
          left -= some.length;
        }
      }
    },
    close: () => queue.close(),
  };
}

/** The same records by index, without a queue. */
async function openedLog(options: StoreOptions): Promise<Opened> {
  const store = await openStore(options);
  return {
    putMany: (records) => store.writeMany(records),
    async scan() {
      let count = 0;
      for await (const { data } of store.entries()) count += data.length > 0 ? 1 : 0;
      return count;
    },
    read: (index) => store.read(index),
    close: () => store.close(),
  };
}
