import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Random } from '../support/random.js';
import { type Options, openOn } from './actor.js';
import { momentsOf } from './enumerate.js';
import { CUTS, type Findings } from './explore.js';
import type { History } from './history.js';
import { Judge } from './judge.js';
import { type Moment, Recorder, torn } from './moments.js';
import type { Program } from './programs.js';
import type { States } from './states.js';

/** How many first crashes of a program are followed into the recovery. */
const FIRST_CRASHES = 5;

/** All moments of an opening that finds what a crash left, and of the closing. */
async function momentsOfRecovery(
  machine: MemoryDisk,
  history: History,
  options: Options,
): Promise<readonly Moment[]> {
  const recorder = new Recorder(machine, history);
  machine.onOperation = recorder.before;
  await (await openOn(machine.opener('recovers'), options)).close();
  machine.onOperation = undefined;
  return recorder.end();
}

/** Some crashes of a program, each followed by a crash at each operation of the recovery. */
export async function crashTwice(
  program: Program,
  numbers: Random,
  states: States,
  findings: Findings,
): Promise<void> {
  const judge = new Judge(program.options);
  const moments = await momentsOf(program);
  for (let sample = 0; sample < FIRST_CRASHES; sample++) {
    const moment = numbers.pick(moments);
    const { history, operation } = moment;
    const length = operation?.write?.bytes.length ?? 0;
    const tear = length > 1 && numbers.chance(0.5) ? numbers.integer(1, length - 1) : 0;
    const machine = (tear > 0 ? torn(moment, tear) : undefined) ?? moment.machine.fork(1);
    const first = numbers.chance(0.3)
      ? undefined
      : { ...numbers.pick(CUTS), seed: numbers.integer(0, 2 ** 31) };
    if (first !== undefined) machine.powerCut(first);
    const where = JSON.stringify({ n: operation?.n, tear, first });
    const look = async (state: MemoryDisk, after: 'death' | 'cut', how: string): Promise<void> => {
      if (states.add(state, history, after))
        findings.add(`${where}; ${how}`, await judge.judge(state, history, after));
    };
    for (const second of await momentsOfRecovery(machine, history, program.options)) {
      const { operation: m } = second;
      const bytes = m?.write?.bytes.length ?? 0;
      const place = bytes > 1 ? numbers.integer(1, bytes - 1) : 0;
      const left = (place > 0 && numbers.chance(0.5) ? torn(second, place) : undefined) ?? second.machine;
      const how = `${m?.n} ${m?.kind ?? 'the end'} ${m?.path ?? ''}, torn at ${place}`;
      const cut = { ...numbers.pick(CUTS), seed: numbers.integer(0, 2 ** 31) };
      const fork = left.fork(1);
      fork.powerCut(cut);
      await look(fork, 'cut', `${how}; ${JSON.stringify(cut)}`);
      await look(left.fork(1), first === undefined ? 'death' : 'cut', `${how}; death`);
    }
  }
}
