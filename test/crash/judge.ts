import { isDeepStrictEqual } from 'node:util';
import { verifyOn } from '../../src/care/verify.js';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { ConsumerInfo, Entry } from '../../src/mod.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { DIRECTORY, hastyClock, type Options, openOn } from './actor.js';
import { MOST_OPERATIONS } from './explore.js';
import type { History } from './history.js';

/** One state in so many is verified too, when it has been mended. */
const VERIFIED_ONE_IN = 7;

/** What comes out of a directory that was mended, closed, and lost what was not synced by then. */
interface Sequel {
  readonly messages: readonly Uint8Array[];
  readonly consumers: readonly ConsumerInfo[];
  /** What is wrong with it, whoever wrote it. */
  readonly problems: readonly string[];
}

/** Judges what crashes have left of the directories of one program. */
export class Judge {
  readonly #options: Options;
  /** By the disk, byte for byte: many crashes are mended to the same, and the same comes out of the same. */
  readonly #sequels = new Map<string, Sequel>();

  constructor(options: Options) {
    // There is always room for what is written here, and nothing is let go.
    const { maxFiles: _, whenFull: __, retention: ___, ...rest } = options;
    this.#options = rest;
  }

  /** How many mended disks there were. */
  get sequels(): number {
    return this.#sequels.size;
  }

  /**
   * What is wrong with a directory after a crash: everything is opened again, read, written to, closed, checked, and
   * opened once more after a power cut that loses whatever is not synced by then. `machine` is used up.
   */
  async judge(machine: MemoryDisk, history: History, after: 'death' | 'cut'): Promise<string[]> {
    const problems: string[] = [];
    const limit = machine.operations + MOST_OPERATIONS;
    machine.onOperation = ({ n }) => {
      if (n > limit) throw new Error('this does not end');
      return undefined;
    };
    try {
      const queue = await openOn(machine.opener('survivor'), this.#options);
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
      const expected = [...entries.map((entry) => entry.data), extra];
      problems.push(...differences(await this.#sequelOf(machine), expected, positions));
    } catch (error) {
      problems.push(told(error));
    }
    return problems;
  }

  async #sequelOf(machine: MemoryDisk): Promise<Sequel> {
    const disk = `${machine.bootId} ${machine.digest()}`;
    const known = this.#sequels.get(disk);
    if (known !== undefined) return known;
    const sequel = await sequelOn(machine, this.#options);
    this.#sequels.set(disk, sequel);
    return sequel;
  }
}

/** Judges one state. Who has many of one program asks one judge. */
export const judge = (
  machine: MemoryDisk,
  history: History,
  options: Options,
  after: 'death' | 'cut',
): Promise<string[]> => new Judge(options).judge(machine, history, after);

async function sequelOn(machine: MemoryDisk, options: Options): Promise<Sequel> {
  let consumers: readonly ConsumerInfo[] = [];
  let messages: readonly Uint8Array[] = [];
  const problems: string[] = [];
  try {
    // With lock files, what the dead had claimed comes back when its lease has ended.
    const queue = await openOn(machine.opener('next'), { ...options, clock: hastyClock() });
    consumers = await queue.store.consumers();
    messages = (await queue.flush()).map((one) => Uint8Array.from(one));
    await queue.close();
    problems.push(...checkDirectoryOn(machine.opener('checker'), DIRECTORY, { staleEntries: true }));
  } catch (error) {
    problems.push(told(error));
  }
  return { consumers, messages, problems };
}

function differences(
  { consumers, messages, problems }: Sequel,
  expected: readonly Uint8Array[],
  positions: readonly ConsumerInfo[],
): string[] {
  const found = [...problems];
  if (positions.length > 0 && !isDeepStrictEqual(consumers.map(placed), positions.map(placed)))
    found.push(`after it was closed ${JSON.stringify(consumers)} was kept of ${JSON.stringify(positions)}`);
  const same = messages.length === expected.length && messages.every((one, at) => equal(one, expected[at]));
  if (!same) found.push(`${messages.length} messages came out of ${expected.length}`);
  return found;
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

const told = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

const placed = ({ name, committed }: ConsumerInfo): unknown => [name, committed];

const equal = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  b !== undefined && Buffer.compare(a, b) === 0;
