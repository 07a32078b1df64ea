import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import { Actor, machineFor } from './actor.js';
import { History } from './history.js';
import { keptBy, type Program } from './programs.js';

/** What a power cut may do to what was not synced. */
export const CUTS: readonly [PowerCut, ...PowerCut[]] = [
  { writes: 'lose', names: 'lose' },
  { writes: 'keep', names: 'keep' },
  { writes: 'lose', names: 'keep' },
  { writes: 'keep', names: 'lose' },
  { writes: 'lose', names: 'keep', sizes: 'keep' },
  { writes: 'random', names: 'keep', tear: 'sector', sizes: 'random' },
  { writes: 'random', names: 'random', tear: 'byte' },
  { writes: 'random', names: 'random', tear: 'sector', garble: true, sizes: 'random' },
];

/** The first, and two of the others in turn. */
export const cutsAt = (n: number): PowerCut[] => {
  const [all, ...others] = CUTS;
  return [all, ...[2 * n, 2 * n + 1].map((at) => others[at % others.length] ?? all)];
};

/** More than any test here needs: a loop that does not end. */
export const MOST_OPERATIONS = 20_000;

export interface Outcome {
  readonly machine: MemoryDisk;
  readonly history: History;
  /** Whether the fault happened. */
  readonly struck: Operation | undefined;
}

/** Runs a program until its process dies by the fault, which `strikes` once, or to its end. */
export async function runUntilDeath(
  program: Program,
  fault: Fault,
  strikes: (operation: Operation) => boolean,
): Promise<Outcome> {
  const machine = machineFor(program.options);
  const history = new History(keptBy(program.options));
  const disk = machine.opener('worker');
  let struck: Operation | undefined;
  const death = new Promise<void>((resolve) => {
    machine.onOperation = (operation) => {
      if (operation.n > MOST_OPERATIONS) throw new Error('this does not end');
      if (struck !== undefined || !strikes(operation)) return undefined;
      struck = operation;
      setImmediate(() => setImmediate(resolve));
      return fault;
    };
  });
  const actor = new Actor(disk, history, program.options);
  const run = program.run(actor);
  await Promise.race([death, run.catch((error: unknown) => (disk.dead ? undefined : Promise.reject(error)))]);
  run.catch(() => {});
  if (struck === undefined && actor.gaveUp > 0) throw new Error('a write waited for room in vain');
  if (!disk.dead && struck === undefined) machine.kill(disk);
  machine.onOperation = undefined;
  return { machine, history, struck };
}

/** Who is told what is wrong: a test, or who reports to one. */
export interface Complaints {
  fail(where: string, details: { readonly found: readonly string[] }): unknown;
  equal(found: number, wanted: number, what: string): unknown;
}

/** Collects what is wrong in many states, and tells the first few in full. */
export class Findings {
  readonly #t: Complaints;
  states = 0;
  #bad = 0;

  constructor(t: Complaints) {
    this.#t = t;
  }

  add(where: string, problems: readonly string[]): void {
    this.states += 1;
    if (problems.length === 0) return;
    this.#bad += 1;
    if (this.#bad <= 3) this.#t.fail(where, { found: problems });
  }

  end(what: string): void {
    this.#t.equal(this.#bad, 0, `${what}: ${this.states} states`);
  }
}
