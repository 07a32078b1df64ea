import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { openQueue, openStore, type Queue, type QueueOptions } from '../../src/mod.js';
import type { Cell, Contestant, Readings } from '../cell.js';
import { type LoopFigures, LoopWatch } from '../loop-watch.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const BARE_CALLS = 3;

type Bytes = Queue<Uint8Array>;

/** Work of which the longest block of the event loop is told. */
interface Load {
  readonly name: string;
  /** Done before anything is measured. */
  fill?(directory: string): Promise<void>;
  /** Opens what it works on, outside of what is measured; what it returns is measured, and then closed. */
  open(directory: string): Promise<{ run(): Promise<unknown>; close(): Promise<void> }>;
  /** The same bytes in one bare call. */
  readonly bare?: { readonly call: 'write' | 'read'; readonly bytes: number };
}

const on = (
  name: string,
  options: Partial<QueueOptions<Uint8Array>>,
  {
    fill,
    run,
    bare,
  }: {
    fill?: (queue: Bytes) => Promise<unknown>;
    run: (queue: Bytes) => Promise<unknown>;
    bare?: Load['bare'];
  },
): Load => ({
  name,
  ...(bare === undefined ? {} : { bare }),
  async open(directory) {
    const open = (): Promise<Bytes> =>
      openQueue<Uint8Array>({ durability: 'written', codec: 'bytes', ...options, directory });
    if (fill !== undefined) {
      const before = await open();
      await fill(before);
      await before.close();
    }
    const queue = await open();
    return { run: () => run(queue), close: () => queue.close() };
  },
});

const times = async (count: number, call: () => Promise<unknown>): Promise<void> => {
  for (let at = 0; at < count; at++) await call();
};

const batchOf = (count: number, size: number): Uint8Array[] => {
  const record = Buffer.alloc(size, 'r');
  return Array.from({ length: count }, () => record);
};

const fillBy =
  (count: number, by: number, size: number, options = {}) =>
  (queue: Bytes): Promise<void> => {
    const batch = batchOf(by, size);
    return times(Math.ceil(count / by), () => queue.enqueueMany(batch, options));
  };

async function drainBy(queue: Bytes, by: number): Promise<void> {
  while ((await queue.dequeueMany(by)).length > 0);
}

async function claimAll(queue: Bytes): Promise<void> {
  for (let one = await queue.claim(); one !== undefined; one = await queue.claim()) await one.ack();
}

async function readAll(queue: Bytes): Promise<void> {
  for await (const _ of queue.store.entries());
}

/** Every value of one size, in each way in and out. */
function valuesOf(name: string, size: number, count: number, maxFileSize: number): Load[] {
  const value = Buffer.alloc(size, 'v');
  const options = { maxFileSize, maxFiles: 10_000 };
  const fill = (queue: Bytes): Promise<void> => times(count, () => queue.enqueue(value));
  const write = { call: 'write', bytes: size } as const;
  const read = { call: 'read', bytes: size } as const;
  return [
    on(`${name}: enqueue`, options, { run: fill, bare: write }),
    on(
      `${name}: enqueue, synced`,
      { ...options, durability: 'synced' },
      {
        run: (queue) => times(Math.min(count, 200), () => queue.enqueue(value)),
        bare: write,
      },
    ),
    on(`${name}: dequeue`, options, {
      fill,
      run: (queue) => times(count, () => queue.dequeue()),
      bare: read,
    }),
    on(`${name}: claim, ack`, options, { fill, run: claimAll, bare: read }),
    on(`${name}: read`, options, {
      fill,
      run: async (queue) => {
        for (let index = 1; index <= count; index++) await queue.read(index);
      },
      bare: read,
    }),
    on(`${name}: entries`, options, { fill, run: readAll, bare: read }),
  ];
}

