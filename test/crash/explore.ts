import { isDeepStrictEqual } from 'node:util';
import { verifyOn } from '../../src/care/verify.js';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import type { ConsumerInfo, Entry } from '../../src/mod.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { Actor, DIRECTORY, hastyClock, machineFor, type Options, openOn } from './actor.js';
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

/** One state in so many is verified too, when it has been mended. */
const VERIFIED_ONE_IN = 7;

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

/**
 * What is wrong with a directory after a crash: everything is opened again, read, written to, closed, checked, and
 * opened once more after a power cut that loses whatever is not synced by then. `machine` is used up.
 */
export async function judge(
  machine: MemoryDisk,
  history: History,
  whole: Options,
  after: 'death' | 'cut',
): Promise<string[]> {
  // There is always room for what is written here, and nothing is let go.
  const { maxFiles: _, whenFull: __, retention: ___, ...options } = whole;
  const problems: string[] = [];
  const limit = machine.operations + MOST_OPERATIONS;
  machine.onOperation = ({ n }) => {
    if (n > limit) throw new Error('this does not end');
    return undefined;
  };
  try {
    const queue = await openOn(machine.opener('survivor'), options);
    const entries = await all(queue.store.entries());
    problems.push(...history.judge(entries, after));
    const positions = history.isAboutConsumers ? await queue.store.consumers() : [];
    problems.push(...history.judgePositions(positions, after));
    const stats = await queue.store.stats();
    if (after === 'death' && stats.lost > 0) problems.push(`${stats.lost} records are called lost`);
    const extra = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3);
    const index = await queue.store.write(extra, { durability: 'synced' });
    if (index <= Math.max(history.highestKept(after), entries.at(-1)?.index ?? 0))
      problems.push(`index ${index} was given again`);
    for (const { name, committed } of positions)
      if (index <= committed) problems.push(`${index} is written, and ${name} has done ${committed}`);
    await queue.close();
    const afterCut = { staleEntries: after === 'cut' };
    problems.push(...checkDirectoryOn(machine.opener('checker'), DIRECTORY, afterCut));
    if (machine.operations % VERIFIED_ONE_IN === 0)
      problems.push(...(await complaintsOfVerify(machine, after)));
    machine.powerCut({ writes: 'lose', names: 'lose' });
    // With lock files, what the dead had claimed comes back when its lease has ended.
    const again = await openOn(machine.opener('next'), { ...options, clock: hastyClock() });
    if (positions.length > 0) {
      const kept = await again.store.consumers();
      if (!isDeepStrictEqual(kept.map(placed), positions.map(placed)))
        problems.push(`after it was closed ${JSON.stringify(kept)} was kept of ${JSON.stringify(positions)}`);
    }
    const messages = await again.flush();
    const expected = [...entries.map((entry) => entry.data), extra];
    const same = messages.length === expected.length && messages.every((one, at) => equal(one, expected[at]));
    if (!same) problems.push(`${messages.length} messages came out of ${expected.length}`);
    await again.close();
    problems.push(...checkDirectoryOn(machine.opener('checker'), DIRECTORY, { staleEntries: true }));
  } catch (error) {
    problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return problems;
}

/**
 * What `verify` finds in a directory that was opened, closed and found in order. After a power cut entries may tell of records
 * that were only written, and are lost.
 */
async function complaintsOfVerify(machine: MemoryDisk, after: 'death' | 'cut'): Promise<string[]> {
  const { findings } = await verifyOn(machine.opener('verifier'), { directory: DIRECTORY });
  return findings
    .filter(({ severity, repaired }) => severity !== 'note' && !repaired)
    .filter(({ severity, what }) => !(after === 'cut' && severity === 'loss' && what.includes('entries')))
    .map((finding) => `verify: ${JSON.stringify(finding)}`);
}

async function all(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

const placed = ({ name, committed }: ConsumerInfo): unknown => [name, committed];

const equal = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  b !== undefined && Buffer.compare(a, b) === 0;

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
