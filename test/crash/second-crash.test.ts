import t from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { random } from '../support/random.js';
import { type Options, openOn } from './actor.js';
import { cutsAt, Findings, judge, MOST_OPERATIONS, runUntilDeath } from './explore.js';
import { programs } from './programs.js';

/** How many first crashes of a program are followed into the recovery. */
const FIRST_CRASHES = 8;

/** Opens and closes, until it dies at the operation of its own that is given; undefined where it came to its end. */
async function reopenUntilDeath(
  machine: MemoryDisk,
  options: Options,
  fault: Fault,
  at: number,
): Promise<Operation | undefined> {
  const first = machine.operations;
  let struck: Operation | undefined;
  machine.onOperation = (operation) => {
    if (operation.n - first > MOST_OPERATIONS) throw new Error('this does not end');
    if (operation.n !== first + at) return undefined;
    struck = operation;
    return fault;
  };
  const disk = machine.opener('recovers');
  try {
    await (await openOn(disk, options)).close();
  } catch (error) {
    if (!disk.dead) throw error;
  }
  if (!disk.dead) machine.kill(disk);
  machine.onOperation = undefined;
  return struck;
}

for (const program of programs) {
  t.test(`a second crash while the first is mended: ${program.name}`, async (t) => {
    const numbers = random(t);
    const findings = new Findings(t);
    const whole = await runUntilDeath(program, 'die', () => false);
    for (let sample = 0; sample < FIRST_CRASHES; sample++) {
      const n = numbers.integer(1, whole.machine.operations);
      const fault: Fault = numbers.chance(0.5) ? 'die' : { torn: numbers.integer(1, 80) };
      const { machine, history } = await runUntilDeath(program, fault, (operation) => operation.n === n);
      const first = numbers.chance(0.3)
        ? undefined
        : { ...numbers.pick(cutsAt(sample)), seed: numbers.integer(0, 2 ** 31) };
      if (first !== undefined) machine.powerCut(first);
      for (let m = 1; ; m++) {
        const second = machine.fork(1);
        const how: Fault = numbers.chance(0.7) ? 'die' : { torn: numbers.integer(1, 80) };
        const where = JSON.stringify({ n, fault, first, m, how });
        let struck: Operation | undefined;
        try {
          struck = await reopenUntilDeath(second, program.options, how, m);
        } catch (error) {
          findings.add(where, [String(error)]);
        }
        const cut = { ...numbers.pick(cutsAt(m)), seed: numbers.integer(0, 2 ** 31) };
        const fork = second.fork(1);
        fork.powerCut(cut);
        const here = `${where}, ${struck?.kind ?? 'the end'} ${struck?.path ?? ''}`;
        findings.add(`${here}; ${JSON.stringify(cut)}`, await judge(fork, history, program.options, 'cut'));
        const after = first === undefined ? 'death' : 'cut';
        findings.add(`${here}; death`, await judge(second, history, program.options, after));
        if (struck === undefined) break;
      }
    }
    findings.end(program.name);
  });
}
