import type { Cell } from '../cell.js';
import { BATCH, putBy, putSingly, putTogether, RECORD_BYTES, recordOf, TOGETHER } from '../loops.js';
import type { Subject } from '../subject.js';
import { durostore } from '../subjects/durostore.js';
import { rawFile } from '../subjects/raw.js';
import { timed, type Work } from '../timed.js';
import { oursAndControls, peersAt, target } from './contestants.js';

const record = recordOf(RECORD_BYTES);
const each = { key: 'each', name: '', unit: 'µs a record', lead: true };

/** Without a way to put records one by one that do not wait for each other, other than singly. */
const SYNCHRONOUS = ['better-sqlite3', 'plainjob'];

export function appendCells(peers: readonly Subject[]): Cell[] {
  const singly: Work = { run: putSingly(record) };
  const batches: Work = { run: putBy(BATCH, record) };
  const together: Work = { run: putTogether(TOGETHER, record) };
  return [
    {
      id: 'W1a',
      name: 'append, one at a time',
      group: 'append',
      definition:
        'Records of 1,024 bytes, each awaited before the next (`enqueue`). Raw: one `writeSync` a record to one file.',
      records: 50_000,
      measures: [{ ...each, targets: [target(3.3)] }],
      contestants: [...oursAndControls(singly), ...peersAt(peers, singly)],
    },
    {
      id: 'W1b',
      name: 'append by 100',
      group: 'append',
      definition: 'Batches of 100 (`enqueueMany`). Raw: one `writeSync` of 100 KiB by 100 records.',
      records: 200_000,
      measures: [{ ...each, targets: [target(1.8)] }],
      contestants: [...oursAndControls(batches), ...peersAt(peers, batches)],
    },
    {
      id: 'W1c',
      name: 'append, 64 promises at a time',
      group: 'append',
      definition:
        'Windows of 64 calls that do not wait for each other. Raw: 64 writes of 1 KiB at a time in the thread pool.',
      records: 128_000,
      measures: [{ ...each, targets: [target(0.4)] }],
      contestants: [
        timed(durostore, 'ours', together),
        timed(rawFile(RECORD_BYTES), 'control', together),
        ...peersAt(peers, together, SYNCHRONOUS),
      ],
    },
  ];
}

/** Peers whose documented set-up syncs nothing before it answers; a writable map has to be synced as any other. */
const UNSYNCED = ['plainjob', 'JetStream', 'lmdb, write map'];

/** A device's pace drifts, and whoever waits for the same device is as fast, within a few microseconds. */
const SYNCED_ROUNDS = 9;

export function syncedCells(peers: readonly Subject[]): Cell[] {
  const singly: Work = { durability: 'synced', run: putSingly(record) };
  const batches: Work = { durability: 'synced', run: putBy(BATCH, record) };
  return [
    {
      id: 'W5a',
      name: 'commit on the device, one at a time',
      group: 'synced',
      definition: `As W1a, each on the device when its promise resolves; ${SYNCED_ROUNDS} rounds. Raw: \`writeSync\` and \`fdatasyncSync\`, the file grows.`,
      records: 6_000,
      rounds: SYNCED_ROUNDS,
      measures: [{ ...each, targets: [target(0.8)] }],
      contestants: [...oursAndControls(singly), ...peersAt(peers, singly, UNSYNCED)],
    },
    {
      id: 'W5b',
      name: 'commit on the device, by 100',
      group: 'synced',
      definition: `As W1b, each batch on the device; ${SYNCED_ROUNDS} rounds. Raw: one \`writeSync\` by 100 and \`fdatasyncSync\`, the file grows.`,
      records: 50_000,
      rounds: SYNCED_ROUNDS,
      measures: [{ ...each, targets: [target(1.3)] }],
      contestants: [...oursAndControls(batches), ...peersAt(peers, batches, UNSYNCED)],
    },
  ];
}
