import type { Cell } from '../cell.js';
import { BATCH, claimBy, putBy, putSingly, RECORD_BYTES, recordOf, takeBy } from '../loops.js';
import type { Opened, Subject } from '../subject.js';
import type { Work } from '../timed.js';
import { oursAndControls, peersAt, target } from './contestants.js';

const record = recordOf(RECORD_BYTES);
const each = { key: 'each', name: '', unit: 'µs a record' };

/** Puts all, then takes all. */
function through(size: number): Work {
  const put = size === 1 ? putSingly(record) : putBy(size, record);
  const take = takeBy(size);
  return { run: async (opened, records) => take(opened, await put(opened, records)) };
}

export function throughCells(peers: readonly Subject[]): Cell[] {
  return [
    {
      id: 'W4a',
      name: 'enqueue all, then dequeue all, one at a time',
      group: 'through',
      definition:
        'Each call awaited; what is dequeued is gone. Raw: one `writeSync` a record, then one `readSync` a record.',
      records: 50_000,
      measures: [{ ...each, lead: true, targets: [target(4.3)] }],
      contestants: [...oursAndControls(through(1)), ...peersAt(peers, through(1))],
    },
    {
      id: 'W4b',
      name: 'enqueue all, then dequeue all, by 100',
      group: 'through',
      definition: 'The same by 100 (`enqueueMany`, `dequeueMany`). Raw: the same calls for 100 records each.',
      records: 200_000,
      measures: [{ ...each, lead: true, targets: [target(2.9)] }],
      // plainjob takes jobs only singly.
      contestants: [...oursAndControls(through(BATCH)), ...peersAt(peers, through(BATCH), ['plainjob'])],
    },
  ];
}

export function claimCells(): Cell[] {
  const fill = async (opened: Opened, records: number): Promise<void> => {
    if (opened.claim !== undefined) await putBy(BATCH, record)(opened, records);
  };
  return [
    {
      id: 'claim + ack',
      name: 'claim and acknowledge, one at a time',
      group: 'through',
      definition:
        'From a filled queue, at least once: `await claim`, `await ack`. Raw: one write and one read of 1 KiB (that of W4a).',
      records: 50_000,
      measures: [{ ...each, targets: [target(6)] }],
      contestants: oursAndControls({ fill, run: claimBy(1) }),
    },
    {
      id: 'claim + ack by 100',
      name: 'claim and acknowledge by 100',
      group: 'through',
      definition:
        '`claimMany` of 100, all acknowledged together. Raw: one write and one read of 100 KiB by 100 records.',
      records: 200_000,
      measures: [{ ...each, targets: [target(4.4)] }],
      contestants: oursAndControls({ fill, run: claimBy(BATCH) }),
    },
  ];
}
