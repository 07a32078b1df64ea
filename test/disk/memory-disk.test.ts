import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { ProcessDied } from '../../src/disk/memory-error.js';
import { diskConformance, read, write } from './disk-conformance.js';

const noFailure = (error: unknown): void => {
  throw error;
};

t.test('conforms', (t) => {
  diskConformance(t, async () => {
    const machine = new MemoryDisk();
    const disk = machine.opener();
    disk.makeDirectory('/queue');
    return { disk, other: machine.opener(), directory: '/queue' };
  });
});

t.test('a process that dies', async (t) => {
  const machine = new MemoryDisk();
  const one = machine.opener('one');
  const two = machine.opener();
  one.makeDirectory('/q');
  const file = one.create('/q/a');
  const watch = one.watch('/q', () => t.fail('the dead hear nothing'), noFailure);
  write(file, 'unsynced');
  t.equal(file?.tryLock('exclusive'), true);
  machine.syncs.hold();
  const sync = file?.sync();
  one.die();
  await t.rejects(sync ?? Promise.resolve(), ProcessDied, 'its syncs');
  for (const call of [
    () => one.open('/q/a', 'read'),
    () => one.create('/q/b'),
    () => one.exists('/q'),
    () => one.list('/q'),
    () => one.makeDirectory('/r'),
    () => one.link('/q/a', '/q/b'),
    () => one.unlink('/q/a'),
    () => one.syncDirectoryNow('/q'),
    () => one.locality('/q'),
    () => one.bootId(),
    () => one.watch('/q', () => {}, noFailure),
    () => read(file),
    () => write(file, 'x'),
    () => file?.size(),
    () => file?.truncate(0),
    () => file?.syncNow(),
    () => file?.tryLock('shared'),
  ]) {
    t.throws(call, ProcessDied, String(call));
  }
  await t.rejects(one.syncDirectory('/q'), ProcessDied);
  if (file) await t.rejects(file.sync(), ProcessDied);
  file?.unlock();
  file?.close();
  watch.close();
  const survivor = two.open('/q/a', 'write');
  t.equal(read(survivor), 'unsynced', 'the page cache stays');
  t.equal(survivor?.tryLock('exclusive'), true, 'its lock is free');
  machine.syncs.release();
  machine.powerCut({ writes: 'lose', names: 'keep' });
  t.equal(machine.bytes('/q/a')?.length, 8, 'a sync goes on without who asked for it');
});

t.test('notices can be lost', async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  disk.makeDirectory('/q');
  let notices = 0;
  disk.watch(
    '/q',
    () => {
      notices += 1;
    },
    noFailure,
  );
  await new Promise(setImmediate);
  t.equal(notices, 1, 'one to begin with');
  const file = disk.create('/q/a');
  write(file, 'x');
  write(file, 'y');
  t.equal(notices, 1, 'never at once');
  await new Promise(setImmediate);
  t.equal(notices, 2, 'merged');
  machine.notices = 'drop';
  write(file, 'z');
  await new Promise(setImmediate);
  t.equal(notices, 2);
  machine.notices = 'deliver';
  write(file, 'z');
  await new Promise(setImmediate);
  t.equal(notices, 3);
});

t.test('syncs can be held back', async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  disk.makeDirectory('/q');
  disk.syncDirectoryNow('/');
  const file = disk.create('/q/a');
  disk.syncDirectoryNow('/q');
  const done: string[] = [];
  machine.syncs.hold();
  write(file, 'a');
  const first = file?.sync().then(() => done.push('first'));
  write(file, 'b', 1);
  const second = file?.sync().then(() => done.push('second'));
  await new Promise(setImmediate);
  t.equal(machine.syncs.count, 2);
  t.same(done, []);
  machine.syncs.release(1);
  await first;
  t.same(done, ['first']);
  const survives = () => {
    const fork = machine.fork(1);
    fork.powerCut({ writes: 'lose', names: 'lose' });
    return fork;
  };
  t.same(survives().bytes('/q/a'), [97], 'a sync covers what was written before it began');
  write(file, 'c', 2);
  const names = disk.syncDirectory('/q');
  disk.create('/q/late');
  machine.syncs.release(2);
  await Promise.all([second, names]);
  t.same(done, ['first', 'second']);
  t.same(survives().bytes('/q/a'), [97, 98], 'and nothing else');
  t.equal(survives().bytes('/q/late'), undefined, 'the same with names');
  const third = file?.sync();
  machine.syncs.release();
  await third;
  await file?.sync();
  t.same(survives().bytes('/q/a'), [97, 98, 99]);
});

