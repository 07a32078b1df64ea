import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { osDisk } from '../../src/disk/os.js';
import { highestFence } from '../../src/epoch/fence.js';
import { LockDirectory } from '../../src/lock/lock-directory.js';
import { LOCKFILE_LIMITS, LockfileLocks } from '../../src/lock/lockfile-lock.js';
import { lockConformance } from './lock-conformance.js';
import { RemoteProcess, RemoteWorker } from './remote.js';
import { soon, until } from './until.js';

lockConformance(
  'lock files',
  { mode: 'lockfile', world: (t) => ({ directory: t.testdir(), disk: () => osDisk }) },
  'processes',
);

lockConformance(
  'lock files in memory',
  {
    mode: 'lockfile',
    world() {
      const machine = new MemoryDisk();
      machine.opener().makeDirectory('/store');
      return { directory: '/store', disk: () => machine.opener() };
    },
  },
  'openers',
);

/** More than anybody has in a stretch. */
const MANY_TURNS = 1_000_000;

/** As if its holder had given no sign of life for a minute. */
const age = (names: FileNames): boolean => osDisk.setModifiedAt(names.lockDirectory(), Date.now() - 60_000);

function start(t: Test): { names: FileNames; locks: LockfileLocks } {
  const names = new FileNames(t.testdir(), 'duro');
  const locks = new LockfileLocks(osDisk, names);
  t.teardown(() => locks.close());
  return { names, locks };
}

/** In memory, where the operations are counted. */
function startInMemory(
  t: Test,
  stretchMs: number,
  restMs = LOCKFILE_LIMITS.restMs,
): { machine: MemoryDisk; open(): LockfileLocks; exists(): boolean } {
  const machine = new MemoryDisk();
  const names = new FileNames('/store', 'duro');
  machine.opener().makeDirectory('/store');
  const open = (): LockfileLocks => {
    const locks = new LockfileLocks(machine.opener(), names, { ...LOCKFILE_LIMITS, stretchMs, restMs });
    t.teardown(() => locks.close());
    return locks;
  };
  const exists = (): boolean => machine.lookup(names.lockDirectory()) !== undefined;
  return { machine, open, exists };
}

t.test('a killed holder is replaced when its lock is stale, behind a fence', async (t) => {
  const { names, locks } = start(t);
  const holder = new RemoteProcess(t, names.directory, 'lockfile');
  await holder.do('enter');
  await holder.kill();
  t.notOk(locks.write.tryEnter(), 'not before');
  const entered = locks.write.enter();
  t.ok(age(names));
  await soon('in', entered);
  t.equal(highestFence(osDisk, names), 1);
});

t.test('a stopped holder is replaced, behind a fence, and takes nothing away when it wakes', async (t) => {
  const { names, locks } = start(t);
  const holder = new RemoteProcess(t, names.directory, 'lockfile');
  await holder.do('enter');
  await holder.stop();
  t.notOk(locks.write.tryEnter(), 'not before it is stale');
  t.ok(age(names));
  await soon('in', locks.write.enter());
  t.equal(highestFence(osDisk, names), 1);
  holder.continue();
  await holder.do('leave');
  const third = new LockfileLocks(osDisk, names);
  t.notOk(third.write.tryEnter());
  t.notOk(await holder.do('tryEnter'));
  locks.close();
  await soon('the one that slept gets in again', holder.do('enter'));
  t.equal(highestFence(osDisk, names), 1, 'without another fence');
});

t.test('a terminated worker is replaced when its lock is stale', async (t) => {
  const { names, locks } = start(t);
  const worker = new RemoteWorker(t, names.directory, 'lockfile');
  await worker.do('enter');
  await worker.terminate();
  t.notOk(locks.write.tryEnter());
  t.ok(age(names));
  await soon('in', locks.write.enter());
});

t.test('a process that exits inside removes its lock, and puts up no fence', async (t) => {
  const { names, locks } = start(t);
  const program = fileURLToPath(new URL('./exit-inside-child.js', import.meta.url));
  const child = fork(program, [names.directory], { execArgv: [] });
  t.strictSame(await soon('it has ended', once(child, 'exit')), [7, null]);
  t.notOk(osDisk.exists(names.lockDirectory()));
  t.ok(locks.write.tryEnter());
  t.equal(highestFence(osDisk, names), 0);
});

t.test('while it is held it shows a sign of life; taken from under it, it is lost', async (t) => {
  const names = new FileNames(t.testdir(), 'duro');
  const [lock, other] = [new LockDirectory(osDisk, names, 5000), new LockDirectory(osDisk, names, 5000)];
  t.ok(lock.tryTake());
  const at = osDisk.modifiedAt(names.lockDirectory());
  await until('a sign of life', () => osDisk.modifiedAt(names.lockDirectory()) !== at);
  t.notOk(lock.isLost);
  rmSync(names.lockDirectory(), { recursive: true });
  t.ok(other.tryTake());
  await until('the loss is seen', () => lock.isLost);
  lock.release();
  t.notOk(lock.tryTake(), 'the other one has it still');
  other.release();
  t.ok(lock.tryTake());
  t.notOk(lock.isLost);
  lock.release();
});