function loads(): Load[] {
  const delayed = { delayMs: 1 };
  return [
    ...valuesOf('1 KiB', KIB, 20_000, 64 * MIB),
    on('1 KiB by 100: enqueueMany', {}, { run: fillBy(200_000, 100, KIB) }),
    on(
      '1 KiB by 100: dequeueMany',
      {},
      { fill: fillBy(200_000, 100, KIB), run: (queue) => drainBy(queue, 100) },
    ),
    ...valuesOf('64 KiB', 64 * KIB, 2000, 64 * MIB),
    ...valuesOf('1 MiB', MIB, 200, 64 * MIB),
    ...valuesOf('64 MiB', 64 * MIB, 3, 256 * MIB),
    on(
      '1 MiB by 50 in one batch',
      {},
      {
        run: (queue) => times(3, () => queue.enqueueMany(batchOf(50, MIB))),
        bare: { call: 'write', bytes: 50 * MIB },
      },
    ),
    on(
      '1 MiB, 50 promises at once',
      {},
      { run: (queue) => times(3, () => Promise.all(batchOf(50, MIB).map((one) => queue.enqueue(one)))) },
    ),
    on(
      'enqueueMany of 100,000 by 100 B',
      {},
      { run: fillBy(200_000, 100_000, 100), bare: { call: 'write', bytes: 14 * MIB } },
    ),
    on(
      '100,000 promises of 100 B',
      {},
      { run: (queue) => Promise.all(batchOf(100_000, 100).map((one) => queue.enqueue(one))) },
    ),
    on(
      'dequeueMany(100,000) of 100 B',
      {},
      {
        fill: fillBy(200_000, 1000, 100),
        run: (queue) => drainBy(queue, 100_000),
        bare: { call: 'read', bytes: 14 * MIB },
      },
    ),
    on(
      'dequeueMany(50) of 1 MiB',
      {},
      {
        fill: fillBy(200, 10, MIB),
        run: (queue) => drainBy(queue, 50),
        bare: { call: 'read', bytes: 50 * MIB },
      },
    ),
    on(
      'claimMany(100,000) and acks',
      {},
      {
        fill: fillBy(100_000, 1000, 100),
        run: async (queue) => {
          const all = await queue.claimMany(100_000);
          await turn();
          await Promise.all(all.map((one) => one.ack()));
        },
      },
    ),
    on('flush of 200,000', {}, { fill: fillBy(200_000, 1000, 100), run: (queue) => queue.flush() }),
    on('entries of 200,000', {}, { fill: fillBy(200_000, 1000, 100), run: readAll }),
    on(
      'delete of 250,000, every second',
      { maxFiles: 100 },
      {
        fill: fillBy(500_000, 1000, 20),
        run: (queue) => queue.delete(Array.from({ length: 250_000 }, (_, at) => 2 * at + 1)),
      },
    ),
    on(
      'delete by 1000 scattered, and succession',
      {},
      {
        fill: fillBy(1_000_000, 1000, 20),
        run: async (queue) => {
          for (let from = 1; from <= 1_000_000; from += 2000) {
            await queue.delete(Array.from({ length: 1000 }, (_, at) => from + 2 * at));
            await turn();
          }
        },
      },
    ),
    on(
      'removal of 1000 segments',
      { maxFileSize: 64 * KIB, maxFiles: 2000 },
      {
        fill: fillBy(64_000, 8, KIB),
        run: async (queue) => {
          await queue.store.prune();
          await turn();
        },
      },
    ),
    on(
      'rolls, one in eight',
      { maxFileSize: 64 * KIB, maxFiles: 10_000 },
      {
        run: async (queue) => {
          const batch = batchOf(8, 7000);
          for (let at = 0; at < 1000; at++) await queue.enqueueMany(batch);
        },
      },
    ),
    on(
      '200,000 fall due',
      {},
      {
        fill: fillBy(200_000, 1000, 100, delayed),
        run: (queue) => drainBy(queue, 1000),
      },
    ),
    on(
      '600,000 delayed, beyond the horizon',
      {},
      {
        fill: async (queue) => {
          for (let at = 0; at < 600; at++)
            await queue.enqueueMany(batchOf(1000, 20), { delayMs: 1000 + 20 * (600 - at) });
        },
        run: (queue) => queue.length(),
      },
    ),
    on(
      'priorities, 200,000 looked up',
      {},
      {
        fill: fillBy(200_000, 1000, 100, { priority: 5 }),
        run: (queue) => drainBy(queue, 1000),
      },
    ),
    on(
      'first id among 200,000',
      {},
      {
        fill: async (queue) => {
          for (let at = 0; at < 200_000; at += 1000)
            await Promise.all(
              Array.from({ length: 1000 }, (_, one) =>
                queue.enqueue(Buffer.alloc(20), { id: `id-${at + one}` }),
              ),
            );
        },
        run: (queue) => queue.enqueue(Buffer.alloc(20), { id: 'the first' }),
      },
    ),
    on(
      'dead letters: 50,000 listed',
      { maxAttempts: 1 },
      {
        fill: async (queue) => {
          await fillBy(50_000, 1000, 100)(queue);
          for (let all = await queue.claimMany(1000); all.length > 0; all = await queue.claimMany(1000))
            await Promise.all(all.map((one) => one.reject('no')));
        },
        run: async (queue) => {
          for await (const _ of queue.deadLetters.list());
        },
      },
    ),
    on(
      'compaction of a thin segment',
      {},
      {
        fill: async (queue) => {
          await fillBy(400_000, 1000, 100)(queue);
          await queue.delete(
            Array.from({ length: 380_000 }, (_, at) => at + 1).filter((index) => index % 20 !== 0),
          );
        },
        run: async (queue) => {
          await queue.length();
          const until = Date.now() + 3000;
          while (Date.now() < until) await turn();
        },
      },
    ),
    {
      name: 'opening 1,000,000 of 100 B',
      ...opening({}, fillBy(1_000_000, 1000, 100)),
    },
    {
      name: 'opening with 500,000 scattered deletes',
      ...opening({}, async (queue) => {
        await fillBy(1_000_000, 1000, 20)(queue);
        for (let from = 1; from <= 1_000_000; from += 2000)
          await queue.delete(Array.from({ length: 1000 }, (_, at) => from + 2 * at));
      }),
    },
    {
      name: 'opening with 300,000 priorities',
      ...opening({}, fillBy(300_000, 1000, 100, { priority: 3 })),
    },
    {
      name: 'opening behind a killed writer, 64 MiB not known to be safe',
      ...opening({}, async () => {}),
      async fill(directory) {
        const store = await openStore({
          directory,
          durability: 'written',
          syncIntervalMs: 2 ** 31 - 1,
          locking: 'none',
        });
        for (let at = 0; at < 600; at++) await store.writeMany(batchOf(1000, 60));
        await store.close();
      },
    },
  ];
}

