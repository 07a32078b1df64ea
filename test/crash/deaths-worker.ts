/** Enumerates the crashes of one program, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { randomFrom } from '../support/random.js';
import { enumerateCrashes } from './enumerate.js';
import { Findings } from './explore.js';
import { programs } from './programs.js';
import { States } from './states.js';

export interface WorkerOrders {
  readonly program: string;
  readonly seed: number;
}

export interface WorkerReport {
  readonly visited: number;
  readonly distinct: number;
  /** The first few in full, and how many there were. */
  readonly failures: readonly { readonly where: string; readonly found: readonly string[] }[];
  readonly bad: number;
}

const { program: name, seed } = workerData as WorkerOrders;
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
const states = new States();
await enumerateCrashes(program, randomFrom(seed), states, findings);
findings.end(name);
const report: WorkerReport = { visited: states.visited, distinct: states.distinct, failures, bad };
parentPort?.postMessage(report);
