import { openQueue, openStore, type Queue, type Store, type StoreOptions } from '../src/mod.js';
import { bareAppend, bareRandom, bareScan, bareSynced, bareTake, bareThrough, RECORD_BYTES } from './bare.js';
import type { Cell, Contestant } from './measure.js';
import { anyOrder } from './order.js';

const record = Buffer.alloc(RECORD_BYTES, 'r');
const batchOf = (count: number, value: Uint8Array = record): Uint8Array[] =>
  Array.from({ length: count }, () => value);

type Options = Omit<StoreOptions, 'directory'>;

/** The library's queue at work; `fill` comes before the time is taken. */
function queue(
  options: Options,
  run: (queue: Queue<Uint8Array>) => Promise<number>,
  fill?: (queue: Queue<Uint8Array>) => Promise<void>,
): Contestant {
  return {
    name: 'durostore',
    async prepare(directory) {
      const opened = await openQueue<Uint8Array>({
        locking: 'os',
        durability: 'written',
        ...options,
        directory,
        codec: 'bytes',
      });
      await fill?.(opened);
      return { run: () => run(opened), close: () => opened.close() };
    },
  };
}

function store(records: number, run: (store: Store) => Promise<number>): Contestant {
  return {
    name: 'durostore',
    async prepare(directory) {
      const options = { directory, locking: 'os', durability: 'written' } as const;
      const writer = await openStore(options);
      for (let written = 0; written < records; written += 100) await writer.writeMany(batchOf(100));
      await writer.close();
      const opened = await openStore(options);
      return { run: () => run(opened), close: () => opened.close() };
    },
  };
}

const fillQueue =
  (records: number) =>
  async (queue: Queue<Uint8Array>): Promise<void> => {
    const batch = batchOf(100);
    for (let written = 0; written < records; written += 100) await queue.enqueueMany(batch);
  };

const enqueueSingly =
  (records: number, value: Uint8Array = record) =>
  async (queue: Queue<Uint8Array>): Promise<number> => {
    for (let n = 0; n < records; n++) await queue.enqueue(value);
    return records;
  };

const enqueueBy =
  (records: number, size: number, value: Uint8Array = record) =>
  async (queue: Queue<Uint8Array>): Promise<number> => {
    const batch = batchOf(size, value);
    for (let n = 0; n < records; n += size) await queue.enqueueMany(batch);
    return records;
  };

async function dequeueSingly(queue: Queue<Uint8Array>): Promise<number> {
  let count = 0;
  while ((await queue.dequeue()) !== undefined) count += 1;
  return count;
}

const dequeueBy =
  (size: number) =>
  async (queue: Queue<Uint8Array>): Promise<number> => {
    let count = 0;
    for (;;) {
      const { length } = await queue.dequeueMany(size);
      if (length === 0) return count;
      count += length;
    }
  };

async function claimSingly(queue: Queue<Uint8Array>): Promise<number> {
  let count = 0;
  for (;;) {
    const delivery = await queue.claim();
    if (delivery === undefined) return count;
    await delivery.ack();
    count += 1;
  }
}

const claimBy =
  (size: number) =>
  async (queue: Queue<Uint8Array>): Promise<number> => {
    let count = 0;
    for (;;) {
      const deliveries = await queue.claimMany(size);
      if (deliveries.length === 0) return count;
      await Promise.all(deliveries.map((delivery) => delivery.ack()));
      count += deliveries.length;
    }
  };

/** All cells; `scale` makes them smaller, for a first look. */
export function cells(scale: number): Cell[] {
  const count = (records: number): number => Math.max(100, Math.round((records * scale) / 100) * 100);
  const singly = count(50_000);
  const many = count(200_000);
  const synced = count(2_000);
  const syncedMany = count(50_000);
  const order = anyOrder(many, singly);
  const small = record.subarray(0, 100);
  return [
    {
      name: 'await enqueue',
      ours: queue({}, enqueueSingly(singly)),
      bare: [bareAppend(singly, 1)],
      target: 3,
    },
    {
      name: 'enqueueMany by 100',
      ours: queue({}, enqueueBy(many, 100)),
      bare: [bareAppend(many, 100)],
      target: 2,
    },
    {
      name: 'enqueue, windows of 64 promises',
      ours: queue({}, async (queue) => {
        for (let n = 0; n < many; n += 64) {
          await Promise.all(Array.from({ length: 64 }, () => queue.enqueue(record)));
        }
        return many;
      }),
      bare: [bareAppend(many, 1)],
    },
    {
      name: 'enqueueMany by 100, 100-byte records',
      ours: queue({}, enqueueBy(many, 100, small)),
      bare: [bareAppend(many, 100, 136)],
    },
    {
      name: 'dequeue',
      ours: queue({}, dequeueSingly, fillQueue(singly)),
      bare: [bareTake(singly, 1, 1)],
    },
    {
      name: 'dequeueMany by 100',
      ours: queue({}, dequeueBy(100), fillQueue(many)),
      bare: [bareTake(many, 100, 1)],
    },
    {
      name: 'enqueue all, dequeue all',
      ours: queue({}, async (queue) => {
        await enqueueSingly(singly)(queue);
        return dequeueSingly(queue);
      }),
      bare: [bareThrough(singly, 1)],
      target: 4.3,
    },
    {
      name: 'enqueue all, dequeue all, by 100',
      ours: queue({}, async (queue) => {
        await enqueueBy(many, 100)(queue);
        return dequeueBy(100)(queue);
      }),
      bare: [bareThrough(many, 100)],
      target: 2.9,
    },
    {
      name: 'claim + ack',
      ours: queue({}, claimSingly, fillQueue(singly)),
      bare: [bareTake(singly, 1, 2)],
    },
    {
      name: 'claimMany + acks by 100',
      ours: queue({}, claimBy(100), fillQueue(many)),
      bare: [bareTake(many, 100, 2)],
    },
    {
      name: 'synced: await enqueue',
      ours: queue({ durability: 'synced' }, enqueueSingly(synced)),
      bare: [bareSynced(synced, 1, 'growing'), bareSynced(synced, 1, 'prepared')],
      target: 0.8,
    },
    {
      name: 'synced: enqueueMany by 100',
      ours: queue({ durability: 'synced' }, enqueueBy(syncedMany, 100)),
      bare: [bareSynced(syncedMany, 100, 'growing'), bareSynced(syncedMany, 100, 'prepared')],
      target: 1.3,
    },
    {
      name: 'synced: dequeue',
      ours: queue({ durability: 'synced' }, dequeueSingly, fillQueue(synced)),
      bare: [bareSynced(synced, 1, 'growing'), bareSynced(synced, 1, 'prepared')],
    },
    {
      name: 'read all in order',
      ours: store(many, async (store) => {
        let read = 0;
        for await (const entry of store.entries()) read += entry.data.length > 0 ? 1 : 0;
        return read;
      }),
      bare: [bareScan(many)],
      target: 3.3,
    },
    {
      name: 'read at random',
      ours: store(many, async (store) => {
        for (const index of order) await store.read(index);
        return order.length;
      }),
      bare: [bareRandom(many, order)],
      target: 1.5,
    },
  ];
}
