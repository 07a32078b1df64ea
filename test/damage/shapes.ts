import type { Clock } from '../../src/clock.js';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onOpener, onPath } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { Store } from '../../src/store/contract.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions, type StoreOptions } from '../../src/store/options.js';
import { EngineStore } from '../../src/store/store.js';
import { range } from '../store/records.js';

export const DIRECTORY = '/store';
export const names = new FileNames(DIRECTORY, 'duro');

/** A directory that was closed cleanly, and what is in it. */
export interface Shape {
  readonly name: string;
  readonly machine: MemoryDisk;
  /** The same calls made another store, with an id of its own. */
  readonly twin: MemoryDisk;
  readonly options: Options;
  /** What can be read, by index. */
  readonly records: ReadonlyMap<number, Buffer>;
  readonly next: number;
}

type Options = Omit<StoreOptions, 'directory'>;

/** Reserves little, so that files are small. */
const LIMITS: JournalLimits = {
  reserveBytes: 1024,
  leastReserveBytes: 256,
  leastGainBytes: 256,
  shortenFromBytes: 1024 * 1024,
  shortenFactor: 4,
};
const OFTEN: JournalLimits = { ...LIMITS, leastGainBytes: 64, shortenFromBytes: 0, shortenFactor: 1.3 };
const BY_HAND = { leastBytes: 0, everyMs: 2 ** 40, retryMs: 0 };

/** Time stands still, and timers never fire. */
const clock: Clock = { now: () => 1_760_000_000_000, monotonic: () => 1_000_000, setTimer: () => () => {} };

const SMALL = 400;

export const openOn = (
  disk: MemoryOpener,
  options: Options,
  limits: JournalLimits = LIMITS,
): Promise<Queue<Uint8Array>> =>
  openQueueOn<Uint8Array>(
    disk,
    { directory: DIRECTORY, codec: 'bytes', indexer: false, clock, maxFileSize: SMALL, ...options },
    limits,
  );

const engineOn = (disk: MemoryOpener, options: Options): Promise<Engine> =>
  Engine.open(
    disk,
    resolveStoreOptions(
      { directory: DIRECTORY, indexer: false, clock, maxFileSize: SMALL, ...options },
      new Set(),
    ),
    LIMITS,
    BY_HAND,
  );

const payload = (index: number): Buffer => Buffer.from(`record ${index} `.padEnd(12 + (index % 5) * 7, '.'));

/** So many records, some alone and some in batches. */
async function fill(store: Store, count: number): Promise<void> {
  let index = await store.nextIndex();
  for (const last = index + count; index < last; ) {
    const batch = range(index, Math.min(index + (index % 3), last - 1)).map(payload);
    index = ((await store.writeMany(batch)).at(-1) ?? 0) + 1;
  }
}

interface Making {
  readonly name: string;
  readonly options?: Options;
  readonly make: (machine: MemoryDisk, options: Options) => Promise<void>;
}

async function filled(machine: MemoryDisk, options: Options, count: number, gone: readonly number[]) {
  const queue = await openOn(machine.opener(), options);
  await fill(queue.store, count);
  await queue.delete(gone);
  await queue.close();
}

/** Only some are left of so many, and thin segments have sparse successors. */
async function thinned(machine: MemoryDisk, options: Options, count: number, left: readonly number[]) {
  const engine = await engineOn(machine.opener(), options);
  const store = new EngineStore(engine);
  for (const index of range(1, count)) await store.write(payload(index).subarray(0, 12));
  await store.delete(range(1, count).filter((index) => !left.includes(index)));
  await engine.sweeper.idle();
  for (let at = 0; at < 5; at++) await engine.compactor.run();
  if (!engine.files.isSparse(1)) throw new Error('no sparse segment');
  await store.close();
}

/** Dies over a write while it has the lock, and leaves half of it. */
async function die(machine: MemoryDisk, options: Options, path: RegExp): Promise<void> {
  const opener = machine.opener('dying');
  const queue = await openOn(opener, options);
  await fill(queue.store, 3);
  machine.onOperation = inject({ torn: 50 }, onOpener('dying'), onKind('write'), onPath(path));
  await queue.store.writeMany([1, 2].map(() => Buffer.from('half of it'))).catch(() => {});
  if (!opener.dead) await queue.dequeue().catch(() => {});
  machine.onOperation = undefined;
  if (!opener.dead) throw new Error('it lives');
}

