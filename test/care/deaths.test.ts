import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault } from '../../src/disk/memory-fault.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import type { DurostoreError } from '../../src/errors.js';
import { range, text } from '../store/records.js';
import { random } from '../support/random.js';
import { Craft } from './craft.js';
import { DIRECTORY, data, entries, fill, frameAt, JOURNAL, open, payload } from './store.js';

interface Harm {
  readonly what: string;
  readonly harm: (craft: Craft) => void;
  /** What every repair brings about, whether or not one before it died. */
  readonly lost: readonly number[];
  /** What was deleted and is back. */
  readonly back?: readonly number[];
}

const harms: readonly Harm[] = [
  {
    what: 'headers, records, a seal, entries',
    harm: ({ machine }) => {
      machine.flip(data(1), 9);
      machine.flip(data(1), frameAt(3) + 40);
      machine.flip(data(1), frameAt(2) + 4);
      machine.flip(data(5), frameAt(7) + 4);
      machine.flip(data(5), frameAt(8) + 70);
      machine.flip(data(9), frameAt(9));
      machine.flip(entries(5), 70);
    },
    lost: [3, 7, 9],
  },
  {
    what: 'a fact, a record, and the end of a segment',
    harm: (craft) => {
      craft.machine.flip(JOURNAL, 40);
      craft.machine.flip(data(5), frameAt(5));
      craft.cut(data(1), frameAt(3) + 7);
    },
    lost: [3, 4, 5],
    back: [2],
  },
  {
    what: 'the journal and a segment are missing',
    harm: (craft) => {
      craft.remove(JOURNAL);
      craft.remove(`${DIRECTORY}/duro.fate.2`);
      craft.remove(data(5));
      craft.remove(entries(5));
    },
    lost: [],
    back: [2],
  },
  {
    what: 'two segments of which nothing is left, the last one among them',
    harm: (craft) => {
      craft.put(data(5), Buffer.alloc(200, 9));
      craft.put(data(9), Buffer.alloc(200, 9));
      // Entries are never synced, and these are all that tells of the last two.
      craft.put(entries(9), craft.bytes(entries(9)));
    },
    lost: [5, 7, 8, 9, 10],
  },
];

const MOST_OPERATIONS = 2000;

/** Repairs, until it dies at the operation of its own that is given; false where it came to its end. */
async function repairUntilDeath(machine: MemoryDisk, fault: Fault, at: number): Promise<boolean> {
  const first = machine.operations;
  const opener = machine.opener('repairs');
  machine.onOperation = ({ n, opener: name }) => {
    if (n - first > MOST_OPERATIONS) throw new Error('this does not end');
    return name === 'repairs' && n === first + at ? fault : undefined;
  };
  try {
    await repairOn(opener, { directory: DIRECTORY });
  } catch (error) {
    if (!opener.dead) throw error;
  } finally {
    machine.onOperation = undefined;
  }
  return opener.dead;
}

/** What is odd about a store that was opened with no repair, or half of one. */
async function openedAsItIs(machine: MemoryDisk, { back = [] }: Harm): Promise<string[]> {
  const problems: string[] = [];
  try {
    const store = await open(machine);
    try {
      for (const index of range(1, 10)) {
        try {
          const found = text(await store.read(index));
          if (found !== undefined && found !== payload(index)) problems.push(`${index} is '${found}'`);
        } catch (error) {
          if ((error as DurostoreError).code !== 'CORRUPT') throw error;
        }
      }
      if (!back.includes(2) && (await store.read(2)) !== undefined) problems.push('2 is back');
    } finally {
      await store.close();
    }
  } catch (error) {
    if ((error as DurostoreError).code !== 'CORRUPT') problems.push(String(error));
  }
  return problems;
}

async function repairedAgain(machine: MemoryDisk, { lost, back = [], what }: Harm): Promise<string[]> {
  const problems: string[] = [];
  const report = await repairOn(machine.opener(), { directory: DIRECTORY });
  if (!report.ok) problems.push(`not ok: ${JSON.stringify(report.findings)}`);
  const after = await verifyOn(machine.opener(), { directory: DIRECTORY });
  if (!after.ok) problems.push(`not verified: ${JSON.stringify(after.findings)}`);
  const store = await open(machine);
  for (const index of range(1, 10)) {
    const isGone =
      ((index === 2 || index === 6) && !back.includes(index)) ||
      lost.includes(index) ||
      (what.startsWith('the journal and a segment') && index >= 5 && index <= 8);
    const found = text(await store.read(index));
    if (found !== (isGone ? undefined : payload(index))) problems.push(`${index} is '${found}'`);
  }
  if ((await store.stats()).lost !== lost.length) problems.push(`${(await store.stats()).lost} are lost`);
  if ((await store.write(Buffer.from('next'))) <= 10) problems.push('an index is given again');
  await store.close();
  return problems;
}

const CUTS: readonly (PowerCut | undefined)[] = [
  undefined,
  { writes: 'random', names: 'random', tear: 'byte', garble: true },
  { writes: 'lose', names: 'lose' },
  { writes: 'lose', names: 'keep' },
  { writes: 'keep', names: 'lose' },
];

for (const harm of harms) {
  t.test(`a repair that dies at any operation is ended by the next one: ${harm.what}`, async (t) => {
    const numbers = random(t);
    const original = new MemoryDisk();
    await fill(original);
    harm.harm(new Craft(original));
    t.same(await repairedAgain(original.fork(1), harm), [], 'one that does not die');
    const problems: string[] = [];
    let operations = 0;
    for (let died = true; died; operations++) {
      const machine = original.fork(operations);
      const fault: Fault = numbers.chance(0.6) ? 'die' : { torn: numbers.integer(1, 60) };
      died = await repairUntilDeath(machine, fault, operations + 1);
      const cut = CUTS[operations % CUTS.length];
      if (cut !== undefined) machine.powerCut({ ...cut, seed: numbers.integer(0, 2 ** 31) });
      const where = `${JSON.stringify(fault)} at ${operations + 1}, ${JSON.stringify(cut)}`;
      for (const problem of await openedAsItIs(machine.fork(2), harm))
        problems.push(`${where}: opened, ${problem}`);
      for (const problem of await repairedAgain(machine, harm)) problems.push(`${where}: ${problem}`);
    }
    t.ok(operations > 50, `${operations} operations`);
    t.same(problems.slice(0, 10), []);
  });
}
