import type { Random } from '../support/random.js';
import { enumerateCrashes } from './enumerate.js';
import type { Findings } from './explore.js';
import { failEachCall } from './failing-calls.js';
import { fillAtEach } from './full-at-each-operation.js';
import type { Program } from './programs.js';
import { crashTwice } from './second-crash.js';
import { States } from './states.js';

/** What was seen of one program, besides what is wrong. */
export interface Sights {
  /** States that came up, and how many of them were judged: two that are the same are one. */
  readonly visited?: number;
  readonly distinct?: number;
  /** What callers were told. */
  readonly codes?: readonly string[];
}

type Explore = (program: Program, numbers: Random, findings: Findings) => Promise<Sights>;

const inStates =
  (
    explore: (program: Program, numbers: Random, states: States, findings: Findings) => Promise<void>,
  ): Explore =>
  async (program, numbers, findings) => {
    const states = new States();
    await explore(program, numbers, states, findings);
    return { visited: states.visited, distinct: states.distinct };
  };

/** What is done with each program, in threads. */
export const explorations = {
  deaths: inStates(enumerateCrashes),
  'second crash': inStates(crashTwice),
  'failing calls': async (program, numbers, findings) => ({
    codes: [...(await failEachCall(program, numbers, findings))],
  }),
  'full disk': async (program, numbers, findings) => {
    await fillAtEach(program, numbers, findings);
    return {};
  },
} satisfies Record<string, Explore>;

export type Exploration = keyof typeof explorations;
