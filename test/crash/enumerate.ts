import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import type { Random } from '../support/random.js';
import { Actor, machineFor } from './actor.js';
import { CUTS, type Findings } from './explore.js';
import { History } from './history.js';
import { Judge } from './judge.js';
import { type Moment, Recorder, torn } from './moments.js';
import { keptBy, type Program } from './programs.js';
import type { States } from './states.js';

interface Effort {
  /** How often a power cut that leaves things to chance is tried at each operation. */
  readonly chances: number;
  /** Writes are torn at each byte up to here, and at so many places beyond. */
  readonly tornAtEachOf: number;
  readonly tornBeyond: number;
}

/** An opening with lock files takes several times as long, for each has to take over. */
const effortFor = ({ options }: Program): Effort =>
  options.locking === 'lockfile'
    ? { chances: 1, tornAtEachOf: 36, tornBeyond: 4 }
    : { chances: 2, tornAtEachOf: 64, tornBeyond: 8 };
/** One torn write in so many meets a power cut too. */
const CUT_ONE_IN = 3;

/** All moments of a program. */
export async function momentsOf(program: Program): Promise<readonly Moment[]> {
  const machine = machineFor(program.options);
  const history = new History(keptBy(program.options));
  const recorder = new Recorder(machine, history);
  machine.onOperation = recorder.before;
  const actor = new Actor(machine.opener('worker'), history, program.options);
  await program.run(actor);
  if (actor.gaveUp > 0) throw new Error('a write waited for room in vain');
  machine.onOperation = undefined;
  return recorder.end();
}

/**
 * The process dies at each operation of a program, before it and at any byte of its writes; and the power with it, which
 * leaves any of what was not synced. Each state that comes of it is judged once.
 */
export async function enumerateCrashes(
  program: Program,
  numbers: Random,
  states: States,
  findings: Findings,
): Promise<void> {
  const effort = effortFor(program);
  const judge = new Judge(program.options);
  for (const moment of await momentsOf(program)) {
    const { operation, machine, history } = moment;
    const where = `at ${operation?.n}, ${operation?.kind ?? 'the end'} ${operation?.path ?? ''}`;
    const look = async (state: typeof machine, after: 'death' | 'cut', how: string): Promise<void> => {
      if (states.add(state, history, after))
        findings.add(`${where}${how}`, await judge.judge(state, history, after));
    };
    const cutPower = async (from: typeof machine, cut: PowerCut, how: string): Promise<void> => {
      const state = from.fork(1);
      const chosen = { ...cut, seed: numbers.integer(0, 2 ** 31) };
      state.powerCut(chosen);
      await look(state, 'cut', `${how}; ${JSON.stringify(chosen)}`);
    };
    await look(machine.fork(1), 'death', '');
    for (const cut of CUTS)
      for (let chance = isByChance(cut) ? effort.chances : 1; chance > 0; chance--)
        await cutPower(machine, cut, '');
    for (const bytes of placesToTear(operation?.write?.bytes.length ?? 0, effort, numbers)) {
      const state = torn(moment, bytes);
      if (state === undefined) break;
      const how = `, torn at ${bytes}`;
      if (numbers.chance(1 / CUT_ONE_IN)) await cutPower(state, numbers.pick(CUTS), how);
      await look(state, 'death', how);
    }
  }
}

const isByChance = ({ writes, names, sizes }: PowerCut): boolean => [writes, names, sizes].includes('random');

function placesToTear(length: number, { tornAtEachOf, tornBeyond }: Effort, numbers: Random): number[] {
  const places = Array.from({ length: Math.max(0, Math.min(length - 1, tornAtEachOf)) }, (_, at) => at + 1);
  for (let more = 0; more < tornBeyond && length > tornAtEachOf + 1; more++)
    places.push(numbers.integer(tornAtEachOf + 1, length - 1));
  return places;
}
