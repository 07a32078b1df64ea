import type { Cell, Contestant } from '../cell.js';
import { bareLoop, type Load, loads, loopUnder } from '../event-loop.js';

function underLoad(load: Load): Contestant {
  return {
    name: load.name,
    role: 'ours',
    async turn(directory) {
      const { longest, p99, monitored } = await loopUnder(load, directory);
      return { longest, p99, monitored };
    },
  };
}

function bareCall({ name, bare }: Load): Contestant[] {
  if (bare === undefined) return [];
  return [
    {
      name: `${name}, one bare call`,
      role: 'control',
      turn: async (directory) => ({ longest: await bareLoop(bare, directory) }),
    },
  ];
}

export function eventLoopCell(): Cell {
  return {
    id: 'event loop',
    name: 'the longest time that nobody else had the event loop',
    group: 'event loop',
    definition:
      'Each turn of the loop is measured; time that the thread waited for a processor is taken off. Control: the same bytes in one call.',
    records: 1,
    fixed: true,
    rounds: 1,
    long: true,
    measures: [
      { key: 'longest', name: 'longest', unit: 'ms' },
      { key: 'p99', name: '99 % of the time in turns of at most', unit: 'ms' },
      { key: 'monitored', name: 'by Node’s monitor', unit: 'ms' },
    ],
    contestants: loads(1).flatMap((load) => [underLoad(load), ...bareCall(load)]),
  };
}
