import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import { random } from '../support/random.js';
import { Actor, nextTurn, openOn, SHORT_JOURNALS } from './actor.js';
import { cutsAt, Findings } from './explore.js';
import { History } from './history.js';
import { judge } from './judge.js';

const options = { maxFileSize: 4096, limits: SHORT_JOURNALS };
/** Guards of the dead are gone by then. */
const LATER_MS = 11_000;

async function run(n: number, fault: Fault) {
  const machine = new MemoryDisk({ hardLinks: false });
  const disk = machine.opener('worker');
  const history = new History();
  let struck: Operation | undefined;
  machine.onOperation = (operation) => {
    if (operation.n !== n) return undefined;
    struck = operation;
    return fault;
  };
  const actor = new Actor(disk, history, options);
  let isDone = false;
  const birth = async (): Promise<void> => {
    await actor.open();
    await actor.write();
  };
  birth()
    .catch((error: unknown) => {
      if (!disk.dead) t.fail(String(error));
    })
    .finally(() => {
      isDone = true;
    });
  while (!isDone && !disk.dead) await nextTurn();
  machine.onOperation = undefined;
  if (!disk.dead) machine.kill(disk);
  return { machine, history, struck };
}

t.test('without hard links: deaths and power cuts at each operation of a birth', async (t) => {
  const numbers = random(t);
  const findings = new Findings(t);
  const kinds = new Set<string>();
  for (let n = 1; ; n++) {
    const faults: Fault[] = ['die'];
    let more = false;
    for (const fault of faults) {
      const { machine, history, struck } = await run(n, fault);
      more = struck !== undefined;
      if (struck !== undefined) kinds.add(struck.kind);
      if (struck?.kind === 'write' && fault === 'die') faults.push({ torn: numbers.integer(1, 80) });
      const where = `${JSON.stringify(fault)} at ${n}, ${struck?.kind ?? 'the end'} ${struck?.path ?? ''}`;
      for (const cut of cutsAt(n)) {
        const fork = machine.fork(1);
        const seed = numbers.integer(0, 2 ** 31);
        fork.powerCut({ ...cut, seed });
        findings.add(
          `${where}; ${JSON.stringify({ ...cut, seed })}`,
          await judge(fork, history, options, 'cut'),
        );
      }
      machine.age(LATER_MS);
      findings.add(where, await judge(machine, history, options, 'death'));
    }
    if (!more) break;
  }
  t.ok(kinds.has('rename') && kinds.has('createDirectory') && kinds.has('removeDirectory'));
  findings.end('birth without hard links');
});

t.test('two births at the same time', async (t) => {
  for (const hardLinks of [true, false]) {
    const machine = new MemoryDisk({ hardLinks });
    const queues = await Promise.all([0, 1, 2].map(() => openOn(machine.opener(), options)));
    for (const [at, queue] of queues.entries()) await queue.enqueue(Uint8Array.of(at));
    for (const queue of queues) t.equal(await queue.length(), 3, 'they are in one store');
    for (const queue of queues) await queue.close();
    t.same(
      [...machine.snapshot().keys()].filter((path) => /tmp|guard/.test(path)),
      [],
    );
  }
});
