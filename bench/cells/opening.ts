import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/mod.js';
import type { Cell, Contestant, Readings } from '../cell.js';
import { start } from '../child.js';
import { contentOf, type Opening } from '../programs/opener.js';
import { OURS } from './contestants.js';

const BYTES = 100;
const BATCH = 1000;
const READS = 20_000;

function ours(records: number): Contestant {
  return {
    name: OURS,
    role: 'ours',
    async turn(directory) {
      const store = await openStore({ directory, locking: 'os', durability: 'written' });
      const batch = Array.from({ length: BATCH }, () => Buffer.alloc(BYTES));
      for (let first = 1; first <= records; first += BATCH) {
        for (const [at, record] of batch.entries()) contentOf(first + at, record);
        await store.writeMany(batch);
      }
      await store.close();
      return inFreshProcess(directory, records);
    },
  };
}

/** Opening one file and reading its last record; and a process that has the library loaded and opens nothing. */
const raw: Contestant = {
  name: 'raw',
  role: 'control',
  async turn(directory) {
    const path = join(directory, 'raw');
    const made = openSync(path, 'w');
    writeSync(made, Buffer.alloc(BYTES * BATCH));
    closeSync(made);
    const begin = performance.now();
    const file = openSync(path, 'r');
    readSync(file, Buffer.alloc(BYTES), 0, BYTES, fstatSync(file).size - BYTES);
    const ms = performance.now() - begin;
    closeSync(file);
    return { ...(await inFreshProcess('-', 0)), ms };
  },
};

async function inFreshProcess(directory: string, records: number): Promise<Readings> {
  const child = start('programs/opener.js', [directory, String(records), String(READS)]);
  const opening = await child.message<Opening>();
  await child.ended();
  return opening;
}

export function openingCell(full: boolean): Cell {
  const records = full ? 10_000_000 : 1_000_000;
  return {
    id: 'opening',
    name: `opening ${records / 1_000_000} M records`,
    group: 'footprint',
    definition: `Records of 100 bytes, in a fresh process; ${READS} of them are read anywhere and compared afterwards, and 1,000 times looked for. Control: opening one file and reading its end; the memory is that of a process that loads the library and opens nothing.`,
    records,
    fixed: true,
    measures: [
      { key: 'ms', name: 'time', unit: 'ms', targets: [{ of: OURS, atMost: 100 }] },
      { key: 'opening', name: 'memory', unit: 'MiB', targets: [{ of: OURS, atMost: 40 }] },
      { key: 'reading', name: 'memory with the reads', unit: 'MiB' },
      { key: 'whole', name: 'memory of the process', unit: 'MiB' },
      { key: 'indexAt', name: '`indexAt` of a time', unit: 'µs', targets: [{ of: OURS, atMost: 100 }] },
    ],
    contestants: [ours(records), raw],
  };
}
