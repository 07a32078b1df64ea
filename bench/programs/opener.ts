/** Opens a store of many records in a fresh process: `opener.js <directory> <records> <reads>`; `-` for no store at all. */
import { openStore } from '../../src/mod.js';
import { anyOrder } from '../loops.js';

const BYTES = 100;

export interface Opening {
  readonly ms: number;
  /** MiB of resident memory: by opening, by opening and reading, and of the whole process once it is open. */
  readonly opening: number;
  readonly reading: number;
  readonly whole: number;
  readonly [key: string]: number;
}

/** What record `index` holds. */
export function contentOf(index: number, into: Buffer): Buffer {
  into.fill(index & 0xff);
  into.writeDoubleLE(index, 0);
  return into;
}

const resident = (): number => process.memoryUsage.rss() / 1024 ** 2;

async function open([directory = '', records = '', reads = '']: readonly string[]): Promise<Opening> {
  const before = resident();
  const begin = performance.now();
  if (directory === '-') return { ms: 0, opening: 0, reading: 0, whole: before };
  const store = await openStore({ directory, locking: 'os', durability: 'written' });
  const length = await store.length();
  const ms = performance.now() - begin;
  const whole = resident();
  if (length !== Number(records)) throw new Error(`${length} records of ${records}`);
  const expected = Buffer.alloc(BYTES);
  for (const index of anyOrder(Number(records), Number(reads))) {
    const found = await store.read(index);
    if (found === undefined || contentOf(index, expected).compare(found) !== 0)
      throw new Error(`record ${index}`);
  }
  const figures = { ms, opening: whole - before, reading: resident() - before, whole };
  await store.close();
  return figures;
}

if (process.send !== undefined) {
  const figures = await open(process.argv.slice(2));
  process.send(figures, () => process.disconnect?.());
}
