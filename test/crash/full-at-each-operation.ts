import type { MemoryDisk } from '../../src/disk/memory.js';
import { DurostoreError } from '../../src/mod.js';
import type { Random } from '../support/random.js';
import { Actor, machineFor, nextTurn, openOn } from './actor.js';
import { type Findings, MOST_OPERATIONS } from './explore.js';
import { History } from './history.js';
import { Judge } from './judge.js';
import { keptBy, type Program } from './programs.js';

/** Runs a program on a disk that has so many bytes left from the operation `n` on, and no more ever. */
async function run(program: Program, n: number, room: number) {
  const machine = machineFor(program.options);
  const history = new History(keptBy(program.options));
  const problems: string[] = [];
  const disk = machine.opener('worker');
  let isFull = false;
  let wasBorn = false;
  machine.onOperation = (operation) => {
    if (operation.n > MOST_OPERATIONS) throw new Error('this does not end');
    if (operation.n === n) {
      isFull = true;
      machine.capacityBytes = machine.usedBytes + room;
    }
    return undefined;
  };
  const actor = new Actor(disk, history, program.options);
  const patient = new Proxy(actor, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        try {
          await Reflect.apply(value, target, args);
          if (name === 'open') wasBorn = true;
        } catch (error) {
          const isTold = error instanceof DurostoreError && error.code === 'DISK_FULL' && isFull;
          // A store that was not born for lack of space cannot be used.
          const isUnborn = !wasBorn && String(error).includes('not open');
          if (!isTold && !isUnborn)
            problems.push(`${String(name)}: ${error instanceof Error ? error.stack : error}`);
          if (isTold && name === 'open' && wasBorn) problems.push('a full disk keeps a store from opening');
        }
      };
    },
  });
  await program.run(patient);
  for (let turn = 0; turn < 5 || machine.syncs.count > 0; turn++) await nextTurn();
  machine.onOperation = undefined;
  machine.kill(disk);
  return { machine, history, problems, isFull, wasBorn };
}

/** On the disk that is still full: opens, and takes everything out. */
async function empty(machine: MemoryDisk, program: Program): Promise<string[]> {
  const problems: string[] = [];
  try {
    const queue = await openOn(machine.opener('empties'), program.options);
    const length = await queue.length();
    let taken = 0;
    for (;;) {
      const some = await queue.dequeueMany(1);
      if (some.length === 0) break;
      taken += some.length;
    }
    if (taken !== length) problems.push(`${taken} messages came out of ${length}`);
    if ((await queue.length()) !== 0) problems.push('the store is not empty');
    await queue.close();
  } catch (error) {
    problems.push(`emptying: ${error instanceof Error ? error.stack : error}`);
  }
  return problems;
}

/** The disk is full from each operation of a program on. */
export async function fillAtEach(program: Program, numbers: Random, findings: Findings): Promise<void> {
  const judge = new Judge(program.options);
  for (let n = 1; ; n++) {
    const room = numbers.pick([0, 0, 1, 40, 100, 300, 2000]);
    const { machine, history, problems, isFull, wasBorn } = await run(program, n, room);
    const where = `${room} bytes are left at ${n}`;
    findings.add(where, problems);
    // On every other one: what it takes out is the same as a moment before.
    if (wasBorn && n % 2 === 0) findings.add(`${where}; emptied`, await empty(machine.fork(1), program));
    machine.capacityBytes = Number.POSITIVE_INFINITY;
    findings.add(`${where}; opened again`, await judge.judge(machine, history, 'death'));
    if (!isFull) break;
  }
}
