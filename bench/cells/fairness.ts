import type { Cell } from '../cell.js';
import { fairness } from '../fairness.js';
import { OURS } from './contestants.js';

const PROCESSES = 8;
const SECONDS = 10;
/** The most that one may have, as a multiple of what another one of its kind has. */
const FAIR = 1.5;

export function fairnessCell(): Cell {
  const targets = [{ of: OURS, atMost: FAIR }];
  return {
    id: 'fairness',
    name: `${PROCESSES} processes enqueue and ${PROCESSES} dequeue at the same time`,
    group: 'contention',
    definition: `Records of 200 bytes, one at a time, for ${SECONDS} seconds; the largest share as a multiple of the smallest.`,
    records: 1,
    fixed: true,
    measures: [
      { key: 'producers', name: 'shares of those who enqueue', unit: 'times', targets },
      { key: 'consumers', name: 'shares of those who dequeue', unit: 'times', targets },
      { key: 'longest', name: 'longest without a turn', unit: 'ms' },
    ],
    contestants: [
      {
        name: OURS,
        role: 'ours',
        async turn(directory) {
          const { producers, consumers } = await fairness(PROCESSES, SECONDS, directory);
          const longest = Math.max(producers.longestMs, consumers.longestMs);
          return { producers: producers.spread, consumers: consumers.spread, longest };
        },
      },
    ],
  };
}
