import type { Cell, Readings } from '../cell.js';
import { idle } from '../idle.js';
import { OURS } from './contestants.js';

/** Percent of one core. */
const MOST_CPU = 0.5;
/** V8 tidies up once in the first seconds of quiet, which in ten would be half of it. */
const SECONDS = 60;
const SITUATIONS = ['nothing happens', 'another process holds messages'];

export function idleCell(): Cell {
  return {
    id: 'idle',
    name: 'fifty calls of one process wait for messages that do not come',
    group: 'idle',
    definition: `For ${SECONDS} seconds; the percentage is of one core, context switches are those of all threads.`,
    records: 1,
    fixed: true,
    rounds: 1,
    measures: SITUATIONS.flatMap((name) => [
      { key: `${name} cpu`, name: `${name}, CPU`, unit: '%', targets: [{ of: OURS, atMost: MOST_CPU }] },
      { key: `${name} switches`, name: `${name}, context switches`, unit: 'a second' },
    ]),
    contestants: [
      {
        name: OURS,
        role: 'ours',
        async turn(directory): Promise<Readings> {
          const told = await idle(SECONDS, directory);
          return Object.fromEntries(
            told.flatMap(({ name, cost: { cpu, contextSwitches } }) => [
              [`${name} cpu`, cpu],
              [`${name} switches`, contextSwitches],
            ]),
          );
        },
      },
    ],
  };
}
