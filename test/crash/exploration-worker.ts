/** Explores programs, one at a time, in a thread. */
import { randomFrom } from '../support/random.js';
import { type Exploration, explorations, type Sights } from './exploration.js';
import { Findings } from './explore.js';
import { programs } from './programs.js';

export interface Orders {
  readonly exploration: Exploration;
  readonly program: string;
  readonly seed: number;
}

export interface Report extends Sights {
  /** How many states were found in order or not. */
  readonly states: number;
  /** The first few in full, and how many there were. */
  readonly failures: readonly { readonly where: string; readonly found: readonly string[] }[];
  readonly bad: number;
}

export default async function explore({ exploration, program: name, seed }: Orders): Promise<Report> {
  const program = programs.find((one) => one.name === name);
  if (program === undefined) throw new Error(`there is no program ${name}`);
  const failures: { where: string; found: readonly string[] }[] = [];
  let bad = 0;
  const findings = new Findings({
    fail: (where, { found }) => failures.push({ where, found }),
    equal: (found) => {
      bad = found;
    },
  });
  const sights = await explorations[exploration](program, randomFrom(seed), findings);
  findings.end(name);
  return { ...sights, states: findings.states, failures, bad };
}