t.test('capacity', async (t) => {
  const machine = new MemoryDisk({ capacityBytes: 10 });
  const disk = machine.opener();
  disk.makeDirectory('/q');
  const file = disk.create('/q/a');
  t.equal(write(file, 'eight by'), 8);
  t.equal(write(file, 'tes', 8), 2, 'takes what fits');
  t.equal(machine.usedBytes, 10);
  t.throws(() => write(file, 'x', 10), { code: 'ENOSPC' });
  t.throws(() => disk.create('/q/b'), { code: 'ENOSPC' });
  t.equal(write(file, 'over'), 4, 'what is there can be written over');
  file?.truncate(6);
  t.equal(machine.usedBytes, 6);
  const second = disk.create('/q/b');
  second?.truncate(100);
  t.equal(machine.usedBytes, 6, 'growing reserves nothing');
  t.equal(write(second, 'fives'), 4);
  t.throws(() => write(second, 'x', 50), { code: 'ENOSPC' });
  disk.link('/q/a', '/q/c');
  disk.unlink('/q/a');
  t.equal(machine.usedBytes, 10, 'it has another name');
  disk.unlink('/q/c');
  t.equal(machine.usedBytes, 10, 'it is still open');
  file?.close();
  t.equal(machine.usedBytes, 4);
  const fork = machine.fork(1);
  t.equal(fork.usedBytes, 4);
  fork.powerCut({ writes: 'keep', names: 'keep' });
  t.equal(fork.usedBytes, 100, 'what came back takes its size');
});

t.test('what tests do behind the back of processes', async (t) => {
  const machine = new MemoryDisk({ canLock: false, locality: 'unknown' });
  machine.put('/q/d/a', new Uint8Array([1, 2, 3]));
  machine.powerCut({ writes: 'lose', names: 'lose' });
  t.same(machine.bytes('/q/d/a'), [1, 2, 3], 'what was put there is synced');
  machine.flip('/q/d/a', 1);
  machine.flip('/q/d/a', 2, 1);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  t.same(machine.bytes('/q/d/a'), [1, 253, 2], 'damage is on the device');
  t.same([...machine.snapshot().keys()], ['/q/d/a']);
  machine.put('/q/d/a', new Uint8Array([4]));
  t.same(machine.bytes('/q/d/a'), [4]);
  t.equal(machine.bytes('/q/none'), undefined);
  t.throws(() => machine.flip('/q/d/a', 1), 'no such byte');
  const disk = machine.opener();
  t.equal(disk.locality('/q'), 'unknown');
  t.equal(disk.canLock, false);
  t.throws(() => disk.open('/q/d/a', 'write')?.tryLock('shared'), { code: 'LOCK_UNAVAILABLE' });
});

t.test('a fork', async (t) => {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  disk.makeDirectory('/q');
  const file = disk.create('/q/a');
  disk.link('/q/a', '/q/b');
  write(file, 'before');
  const fork = machine.fork(1);
  write(file, 'AFTER!');
  const other = fork.opener();
  const forked = other.open('/q/a', 'write');
  t.equal(read(forked), 'before');
  write(forked, 'fork');
  t.equal(read(other.open('/q/b', 'read')), 'forkre', 'two names of one file stay so');
  t.equal(read(file), 'AFTER!');
});

t.test('a machine that never loses power keeps what was written once, and says so', async (t) => {
  diskConformance(t, async () => {
    const machine = new MemoryDisk({ cutsPower: false });
    const disk = machine.opener();
    disk.makeDirectory('/queue');
    return { disk, other: machine.opener(), directory: '/queue' };
  });
  const machine = new MemoryDisk({ cutsPower: false });
  const disk = machine.opener();
  disk.makeDirectory('/q');
  const file = disk.create('/q/a');
  write(file, 'unsynced');
  file?.truncate(2);
  await file?.sync();
  t.equal(read(file), 'un');
  t.throws(() => machine.powerCut({ writes: 'keep', names: 'keep' }), /does not know what was synced/);
});
