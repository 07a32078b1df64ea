import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openQueue } from '../../src/mod.js';
import type { Cell, Contestant, Measure, Readings } from '../cell.js';
import { anyOrder, BATCH, batchOf, recordOf } from '../loops.js';
import { clocked } from '../timed.js';

const BYTES = 100;
const FILL = 1000;
/** Operations of each kind on the store that was filled. */
const MANY = 20_000;
const SINGLY = 5_000;
/** What counts as flat: the figures of a turn differ that much by themselves. */
const FLAT = 1.3;

const says = (records: number): string =>
  records >= 1_000_000 ? `${records / 1_000_000} M` : `${records / 1000} k`;

const each = async (run: () => Promise<number>): Promise<number> =>
  (await clocked(run, true))['each'] ?? Number.NaN;

/** The library's price of each operation where so many records are stored. */
function grown(stored: number): Contestant {
  return {
    name: `durostore, ${says(stored)}`,
    role: 'ours',
    async turn(directory) {
      await using queue = await openQueue<Uint8Array>({
        directory,
        codec: 'bytes',
        locking: 'os',
        durability: 'written',
      });
      const filling = batchOf(FILL, recordOf(BYTES));
      for (let n = 0; n < stored; n += FILL) await queue.enqueueMany(filling);
      const batch = batchOf(BATCH, recordOf(BYTES));
      const half = Math.floor(stored / 2);
      const window = Math.min(MANY, half);
      const order = anyOrder(stored, MANY);
      return {
        append: await each(async () => {
          for (let n = 0; n < MANY; n += BATCH) await queue.enqueueMany(batch);
          return MANY;
        }),
        scan: await each(async () => {
          let count = 0;
          for await (const { data } of queue.store.entries({ from: half, limit: window }))
            count += data.length > 0 ? 1 : 0;
          return count;
        }),
        read: await each(async () => {
          for (const index of order) await queue.read(index);
          return order.length;
        }),
        dequeue: await each(async () => {
          for (let n = 0; n < SINGLY; n++) await queue.dequeue();
          return SINGLY;
        }),
        through: await each(async () => {
          for (let n = 0; n < MANY; n += BATCH) {
            await queue.enqueueMany(batch);
            await queue.dequeueMany(BATCH);
          }
          return MANY;
        }),
      } satisfies Readings;
    },
  };
}

/** One file of so many records, and the plain calls on it. */
function rawGrown(stored: number): Contestant {
  return {
    name: `raw, ${says(stored)}`,
    role: 'control',
    async turn(directory) {
      const file = openSync(join(directory, 'raw'), 'w+');
      const block = Buffer.alloc(BYTES * FILL, 7);
      for (let n = 0; n < stored; n += FILL) writeSync(file, block, 0, block.length, n * BYTES);
      const half = Math.floor(stored / 2) * BYTES;
      const window = Math.min(MANY, stored / 2);
      const into = Buffer.alloc(BYTES * BATCH);
      let end = stored * BYTES;
      let taken = 0;
      const append = async (bytes: number): Promise<void> => {
        writeSync(file, into, 0, bytes, end);
        end += bytes;
      };
      const readings = {
        append: await each(async () => {
          for (let n = 0; n < MANY; n += BATCH) await append(into.length);
          return MANY;
        }),
        scan: await each(async () => {
          for (let n = 0; n < window; n += BATCH) readSync(file, into, 0, into.length, half + n * BYTES);
          return window;
        }),
        read: await each(async () => {
          for (const index of anyOrder(stored, MANY)) readSync(file, into, 0, BYTES, (index - 1) * BYTES);
          return MANY;
        }),
        dequeue: await each(async () => {
          for (let n = 0; n < SINGLY; n++) taken += readSync(file, into, 0, BYTES, taken);
          return SINGLY;
        }),
        through: await each(async () => {
          for (let n = 0; n < MANY; n += BATCH) {
            await append(into.length);
            taken += readSync(file, into, 0, into.length, taken);
          }
          return MANY;
        }),
      };
      closeSync(file);
      return readings satisfies Readings;
    },
  };
}

/** The same operations on stores of ever more records: what one costs must not depend on how many there are. */
export function growthCell(full: boolean): Cell {
  const sizes = [10_000, 100_000, 1_000_000, ...(full ? [10_000_000] : [])];
  const [smallest = 0] = sizes;
  const to = `durostore, ${says(smallest)}`;
  const targets = sizes.slice(1).map((size) => ({ of: `durostore, ${says(size)}`, to, atMost: FLAT }));
  const measure = (key: string, name: string): Measure => ({ key, name, unit: 'µs a record', targets });
  return {
    id: 'growth',
    name: 'by how many records are stored',
    group: 'growth',
    definition:
      'Records of 100 bytes; so many are stored before the time is taken. Raw: plain calls on one file of so many records.',
    records: MANY,
    fixed: true,
    warms: true,
    measures: [
      measure('append', 'append by 100 (W1b)'),
      measure('scan', `read ${MANY} in order from the middle (W2)`),
      measure('read', 'read anywhere (W3)'),
      measure('dequeue', 'dequeue, one at a time'),
      measure('through', 'enqueue and dequeue by 100 (W4b)'),
    ],
    contestants: [...sizes.map((size) => grown(size)), ...sizes.map((size) => rawGrown(size))],
  };
}
