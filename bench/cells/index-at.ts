import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '../../src/mod.js';
import type { Cell, Contestant } from '../cell.js';
import { batchOf, recordOf } from '../loops.js';
import { clocked } from '../timed.js';

const BYTES = 20;
const FILL = 1000;
const LOOKS = 2000;
const TIME_BYTES = 8;
const AT_MOST_US = 100;

const says = (records: number): string => `${records / 1_000_000} M`;

/** The first record of each time, in order, by reading all of them. */
async function timesOf(store: Store): Promise<{ readonly time: number; readonly index: number }[]> {
  const times: { time: number; index: number }[] = [];
  for await (const { time: date, index } of store.entries()) {
    const time = date.getTime();
    if (times.at(-1)?.time !== time) times.push({ time, index });
  }
  return times;
}

function stored(records: number): Contestant {
  return {
    name: `durostore, ${says(records)}`,
    role: 'ours',
    async turn(directory) {
      await using store = await openStore({ directory, durability: 'written' });
      const batch = batchOf(FILL, recordOf(BYTES));
      for (let n = 0; n < records; n += FILL) await store.writeMany(batch);
      const times = await timesOf(store);
      const chosen = Array.from({ length: LOOKS }, () => Math.floor(Math.random() * times.length));
      const found: number[] = [];
      const readings = await clocked(async () => {
        for (const at of chosen) found.push(await store.indexAt(times[at]?.time ?? 0));
        return LOOKS;
      }, true);
      for (const [n, at] of chosen.entries())
        if (found[n] !== times[at]?.index)
          throw new Error(`${found[n]} is not the first record of ${times[at]?.time}`);
      return readings;
    },
  };
}

/** A plain file of so many times, halved by plain calls. */
function rawTimes(records: number): Contestant {
  return {
    name: `raw, ${says(records)}`,
    role: 'control',
    async turn(directory) {
      const file = openSync(join(directory, 'raw'), 'w+');
      const block = Buffer.alloc(TIME_BYTES * FILL);
      for (let n = 0; n < records; n += FILL) {
        for (let at = 0; at < FILL; at++) block.writeDoubleLE(n + at, at * TIME_BYTES);
        writeSync(file, block, 0, block.length, n * TIME_BYTES);
      }
      const one = Buffer.alloc(TIME_BYTES);
      const timeAt = (n: number): number => {
        readSync(file, one, 0, TIME_BYTES, n * TIME_BYTES);
        return one.readDoubleLE(0);
      };
      const readings = await clocked(async () => {
        for (let look = 0; look < LOOKS; look++) {
          const time = Math.floor(Math.random() * records);
          let [low, high] = [0, records - 1];
          while (low < high) {
            const middle = Math.floor((low + high) / 2);
            if (timeAt(middle) < time) low = middle + 1;
            else high = middle;
          }
          if (low !== time) throw new Error(`${low} is not ${time}`);
        }
        return LOOKS;
      }, true);
      closeSync(file);
      return readings;
    },
  };
}

/** Which record was the first at a time: halved over the segments, and over the entries of one. */
export function indexAtCell(full: boolean): Cell {
  const sizes = [1_000_000, ...(full ? [10_000_000] : [])];
  return {
    id: 'indexAt',
    name: 'the first record of a time',
    group: 'streams',
    definition: `${LOOKS} times of records, chosen at random, among records of ${BYTES} bytes; each answer is compared with what reading all of them tells. Raw: a file of times alone, halved by plain calls.`,
    records: LOOKS,
    fixed: true,
    rounds: 2,
    measures: [
      {
        key: 'each',
        name: 'a look',
        unit: 'µs',
        targets: sizes.map((size) => ({ of: `durostore, ${says(size)}`, atMost: AT_MOST_US })),
      },
    ],
    contestants: [...sizes.map((size) => stored(size)), ...sizes.map((size) => rawTimes(size))],
  };
}