const makings: readonly Making[] = [
  {
    name: 'one segment',
    options: { maxFileSize: 4096 },
    make: (machine, options) => filled(machine, options, 9, [3]),
  },
  {
    name: 'many segments, with removals',
    make: (machine, options) => filled(machine, options, 24, [2, 6, 7, 8, 9, 10, 11, 12, 13, 20]),
  },
  {
    name: 'written',
    options: { durability: 'written' },
    make: (machine, options) => filled(machine, options, 16, [4, 5]),
  },
  { name: 'nothing in it', make: (machine, options) => filled(machine, options, 0, []) },
  {
    name: 'everything gone',
    make: async (machine, options) => {
      const queue = await openOn(machine.opener(), options);
      await fill(queue.store, 12);
      await queue.store.prune();
      await queue.close();
    },
  },
  {
    name: 'sparse segments',
    options: { durability: 'written', maxFileSize: 900 },
    make: (machine, options) => thinned(machine, options, 50, [5, 22, 30, 46, 47, 48, 49, 50]),
  },
  {
    name: 'journals that were succeeded',
    make: async (machine, options) => {
      const queue = await openOn(machine.opener(), options, OFTEN);
      await fill(queue.store, 20);
      for (const _ of range(1, 4)) await queue.dequeue();
      for (const delivery of await queue.claimMany(3)) await delivery.nack();
      await queue.delete([9, 15, 17]);
      await queue.close();
    },
  },
  {
    name: 'claims of a dead process',
    make: async (machine, options) => {
      const dead = machine.opener();
      const queue = await openOn(dead, options);
      await fill(queue.store, 14);
      for (const delivery of (await queue.claimMany(5)).slice(3)) await delivery.ack();
      machine.kill(dead);
      await (await openOn(machine.opener(), options)).close();
    },
  },
  {
    name: 'lock files',
    options: { locking: 'lockfile' },
    make: (machine, options) => filled(machine, options, 14, [1, 2, 3, 9]),
  },
  {
    name: 'lock files that were taken over',
    options: { locking: 'lockfile' },
    make: async (machine, options) => {
      await filled(machine, options, 8, [2]);
      await die(machine, options, /\.dat$/);
      await filled(machine, options, 5, [4, 12]);
      await die(machine, options, /\.fate\./);
      await filled(machine, options, 5, [5]);
    },
  },
  {
    name: 'beside what others left',
    make: async (machine, options) => {
      await filled(machine, options, 8, [3]);
      await die(machine, options, /\.dat$/);
      await filled(machine, options, 3, [5]);
      const text = Buffer.from('left by somebody');
      for (const path of [names.temporary('ab12'), names.spare(), names.cut('1-32-1'), names.suspect()])
        machine.put(path, path === names.suspect() ? Buffer.alloc(0) : text);
      machine.put(`${names.repair(1)}/duro_00000000000000000001.dat.32`, text);
    },
  },
];

/** So small that each byte can be tried. */
const small: readonly Making[] = [
  {
    name: 'small',
    options: { maxFileSize: 300 },
    make: (machine, options) => filled(machine, options, 7, [2]),
  },
  {
    name: 'small, taken over',
    options: { locking: 'lockfile', maxFileSize: 300 },
    make: async (machine, options) => {
      await die(machine, options, /\.dat$/);
      await filled(machine, options, 2, [1]);
    },
  },
  {
    name: 'small, sparse',
    options: { durability: 'written', maxFileSize: 900 },
    make: (machine, options) => thinned(machine, options, 18, [5, 17, 18]),
  },
];

const machineFor = ({ locking }: Options): MemoryDisk =>
  new MemoryDisk({ deathTakesMs: locking === 'lockfile' ? 60_000 : 0 });

/** Makes every shape. */
export async function makeShapes(): Promise<Shape[]> {
  const shapes: Shape[] = [];
  for (const { name, options = {}, make } of [...small, ...makings]) {
    const [machine, twin] = [machineFor(options), machineFor(options)];
    await make(machine, options);
    await make(twin, options);
    const queue = await openOn(machine.fork(1).opener(), options);
    const records = new Map<number, Buffer>();
    for await (const { index, data } of queue.store.entries()) records.set(index, Buffer.from(data));
    const next = await queue.store.nextIndex();
    await queue.close();
    shapes.push({ name, machine, twin, options, records, next });
  }
  return shapes;
}
