/**
 * Several readers of one store at once. At an order it answers `{ id, begun: true }` when the call that begins to read has returned, and
 * `{ id, reading }` when the reader has come to the end.
 */
import { type Consumer, type Entry, openStore, type Store } from '../../src/mod.js';
import { type Orders, orders, tell } from './child.js';
import { isRecord } from './reader-records.js';

export interface ReaderOrder {
  readonly id: number;
  /** `entries()`, or a named consumer. */
  readonly how: 'entries' | 'consumer';
  readonly from: number | 'first' | 'next';
  /** The last index. */
  readonly to: number;
  /** It lets so many milliseconds pass behind each hundred records, so that it falls behind. */
  readonly restMs: number;
}

/** What a reader saw. */
export interface Reading {
  /** The first index; 0: none. */
  first: number;
  /** The index behind the last one seen or missed. */
  next: number;
  read: number;
  /** Told to be skipped. */
  missed: number;
  /** What came twice, in another order, unannounced or with other bytes: the first few of them. */
  readonly odd: string[];
}

const MOST_ODD = 10;
const REST_EVERY = 100;
const forever = { waitMs: Number.POSITIVE_INFINITY };

class Reader {
  readonly reading: Reading = { first: 0, next: 0, read: 0, missed: 0, odd: [] };
  readonly #restMs: number;

  constructor({ restMs }: ReaderOrder) {
    this.#restMs = restMs;
  }

  /** Whether it is time to rest. */
  see({ index, data }: Entry): boolean {
    const { reading } = this;
    if (reading.next === 0) reading.first = index;
    else if (index !== reading.next) this.#tellOdd(`${index} where ${reading.next} was to come`);
    if (!isRecord(index, data)) this.#tellOdd(`${index} is another`);
    reading.next = index + 1;
    reading.read += 1;
    return this.#restMs > 0 && reading.read % REST_EVERY === 0;
  }

  miss(from: number, to: number): void {
    const { reading } = this;
    if (reading.next !== 0 && from !== reading.next)
      this.#tellOdd(`a gap from ${from} where ${reading.next} was to come`);
    reading.next = to;
    reading.missed += to - from;
  }

  rest(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#restMs));
  }

  #tellOdd(what: string): void {
    if (this.reading.odd.length < MOST_ODD) this.reading.odd.push(what);
  }
}

async function followEntries(store: Store, order: ReaderOrder, reader: Reader): Promise<void> {
  const onGap = ({ from, to }: { from: number; to: number }): void => reader.miss(from, to);
  const entries = store.entries({ from: order.from, to: order.to + 1, follow: true, onGap });
  await tell({ id: order.id, begun: true });
  for await (const entry of entries) if (reader.see(entry)) await reader.rest();
}

/** Both in turns: one at a time, and as many as there are. Commits as it goes. */
async function followAsConsumer(consumer: Consumer, order: ReaderOrder, reader: Reader): Promise<void> {
  for (let turn = 0; reader.reading.next <= order.to; turn++) {
    const one = turn % 3 === 0 ? await consumer.next(forever) : undefined;
    const got = one === undefined ? await consumer.nextMany(100, forever) : [one];
    let isTired = false;
    for (const entry of got) isTired = reader.see(entry) || isTired;
    if (turn % 50 === 0) await consumer.commit();
    if (isTired) await reader.rest();
  }
  await consumer.commit();
}

const { directory, options } = orders<Orders>();
const store = await openStore({ ...options, directory });

async function obey(order: ReaderOrder): Promise<void> {
  const reader = new Reader(order);
  if (order.how === 'entries') await followEntries(store, order, reader);
  else {
    const consumer = await store.consumer(`reader-${order.id}`, { from: order.from });
    await tell({ id: order.id, begun: true });
    await followAsConsumer(consumer, order, reader);
    await consumer.close();
  }
  await tell({ id: order.id, reading: reader.reading });
}

process.on('disconnect', () => process.exit(1));
process.on('message', (order: ReaderOrder) => {
  // Whoever started it sees in its end that one has failed.
  obey(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
await tell({ opened: true });
