import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** One way of doing a cell's work, made ready outside the time that is taken. */
export interface Ready {
  /** Does the work; resolves with how many records it was done on. */
  run(): Promise<number> | number;
  close(): Promise<void> | void;
}

export interface Contestant {
  readonly name: string;
  prepare(directory: string): Promise<Ready> | Ready;
}

/** One kind of work, done by the library and by bare files. */
export interface Cell {
  readonly name: string;
  readonly ours: Contestant;
  readonly bare: readonly Contestant[];
  /** The most that the library may take, as a ratio to the first of the bare ones. */
  readonly target?: number | undefined;
}

/** Microseconds a record. */
export interface Figures {
  readonly name: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface CellResult {
  readonly name: string;
  readonly target: number | undefined;
  readonly ours: Figures;
  readonly bare: readonly Figures[];
  /** The median of the rounds' own ratios to the first of the bare ones: both halves of a ratio were measured together. */
  readonly ratio: number;
}

/** Measures a cell: the library beside bare files. */
export async function measure(cell: Cell, rounds: number, directory: string): Promise<CellResult> {
  const contestants = [cell.ours, ...cell.bare];
  const times = await timesOf(contestants, rounds, directory);
  const [ours, ...bare] = contestants.map(({ name }, at) => figures(name, times[at] ?? []));
  const ratios = (times[0] ?? []).map((taken, round) => taken / (times[1]?.[round] ?? Number.NaN));
  return { name: cell.name, target: cell.target, ours: ours as Figures, bare, ratio: median(ratios) };
}

/** Measures contestants beside each other. */
export async function compare(
  contestants: readonly Contestant[],
  rounds: number,
  directory: string,
): Promise<Figures[]> {
  const times = await timesOf(contestants, rounds, directory);
  return contestants.map(({ name }, at) => figures(name, times[at] ?? []));
}

/**
 * A round that warms up and is forgotten, then `rounds` in each of which everybody has a turn, so that what else the
 * machine does meets all alike. Each one's files are removed before the next one's turn.
 */
async function timesOf(
  contestants: readonly Contestant[],
  rounds: number,
  directory: string,
): Promise<number[][]> {
  const times = contestants.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    const order = contestants.map((_, at) => (round % 2 === 0 ? at : contestants.length - 1 - at));
    for (const at of order) {
      const taken = await once(contestants[at] as Contestant, directory);
      if (round > 0) times[at]?.push(taken);
    }
  }
  return times;
}

async function once(contestant: Contestant, parent: string): Promise<number> {
  const directory = mkdtempSync(join(parent, 'turn-'));
  try {
    const ready = await contestant.prepare(directory);
    try {
      globalThis.gc?.();
      const begin = process.hrtime.bigint();
      const records = await ready.run();
      return Number(process.hrtime.bigint() - begin) / 1000 / records;
    } finally {
      await ready.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function figures(name: string, values: readonly number[]): Figures {
  return { name, median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Runs `work` in a new directory below `parent`, and removes it however this program ends, but by SIGKILL. */
export async function inDirectory<T>(parent: string, work: (directory: string) => Promise<T>): Promise<T> {
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'durostore-bench-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const leave = (): void => process.exit(130);
  process.once('exit', remove);
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  try {
    return await work(directory);
  } finally {
    process.removeListener('SIGINT', leave);
    process.removeListener('SIGTERM', leave);
    process.removeListener('exit', remove);
    remove();
  }
}
