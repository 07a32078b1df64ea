/**
 * With lock files: who is about to commit a transaction sleeps, and wakes while another one takes over, which reads the journal before it
 * reads the log. All of the transaction counts or nothing, and who hears an index has it.
 */
import t, { type Test } from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { EngineStore } from '../../src/store/store.js';
import type { TransactionOutcome } from '../../src/store/transactor.js';
import { intrude, opinionOf, sleeperOptions } from './sleeper.js';

const directory = '/store';
const names = new FileNames(directory, 'duro');
const options = resolveStoreOptions({ directory, ...sleeperOptions }, new Set());

async function wakeAmidst(t: Test, isAnnounced: boolean, n: number): Promise<boolean> {
  const machine = new MemoryDisk();
  const sleeper = await Engine.open(machine.opener('sleeper'), options);
  const store = new EngineStore(sleeper);
  await store.writeMany(['one', 'two', 'three', 'four'].map((text) => Buffer.from(text)));
  if (isAnnounced)
    await store.transaction((tx) => {
      tx.write(Buffer.from('five'));
      tx.delete(4);
    });
  const other = await Engine.open(machine.opener('other'), options);
  other.locks.renounce();
  await sleeper.locks.fate.enter();
  await sleeper.locks.write.enter();
  sleeper.tenure.enter();
  const payload = Buffer.from('a1');
  const pending = sleeper.transactor.prepare([{ payload }], Float64Array.of(2, 3), false);
  machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
  let woke: Operation | undefined;
  let count = 0;
  let outcome: TransactionOutcome | undefined;
  machine.onOperation = (operation) => {
    if (operation.opener !== 'other') return undefined;
    count += 1;
    if (count === n) {
      woke = operation;
      outcome = sleeper.transactor.commit(pending);
    }
    return undefined;
  };
  const taken: number[] = [];
  const intruded = intrude(other, taken);
  machine.onOperation = undefined;
  sleeper.locks.write.leave();
  sleeper.locks.fate.leave();
  const where = `awake at ${n}: ${woke?.kind} ${woke?.path}; ${outcome}, intruded: ${intruded}`;
  const fresh = await Engine.open(machine.opener('fresh'), options);
  const { seen } = await opinionOf(new EngineStore(fresh));
  const has = (text: string): boolean => seen.some((line) => line.endsWith(` ${text}`));
  const [written, two, three] = [has('a1'), has('two'), has('three')];
  if (two === written || three === written) t.fail(where, { seen });
  if (typeof outcome === 'number' && !seen.includes(`${outcome} a1`)) t.fail(where, { seen });
  if (has('four') === isAnnounced) t.fail(where, { seen });
  // It looks no further before it has entered again.
  await sleeper.decider.decide(() => {}, false);
  t.same((await opinionOf(store)).seen, seen, `${where}: the sleeper sees the same`);
  other.catchUp();
  t.same((await opinionOf(new EngineStore(other))).seen, seen, `${where}: so does the other`);
  await Promise.all([fresh.close(), other.close(), sleeper.close()]);
  return woke !== undefined;
}

for (const isAnnounced of [false, true])
  t.test(isAnnounced ? 'it was said before that there may be some' : 'it is the first', async (t) => {
    let n = 1;
    while (await wakeAmidst(t, isAnnounced, n)) n += 1;
    t.ok(n > 10, `${n} operations`);
  });
