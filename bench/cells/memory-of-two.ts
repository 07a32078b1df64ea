import type { Cell, Readings } from '../cell.js';
import { start } from '../child.js';
import type { Allocation, MemorySample } from '../programs/passing.js';
import { median } from '../statistics.js';
import { OURS } from './contestants.js';

const MIB = 1024 * 1024;
/** So much room for what is new that nothing is collected while an operation's allocations are counted. */
const NOTHING_COLLECTED = ['--min-semi-space-size=256', '--max-semi-space-size=256'];
/** What counts as flat: heap after a collection differs that much by itself. */
const FLAT_MIB = 1;

async function run<T>(args: readonly string[], options: readonly string[] = []): Promise<T> {
  const child = start('programs/passing.js', args, ['--expose-gc', ...options]);
  const told = await child.message<T>();
  await child.ended();
  return told;
}

/** By how much a process has grown from the second tenth of the messages to the last, and how large it is then. */
function readings(role: string, samples: readonly MemorySample[]): [string, number][] {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const of = (part: readonly MemorySample[], pick: (one: MemorySample) => number): number =>
    median(part.map(pick)) / MIB;
  const early = samples.slice(tenth, 2 * tenth);
  const late = samples.slice(-tenth);
  const growth = (pick: (one: MemorySample) => number): number => of(late, pick) - of(early, pick);
  return [
    [`${role} heap`, growth(({ heapUsed }) => heapUsed)],
    [`${role} resident`, growth(({ rss }) => rss)],
    [`${role} at the end`, of(late, ({ rss }) => rss)],
  ];
}

export function memoryOfTwoCell(full: boolean): Cell {
  const messages = full ? 10_000_000 : 1_000_000;
  return {
    id: 'memory of two',
    name: `${messages / 1_000_000} M messages between two processes`,
    group: 'footprint',
    definition:
      'Messages of 100 to 200 bytes, by 100. After a full collection, the last tenth of the messages over the second.',
    records: messages,
    fixed: true,
    rounds: 1,
    measures: ['producer', 'consumer'].flatMap((role) => [
      {
        key: `${role} heap`,
        name: `${role}, heap grown by`,
        unit: 'MiB',
        targets: [{ of: OURS, atMost: FLAT_MIB }],
      },
      { key: `${role} resident`, name: `${role}, resident memory grown by`, unit: 'MiB' },
      { key: `${role} at the end`, name: `${role}, resident memory`, unit: 'MiB' },
    ]),
    contestants: [
      {
        name: OURS,
        role: 'ours',
        async turn(directory): Promise<Readings> {
          const [produced, consumed] = await Promise.all([
            run<MemorySample[]>([directory, String(messages), 'produce']),
            run<MemorySample[]>([directory, String(messages), 'consume']),
          ]);
          return Object.fromEntries([...readings('producer', produced), ...readings('consumer', consumed)]);
        },
      },
    ],
  };
}

/** How much an operation allocates. */
export function allocationCell(): Cell {
  const operations = [
    'enqueue',
    'dequeue',
    'enqueueMany by 100',
    'dequeueMany by 100',
    'enqueue, claim and ack',
  ];
  return {
    id: 'allocation',
    name: 'allocation',
    group: 'footprint',
    definition: 'Bytes of the heap for each message of 100 to 200 bytes; what is collected soon counts, too.',
    records: 5000,
    fixed: true,
    measures: operations.map((name) => ({ key: name, name, unit: 'bytes' })),
    contestants: [
      {
        name: OURS,
        role: 'ours',
        async turn(directory): Promise<Readings> {
          const told = await run<Allocation[]>([directory, '0', 'allocate'], NOTHING_COLLECTED);
          return Object.fromEntries(told.map(({ name, bytes }) => [name, bytes]));
        },
      },
    ],
  };
}
