import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Allocation, MemorySample } from './memory-child.js';

const CHILD = fileURLToPath(new URL('./memory-child.js', import.meta.url));
/** So much room for what is new that nothing is collected while an operation's allocations are counted. */
const NOTHING_COLLECTED = ['--min-semi-space-size=256', '--max-semi-space-size=256'];

/** Medians of the samples of a process in the first, the middle and the last tenth of the messages. */
export interface MemoryResult {
  readonly name: string;
  readonly first: MemorySample;
  readonly middle: MemorySample;
  readonly last: MemorySample;
}

export interface MemoryResults {
  readonly messages: number;
  readonly processes: readonly MemoryResult[];
  /** Bytes in the directory once everything was taken, and in how many files. */
  readonly left: { readonly bytes: number; readonly files: number };
  readonly allocations: readonly Allocation[];
}

/** How much memory processes have while messages pass through a queue: flat, or something grows. */
export async function memory(messages: number, parent: string): Promise<MemoryResults> {
  const processes: MemoryResult[] = [];
  let left = { bytes: 0, files: 0 };
  await inOwnDirectory(parent, async (directory) => {
    const samples = await inFreshProcess<MemorySample[]>([directory, `${messages}`, 'both']);
    processes.push(tenths('producer and consumer in one process', samples));
    left = whatIsLeft(directory);
  });
  await inOwnDirectory(parent, async (directory) => {
    const [produced, consumed] = await Promise.all([
      inFreshProcess<MemorySample[]>([directory, `${messages}`, 'produce']),
      inFreshProcess<MemorySample[]>([directory, `${messages}`, 'consume']),
    ]);
    processes.push(tenths('producer', produced), tenths('consumer', consumed));
  });
  let allocations: Allocation[] = [];
  await inOwnDirectory(parent, async (directory) => {
    allocations = await inFreshProcess<Allocation[]>([directory, '0', 'allocate'], NOTHING_COLLECTED);
  });
  return { messages, processes, left, allocations };
}

async function inFreshProcess<T>(args: readonly string[], options: readonly string[] = []): Promise<T> {
  const child = fork(CHILD, args, { execArgv: ['--expose-gc', ...options] });
  const [told] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`a process that passes messages through ended with ${code}`);
    }),
  ])) as [T];
  return told;
}

async function inOwnDirectory(parent: string, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(parent, 'memory-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function tenths(name: string, samples: readonly MemorySample[]): MemoryResult {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const middle = Math.floor((samples.length - tenth) / 2);
  return {
    name,
    first: medianOf(samples.slice(0, tenth)),
    middle: medianOf(samples.slice(middle, middle + tenth)),
    last: medianOf(samples.slice(-tenth)),
  };
}

function medianOf(samples: readonly MemorySample[]): MemorySample {
  const of = (pick: (one: MemorySample) => number): number =>
    samples.map(pick).sort((a, b) => a - b)[samples.length >> 1] ?? 0;
  return {
    heapUsed: of((one) => one.heapUsed),
    external: of((one) => one.external),
    arrayBuffers: of((one) => one.arrayBuffers),
    rss: of((one) => one.rss),
  };
}

function whatIsLeft(directory: string): { bytes: number; files: number } {
  const names = readdirSync(directory);
  const bytes = names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  return { bytes, files: names.length };
}

const MIB = 1024 * 1024;

/** The results as a table. */
export function memoryTable({ messages, processes, left, allocations }: MemoryResults): string[] {
  const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(1).padStart(8);
  const row = (name: string, { heapUsed, external, arrayBuffers, rss }: MemorySample): string =>
    `  ${name.padEnd(46)}${mebibytes(heapUsed)}${mebibytes(external)}${mebibytes(arrayBuffers)}${mebibytes(rss)}`;
  return [
    `${messages} messages of 100 to 200 bytes passed through, by 100; MiB after a full garbage collection`,
    `  ${''.padEnd(46)}    heap external  buffers      rss`,
    ...processes.flatMap(({ name, first, middle, last }) => [
      row(`${name}, first tenth`, first),
      row('  in the middle', middle),
      row('  last tenth', last),
    ]),
    `  left on the disk: ${(left.bytes / MIB).toFixed(1)} MiB in ${left.files} files`,
    '  bytes of the heap that an operation allocates, for each message:',
    ...allocations.map(({ name, bytes }) => `    ${name.padEnd(30)}${bytes.toFixed(0).padStart(8)}`),
  ];
}
