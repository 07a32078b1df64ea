import type { Cell } from '../cell.js';
import { BATCH, putBy, RECORD_BYTES, readAnywhere, recordOf, scan } from '../loops.js';
import type { Opened, Subject } from '../subject.js';
import type { Work } from '../timed.js';
import { oursAndControls, peersAt, target } from './contestants.js';

const fill = async (opened: Opened, records: number): Promise<void> => {
  await putBy(BATCH, recordOf(RECORD_BYTES))(opened, records);
};
const each = { key: 'each', name: '', unit: 'µs a record' };

/** Reads as lmdb does without it. */
const SAME = ['lmdb, write map'];

export function readCells(peers: readonly Subject[]): Cell[] {
  const inOrder: Work = { as: 'log', fill, reopened: true, run: scan };
  const anywhere: Work = { as: 'log', fill, reopened: true, run: readAnywhere };
  return [
    {
      id: 'W2',
      name: 'read all in order',
      group: 'read',
      definition:
        'All records of a store that was opened anew (`entries`). Raw: 1 MiB by `readSync`, in order.',
      records: 200_000,
      measures: [{ ...each, lead: true, targets: [target(3.3)] }],
      // BullMQ has no way to read its jobs in order without taking them.
      contestants: [...oursAndControls(inOrder), ...peersAt(peers, inOrder, [...SAME, 'BullMQ'])],
    },
    {
      id: 'W3',
      name: 'read anywhere',
      group: 'read',
      definition:
        'Single records by index, in any order, after opening anew (`read`). Raw: one `readSync` of 1 KiB each.',
      records: 100_000,
      measures: [{ ...each, targets: [target(1.5)] }],
      contestants: [...oursAndControls(anywhere), ...peersAt(peers, anywhere, SAME)],
    },
  ];
}