t.test('within a stretch entering and leaving asks nobody', async (t) => {
  const { machine, open } = startInMemory(t, 1_000_000);
  const opened = open();
  t.ok(opened.write.tryEnter());
  opened.write.leave();
  const { operations } = machine;
  const { tenure } = opened;
  for (let time = 0; time < 100; time++) {
    t.ok(opened.fate.tryEnter());
    t.ok(opened.write.tryEnter());
    opened.write.leave();
    opened.fate.leave();
  }
  t.equal(machine.operations, operations);
  t.equal(opened.tenure, tenure, 'and nobody else was in');
});

t.test('idle, it is released, and the next tenure is another', async (t) => {
  const { open, exists } = startInMemory(t, 1_000_000);
  const [one, other] = [open(), open()];
  t.strictSame([one.tenure, other.tenure], [0, 0]);
  t.ok(one.write.tryEnter());
  t.equal(one.tenure, 1);
  one.write.leave();
  t.ok(exists(), 'kept, for more may come');
  await until('it is released', () => !exists());
  t.ok(other.fate.tryEnter());
  t.notOk(one.write.tryEnter());
  other.close();
  await soon('in', one.write.enter());
  t.equal(one.tenure, 2);
});

t.test('kept too long it is released at once, and left alone for a while', async (t) => {
  for (const [restMs, rests] of [
    [1_000_000, true],
    [0, false],
  ] as const) {
    const { open, exists } = startInMemory(t, 0, restMs);
    const [one, other] = [open(), open()];
    t.ok(one.write.tryEnter());
    one.write.leave();
    t.notOk(exists());
    t.equal(one.write.tryEnter(), !rests, 'though it is free');
    one.close();
    t.ok(other.write.tryEnter());
    other.close();
  }
  const { open } = startInMemory(t, 0);
  const { write } = open();
  for (let time = 0; time < 3; time++) {
    await soon('in again', write.enter());
    write.leave();
  }
});

t.test('found too old, it is had anew', async (t) => {
  const { machine, open } = startInMemory(t, 10);
  const [sleeper, other] = [open(), open()];
  t.ok(sleeper.write.tryEnter());
  sleeper.write.leave();
  // The event loop is kept from its timers, as by a process that is stopped.
  const end = performance.now() + 12;
  while (performance.now() < end);
  machine.age(60_000);
  t.ok(other.write.tryEnter());
  t.notOk(sleeper.write.tryEnter(), 'it is not believed that it is still had');
  const entering = sleeper.write.enter();
  t.ok(other.write.held);
  other.close();
  await soon('in', entering);
  t.equal(sleeper.tenure, 2);
});

t.test('inside fate, write is entered however old the stretch is', async (t) => {
  const { open, exists } = startInMemory(t, 0);
  const { fate, write } = open();
  await fate.enter();
  t.ok(write.tryEnter());
  write.leave();
  t.ok(exists(), 'fate is still inside');
  await soon('in', write.enter());
  write.leave();
  fate.leave();
  t.notOk(exists());
});

t.test('two full lines do not keep it for ever', async (t) => {
  const { open } = startInMemory(t, 2);
  const [busy, other] = [open(), open()];
  let done = false;
  let turns = 0;
  const work = async (lock: LockfileLocks['write']): Promise<void> => {
    while (!done && turns < MANY_TURNS) {
      turns++;
      await lock.enter();
      lock.leave();
    }
  };
  const works = [work(busy.fate), work(busy.fate), work(busy.write), work(busy.write)];
  await soon('the other one is in', other.write.enter());
  t.ok(turns < MANY_TURNS);
  done = true;
  other.close();
  await soon('the busy ones end', Promise.all(works));
});

t.test('there are no slots, and everybody is first', async (t) => {
  const { open } = startInMemory(t, 10);
  const [one, other] = [open(), open()];
  t.strictSame([await one.arrive(), await other.arrive()], ['first', 'first']);
  t.strictSame([one.takeSlot(), other.takeSlot()], [0, 0]);
  t.notOk(one.slotIsFree(0));
  t.notOk(one.slotIsFree(1));
});

t.test('who has met another lets go at the end of the turn', async (t) => {
  const { open, exists } = startInMemory(t, 60_000);
  const [a, b] = [open(), open()];
  t.ok(a.write.tryEnter());
  t.notOk(b.write.tryEnter(), 'there is another one');
  a.write.leave();
  await soon('in', b.write.enter());
  b.write.leave();
  t.ok(exists(), 'kept for what comes in the same turn');
  t.ok(b.write.tryEnter());
  b.write.leave();
  for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
  t.notOk(exists());
});

t.test('who slept over what it held does not have it any more, and takes nothing away', async (t) => {
  const { names, locks } = start(t);
  const path = names.hold('consumer', 'a', 1);
  const [mine, other] = [locks.tryHold(path), new LockfileLocks(osDisk, names)];
  t.teardown(() => other.close());
  t.equal(other.tryHold(path), undefined);
  t.ok(osDisk.setModifiedAt(path, Date.now() - 60_000));
  const theirs = other.tryHold(path);
  t.ok(theirs?.isStillHeld());
  t.notOk(mine?.isStillHeld());
  mine?.release();
  t.ok(theirs?.isStillHeld());
  t.ok(locks.isHeld(path));
  t.equal(highestFence(osDisk, names), 0, 'no fence is put up for it');
});
