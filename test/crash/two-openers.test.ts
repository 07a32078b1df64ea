import t from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { random } from '../support/random.js';
import { Actor, isOfLockDirectory, machineFor, type Options, SHORT_JOURNALS, tickingClock } from './actor.js';
import { cutsAt, Findings, MOST_OPERATIONS } from './explore.js';
import { History } from './history.js';
import { judge } from './judge.js';

/** What two processes do, one step after the other; what stands in one step they do at the same time. */
type Step = (a: Actor, b: Actor) => readonly (() => Promise<void>)[];

const steps: readonly Step[] = [
  (a, b) => [() => a.open(), () => b.open()],
  (a) => [() => a.write()],
  (_, b) => [() => b.writeMany([30, 30, 30])],
  (a, b) => [() => a.write(50), () => b.write(50)],
  (a) => [() => a.claim()],
  (_, b) => [() => b.dequeue()],
  (a, b) => [() => a.writeMany([60, 60]), () => b.claim()],
  (a) => [() => a.ack()],
  (a, b) => [() => a.claim(), () => b.ack()],
  (a, b) => [() => a.dequeue(), () => b.write(70)],
  (a) => [() => a.delete(0)],
  (_, b) => [() => b.dequeue()],
  (a, b) => [() => a.write(100), () => b.sync()],
  (a) => [() => a.close()],
  (_, b) => [() => b.dequeue()],
  (_, b) => [() => b.write(20)],
];

async function run(
  options: Options,
  fault: Fault,
  strikes: (operation: Operation) => boolean,
): Promise<{ machine: MemoryDisk; history: History; struck: Operation | undefined; problems: string[] }> {
  const machine = machineFor(options);
  const history = new History();
  const problems: string[] = [];
  const [mortal, other] = [machine.opener('a'), machine.opener('b')];
  let struck: Operation | undefined;
  machine.onOperation = (operation) => {
    if (operation.n > MOST_OPERATIONS) throw new Error('this does not end');
    if (struck !== undefined || operation.opener !== 'a' || isOfLockDirectory(operation)) return undefined;
    if (!strikes(operation)) return undefined;
    struck = operation;
    return fault;
  };
  const a = new Actor(mortal, history, options);
  const b = new Actor(other, history, options);
  for (const step of steps) {
    const calls = step(a, b).map((call) =>
      call().catch((error: unknown) => {
        if (!mortal.dead) throw error;
      }),
    );
    try {
      await Promise.all(calls);
    } catch (error) {
      problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
  try {
    problems.push(...history.judge(await b.entries(), 'death'));
  } catch (error) {
    problems.push(`the other process: ${error}`);
  }
  if (struck === undefined && !mortal.dead) machine.kill(mortal);
  machine.onOperation = undefined;
  return { machine, history, struck, problems };
}

const variants: readonly (readonly [string, Options])[] = [
  ['synced', { durability: 'synced' }],
  ['written', { durability: 'written' }],
  // One of them lags behind the succession of the other.
  ['synced, journals that are succeeded all the time', { durability: 'synced', limits: SHORT_JOURNALS }],
  ['written, journals that are succeeded all the time', { durability: 'written', limits: SHORT_JOURNALS }],
  ['written, lock files', { durability: 'written', locking: 'lockfile' }],
];

for (const [name, chosen] of variants) {
  t.test(`one of two processes dies at each of its operations: ${name}`, async (t) => {
    const numbers = random(t);
    const findings = new Findings(t);
    const options: Options = { ...chosen, maxFileSize: 512, clock: tickingClock() };
    for (let n = 1; ; n++) {
      let count = 0;
      const fault: Fault = numbers.chance(0.5) ? 'die' : { torn: numbers.integer(1, 100) };
      const outcome = await run(options, fault, () => ++count === n);
      const { machine, history, struck, problems } = outcome;
      const where = `${JSON.stringify(fault)} at ${n}, ${struck?.kind ?? 'the end'} ${struck?.path ?? ''}`;
      findings.add(where, problems);
      for (const cut of cutsAt(n).slice(0, 2)) {
        const fork = machine.fork(1);
        const seed = numbers.integer(0, 2 ** 31);
        fork.powerCut({ ...cut, seed });
        const policy = JSON.stringify({ ...cut, seed });
        findings.add(`${where}; ${policy}`, await judge(fork, history, options, 'cut'));
      }
      findings.add(`${where}; all die`, await judge(machine.fork(1), history, options, 'death'));
      if (struck === undefined) break;
    }
    findings.end('two processes');
  });
}