function opening(
  options: Partial<QueueOptions<Uint8Array>>,
  fillIt: (queue: Bytes) => Promise<unknown>,
): Pick<Load, 'fill' | 'open'> {
  const open = (directory: string): Promise<Bytes> =>
    openQueue<Uint8Array>({ durability: 'written', codec: 'bytes', maxFiles: 1000, ...options, directory });
  return {
    async fill(directory) {
      const queue = await open(directory);
      await fillIt(queue);
      await queue.close();
    },
    async open(directory) {
      let queue: Bytes | undefined;
      return {
        async run() {
          queue = await open(directory);
          await queue.length();
          await queue.dequeue();
        },
        close: async () => queue?.close(),
      };
    },
  };
}

const readingsOf = ({ longest, p99 }: LoopFigures): Readings => ({ longest, p99 });

async function ours(load: Load, directory: string): Promise<Readings> {
  await load.fill?.(directory);
  const ready = await load.open(directory);
  try {
    globalThis.gc?.({ type: 'minor' });
    const watch = new LoopWatch();
    await turn();
    await ready.run();
    return readingsOf(await watch.stop());
  } finally {
    await ready.close();
  }
}

async function bare({ call, bytes }: NonNullable<Load['bare']>, directory: string): Promise<Readings> {
  const fd = openSync(join(directory, 'bare'), 'w+');
  try {
    const value = Buffer.alloc(bytes, 'v');
    if (call === 'read') writeSync(fd, value, 0, bytes, 0);
    const watch = new LoopWatch();
    for (let at = 0; at < BARE_CALLS; at++) {
      await turn();
      if (call === 'write') writeSync(fd, value, 0, bytes, at * bytes);
      else readSync(fd, Buffer.allocUnsafe(bytes), 0, bytes, 0);
    }
    return readingsOf(await watch.stop());
  } finally {
    closeSync(fd);
  }
}

function contestantsOf(load: Load): Contestant[] {
  const { name, bare: control } = load;
  const all: Contestant[] = [{ name, role: 'ours', turn: (directory) => ours(load, directory) }];
  if (control !== undefined)
    all.push({ name: `${name}, raw`, role: 'control', turn: (directory) => bare(control, directory) });
  return all;
}

/** The longest that the event loop stands still under each load, beside the same bytes in one bare call. */
export function eventLoopCell(): Cell {
  return {
    id: 'event loop',
    name: 'the longest time for which nobody else had the event loop',
    group: 'event loop',
    definition:
      'The longest turn of the event loop, and what all but a hundredth of the time was spent in turns within; waiting for a processor that others had is taken off where the system tells. Raw: the same bytes in one call.',
    records: 1,
    fixed: true,
    long: true,
    rounds: 1,
    measures: [
      { key: 'longest', name: 'longest', unit: 'ms' },
      { key: 'p99', name: '99 % of the time', unit: 'ms' },
    ],
    contestants: loads().flatMap(contestantsOf),
  };
}
