/** Opens a store of many records in a fresh process: `opener.js <directory> <records> <reads>`; `-` for no store at all. */
import { openStore, type Store } from '../../src/mod.js';
import { anyOrder } from '../loops.js';

const BYTES = 100;

export interface Opening {
  readonly ms: number;
  /** MiB of resident memory: by opening, by opening and reading, and of the whole process once it is open. */
  readonly opening: number;
  readonly reading: number;
  readonly whole: number;
  /** Microseconds to find the index of a time; of a store. */
  readonly indexAt?: number;
  readonly [key: string]: number;
}

/** What record `index` holds. */
export function contentOf(index: number, into: Buffer): Buffer {
  into.fill(index & 0xff);
  into.writeDoubleLE(index, 0);
  return into;
}

const resident = (): number => process.memoryUsage.rss() / 1024 ** 2;

const TIMES = 1000;

/** How long finding a time takes, at times of records anywhere; what is found is compared with its neighbours. */
async function indexesAt(store: Store, length: number): Promise<number> {
  const timeOf = async (index: number): Promise<number> => (await store.entry(index))?.time.getTime() ?? 0;
  const times: number[] = [];
  for (const index of anyOrder(length, TIMES)) times.push(await timeOf(index));
  const begin = performance.now();
  const found: number[] = [];
  for (const time of times) found.push(await store.indexAt(time));
  const ms = performance.now() - begin;
  for (const [at, index] of found.entries()) {
    const time = times[at] as number;
    const isFirst = index === 1 || (await timeOf(index - 1)) < time;
    if (!isFirst || (await timeOf(index)) !== time) throw new Error(`time ${time}`);
  }
  return (ms * 1000) / times.length;
}

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
  const reading = resident() - before;
  const figures = { ms, opening: whole - before, reading, whole, indexAt: await indexesAt(store, length) };
  await store.close();
  return figures;
}

if (process.send !== undefined) {
  const figures = await open(process.argv.slice(2));
  process.send(figures, () => process.disconnect?.());
}
