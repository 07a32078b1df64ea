import type { Cell } from '../cell.js';
import { BATCH, putBy, RECORD_BYTES, recordOf, takeBy } from '../loops.js';
import type { Opened, Subject } from '../subject.js';
import { rawFile } from '../subjects/raw.js';
import { timed, type Work } from '../timed.js';
import { OURS, oursAndControls, peersAt } from './contestants.js';

const SIZES = [
  { bytes: 100, says: '100 bytes', by: BATCH, records: 400_000 },
  { bytes: 64 * 1024, says: '64 KiB', by: 10, records: 8_000 },
];
const STORES = ['lmdb', 'better-sqlite3'];
const REFERENCE = 'raw, 1 KiB';
/** 0.25 µs where raw batches of 1 KiB records cost 0.35. */
const SMALL_TARGET = { of: OURS, to: REFERENCE, atMost: 0.71 };

/** The sizes beside 1 KiB, which W1b and W4b have. */
export function sizeCells(peers: readonly Subject[]): Cell[] {
  const stores = peers.filter(({ name }) => STORES.includes(name));
  const each = { key: 'each', name: '', unit: 'µs a record' };
  const kibibyte: Work = { run: putBy(BATCH, recordOf(RECORD_BYTES)) };
  return SIZES.flatMap(({ bytes, says, by, records }): Cell[] => {
    const put: Work = { run: putBy(by, recordOf(bytes)) };
    const fill = async (opened: Opened, count: number): Promise<void> => {
      await putBy(by, recordOf(bytes))(opened, count);
    };
    const take: Work = { fill, run: takeBy(by) };
    const small = bytes < RECORD_BYTES;
    return [
      {
        id: `enqueue ${says}`,
        name: `enqueue by ${by}, records of ${says}`,
        group: 'sizes',
        definition: `Raw: one write by ${by} records.${small ? ' The target refers to W1b’s raw row, measured again here.' : ''}`,
        records,
        measures: [{ ...each, targets: small ? [SMALL_TARGET] : [] }],
        contestants: [
          ...oursAndControls(put, bytes),
          ...(small ? [{ ...timed(rawFile(RECORD_BYTES), 'control', kibibyte), name: REFERENCE }] : []),
          ...peersAt(stores, put),
        ],
      },
      {
        id: `dequeue ${says}`,
        name: `dequeue by ${by}, records of ${says}`,
        group: 'sizes',
        definition: `Raw: one read by ${by} records.`,
        records,
        measures: [each],
        contestants: [...oursAndControls(take, bytes), ...peersAt(stores, take)],
      },
    ];
  });
}
