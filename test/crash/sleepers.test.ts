import t, { type Test } from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { type Deed, deeds, intrude, judge, opinionOf, prepare, sleeperOptions, told } from './sleeper.js';

const directory = '/store';
const names = new FileNames(directory, 'duro');
const options = { directory, ...sleeperOptions } as const;

/** Dies in the middle of a write, and leaves the lock directory, which is stale. */
async function dieWithTheLock(machine: MemoryDisk): Promise<void> {
  const opener = machine.opener('dead');
  const { locks, tail } = await Engine.open(opener, resolveStoreOptions(options, new Set()));
  await locks.write.enter();
  opener.open(names.data(1), 'write')?.write(Buffer.from([9, 0, 0, 0, 1]), 0, 5, tail.end);
  machine.kill(opener);
  machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
}

async function run(t: Test, deed: Deed, n: number): Promise<boolean> {
  const machine = new MemoryDisk();
  const sleeper = machine.opener('sleeper');
  const open = (opener = machine.opener()): Promise<Queue<string>> =>
    openQueueOn<string>(opener, options, deed.limits);
  const queue = await open(sleeper);
  await prepare(queue);
  const other = await Engine.open(machine.opener('other'), resolveStoreOptions(options, new Set()));
  // Idle, it would keep the lock for a moment, and the sleeper's tries would not be counted the same twice.
  other.locks.renounce();
  if (deed.afterDeath) await dieWithTheLock(machine);
  let slept: Operation | undefined;
  let intruded = false;
  let count = 0;
  const taken: number[] = [];
  machine.onOperation = (operation) => {
    if (operation.opener !== 'sleeper') return undefined;
    count += 1;
    if (count === n) {
      slept = operation;
      machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
      intruded = intrude(other, taken);
    }
    return undefined;
  };
  const calls = deed.run(queue);
  const answers = await Promise.all(calls.map(([call]) => told(call)));
  machine.onOperation = undefined;
  const where = `${deed.name}, asleep at ${n}: ${slept?.kind} ${slept?.path}; told ${JSON.stringify(answers)}`;
  // Three opinions: who opens anew, the other, and the sleeper itself.
  const fresh = await open();
  other.catchUp();
  const opinion = await opinionOf(fresh.store);
  t.same(await opinionOf(queue.store), opinion, `${where}: the sleeper sees what a new one sees`);
  t.same([other.tail.nextIndex, other.length], [opinion.next, opinion.length], `${where}: so does the other`);
  const enqueued = calls.map(([, ...values]) => values);
  judge(t, where, { deed, answers, enqueued, taken, intruded }, opinion);
  await Promise.all([queue.close(), fresh.close(), other.close()]);
  const last = await open();
  t.equal(await last.store.length(), opinion.length, `${where}: and it stays so`);
  await last.close();
  return slept !== undefined;
}

for (const deed of deeds) {
  t.test(`a holder sleeps at each of its operations: ${deed.name}`, async (t) => {
    let n = 1;
    while (await run(t, deed, n)) n += 1;
    t.ok(n > 5, `${n} operations`);
  });
}
