import t from 'tap';
import { repairOn } from '../../src/care/repair.js';
import { verifyOn } from '../../src/care/verify.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, OperationKind } from '../../src/disk/memory-fault.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import type { DurostoreError } from '../../src/errors.js';
import { encodeFileHeader, HeaderKind } from '../../src/frame/file-header.js';
import { Fates } from '../../src/journal/fates.js';
import { writeSuccessor } from '../../src/journal/successor.js';
import type { Store } from '../../src/store/contract.js';
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
    what: 'a journal that has a successor of old, which nobody finished',
    harm: (craft) => {
      const path = `${DIRECTORY}/duro.fate.2`;
      craft.machine.flip(JOURNAL, 40);
      craft.remove(path);
      const opener = craft.machine.opener();
      const file = opener.create(path);
      if (file === undefined) throw new Error('it is there');
      const fates = new Fates('');
      fates.gone(2, 3);
      writeSuccessor(file, encodeFileHeader(HeaderKind.fates, craft.storeId, 2), craft.salt, 1, fates, 1, 1);
      file.syncNow();
      opener.syncDirectoryNow(DIRECTORY);
      craft.machine.kill(opener);
    },
    lost: [],
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

/** Repairs, until it dies at the operation of its own that is given; undefined where it came to its end. */
async function repairUntilDeath(
  machine: MemoryDisk,
  fault: Fault,
  at: number,
): Promise<OperationKind | undefined> {
  const first = machine.operations;
  const opener = machine.opener('repairs');
  let struck: OperationKind | undefined;
  machine.onOperation = ({ n, opener: name, kind }) => {
    if (n - first > MOST_OPERATIONS) throw new Error('this does not end');
    if (name !== 'repairs' || n !== first + at) return undefined;
    struck = kind;
    return fault;
  };
  try {
    await repairOn(opener, { directory: DIRECTORY });
  } catch (error) {
    if (!opener.dead) throw error;
  } finally {
    machine.onOperation = undefined;
  }
  return struck;
}

const isThere = async (store: Store, index: number): Promise<boolean> => {
  try {
    return (await store.read(index)) !== undefined;
  } catch {
    return false;
  }
};

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
      for (const index of [2, 6])
        if (!back.includes(index) && (await isThere(store, index))) problems.push(`${index} is back`);
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

const NAMES: readonly PowerCut[] = range(1, 16).map(() => ({ writes: 'keep', names: 'random' }));

for (const harm of harms) {
  t.test(`a repair that dies at any operation is ended by the next one: ${harm.what}`, async (t) => {
    const numbers = random(t);
    const original = new MemoryDisk();
    await fill(original);
    harm.harm(new Craft(original));
    t.same(await repairedAgain(original.fork(1), harm), [], 'one that does not die');
    const problems: string[] = [];
    let operations = 0;
    for (
      let died: OperationKind | undefined = 'open';
      died !== undefined;
      operations += harm.lost.length === 0 ? 1 : numbers.integer(1, 3)
    ) {
      const fault: Fault = numbers.chance(0.8) ? 'die' : { torn: numbers.integer(1, 60) };
      const dead = original.fork(operations);
      died = await repairUntilDeath(dead, fault, operations + 1);
      const cuts = [numbers.pick(CUTS)];
      // Between two names that come or go, any of them may be on the device.
      if (died === 'unlink' || died === 'syncDirectory') cuts.push(...NAMES);
      for (const cut of cuts) {
        const machine = dead.fork(1);
        if (cut !== undefined) machine.powerCut({ ...cut, seed: numbers.integer(0, 2 ** 31) });
        const where = `${JSON.stringify(fault)} at ${operations + 1}, ${JSON.stringify(cut)}`;
        for (const problem of await openedAsItIs(machine.fork(2), harm))
          problems.push(`${where}: opened, ${problem}`);
        for (const problem of await repairedAgain(machine, harm)) problems.push(`${where}: ${problem}`);
      }
    }
    t.ok(operations > 50, `${operations} operations`);
    t.same(problems.slice(0, 10), []);
  });
}
