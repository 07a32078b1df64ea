import type { Cell } from '../cell.js';
import { putSingly, RECORD_BYTES, recordOf, takeBy } from '../loops.js';
import { durostore, durostoreWith } from '../subjects/durostore.js';
import { rawFile } from '../subjects/raw.js';
import { timed, type Work } from '../timed.js';
import { OURS } from './contestants.js';

const NONE = "locking: 'none'";
const LOCKFILE = "locking: 'lockfile'";
/** Without locks a third faster at least, with lock files that nobody else wants at least half as fast. */
const TARGETS = [
  { of: NONE, to: OURS, atMost: 0.67 },
  { of: LOCKFILE, to: OURS, atMost: 2 },
];

export function lockingCells(): Cell[] {
  const put = putSingly(recordOf(RECORD_BYTES));
  const works: readonly (readonly [id: string, name: string, work: Work])[] = [
    ['W1a by locking', 'append, one at a time', { run: put }],
    [
      'W4a by locking',
      'enqueue all, then dequeue all, one at a time',
      { run: async (opened, records) => takeBy(1)(opened, await put(opened, records)) },
    ],
  ];
  return works.map(([id, name, work]) => ({
    id,
    name: `${name}, by the way of locking`,
    group: 'locking',
    definition:
      'The default, which is the lock of the operating system, beside the other two; nobody else has the directory open.',
    records: 50_000,
    measures: [{ key: 'each', name: '', unit: 'µs a record', targets: TARGETS }],
    contestants: [
      timed(durostore, 'ours', work),
      timed(durostoreWith(NONE, { locking: 'none' }), 'variant', work),
      timed(durostoreWith(LOCKFILE, { locking: 'lockfile' }), 'variant', work),
      timed(rawFile(RECORD_BYTES), 'control', work),
    ],
  }));
}
