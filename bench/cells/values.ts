import { openQueue, type Queue } from '../../src/mod.js';
import type { Cell, Contestant } from '../cell.js';
import { BATCH } from '../loops.js';
import { clocked } from '../timed.js';

/** An order as a shop would store it: about 300 bytes of JSON. */
const order = {
  id: 4711,
  customer: { name: 'Ada Lovelace', mail: 'ada@example.org', since: '2024-02-29T12:00:00.000Z' },
  items: [
    { sku: 'B-1024', count: 2, price: 19.9 },
    { sku: 'K-0007', count: 1, price: 249 },
  ],
  paid: true,
  note: 'Please leave it with the neighbours if nobody is at home.',
  tags: ['express', 'gift'],
};
const values = Array.from({ length: BATCH }, () => order);
const BY_HAND = 'bytes, JSON by hand';

async function inAndOut<T>(
  queue: Queue<T>,
  records: number,
  encode: () => T[],
  decode: (value: T) => unknown,
): Promise<number> {
  for (let n = 0; n < records; n += BATCH) await queue.enqueueMany(encode());
  for (let taken = 0; taken < records; ) {
    const some = await queue.dequeueMany(BATCH);
    for (const one of some) kept = decode(one);
    taken += some.length;
  }
  return records;
}

/** The last value, kept so that no decoding is optimised away. */
export let kept: unknown;

const encoded = (): Uint8Array[] => values.map((value) => Buffer.from(JSON.stringify(value)));
const decoded = (bytes: Uint8Array): unknown =>
  JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());

const ours: Contestant = {
  name: 'durostore',
  role: 'ours',
  async turn(directory, records) {
    await using queue = await openQueue<unknown>({ directory, locking: 'os', durability: 'written' });
    return await clocked(
      () =>
        inAndOut(
          queue,
          records,
          () => values,
          (value) => value,
        ),
      true,
    );
  },
};

const byHand: Contestant = {
  name: BY_HAND,
  role: 'control',
  async turn(directory, records) {
    await using queue = await openQueue<Uint8Array>({
      directory,
      codec: 'bytes',
      locking: 'os',
      durability: 'written',
    });
    return await clocked(() => inAndOut(queue, records, encoded, decoded), true);
  },
};

const alone: Contestant = {
  name: 'JSON alone',
  role: 'control',
  turn: (_, records) =>
    clocked(async () => {
      for (let n = 0; n < records; n += BATCH) for (const bytes of encoded()) kept = decoded(bytes);
      return records;
    }, true),
};

export function valueCells(): Cell[] {
  return [
    {
      id: 'JSON values',
      name: 'values as JSON, enqueue all and dequeue all by 100',
      group: 'values',
      definition: `Objects of ${JSON.stringify(order).length} bytes of JSON. Controls: a queue of bytes whose user calls JSON.stringify and JSON.parse; those two without a queue.`,
      records: 100_000,
      measures: [
        {
          key: 'each',
          name: '',
          unit: 'µs a record',
          targets: [{ of: 'durostore', to: BY_HAND, atMost: 1.1 }],
        },
      ],
      contestants: [ours, byHand, alone],
    },
  ];
}
