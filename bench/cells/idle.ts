import type { Cell } from '../cell.js';
import { idle } from '../idle.js';
import { OURS } from './contestants.js';

const SECONDS = 60;
/** Percent of a core. */
const AT_MOST = 0.5;

export function idleCell(): Cell {
  return {
    id: 'idle',
    name: 'fifty calls wait for messages that do not come',
    group: 'two processes',
    definition: `One process, ${SECONDS} seconds, beginning a second after all wait; first while nothing happens, then while another process holds messages, whose death would raise no notice.`,
    records: 1,
    fixed: true,
    long: true,
    rounds: 1,
    measures: [
      {
        key: 'cpu',
        name: 'processor, nothing happens',
        unit: '% of a core',
        targets: [{ of: OURS, atMost: AT_MOST }],
      },
      { key: 'switches', name: 'context switches, nothing happens', unit: 'a second' },
      {
        key: 'cpuHeld',
        name: 'processor, another process holds messages',
        unit: '% of a core',
        targets: [{ of: OURS, atMost: AT_MOST }],
      },
      { key: 'switchesHeld', name: 'context switches, another process holds messages', unit: 'a second' },
    ],
    contestants: [
      {
        name: OURS,
        role: 'ours',
        async turn(directory) {
          const [nothing, held] = await idle(SECONDS, directory);
          return {
            cpu: nothing?.cost.cpu ?? Number.NaN,
            switches: nothing?.cost.contextSwitches ?? Number.NaN,
            cpuHeld: held?.cost.cpu ?? Number.NaN,
            switchesHeld: held?.cost.contextSwitches ?? Number.NaN,
          };
        },
      },
    ],
  };
}
