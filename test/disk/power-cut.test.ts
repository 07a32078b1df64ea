import t, { type Test } from 'tap';
import { MemoryDisk, type MemoryDiskOptions } from '../../src/disk/memory.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import { read, write } from './disk-conformance.js';

const LOSE: PowerCut = { writes: 'lose', names: 'lose' };

/** A machine whose directory /q is durable, and a process on it. */
function machine(options: MemoryDiskOptions = {}) {
  const machine = new MemoryDisk(options);
  const disk = machine.opener();
  disk.makeDirectory('/q');
  disk.syncDirectoryNow('/');
  return { machine, disk };
}

/** A durable file of `content`. */
function durable(content: string) {
  const { machine: it, disk } = machine();
  const file = disk.create('/q/a');
  write(file, content);
  file?.syncNow();
  disk.syncDirectoryNow('/q');
  return { machine: it, disk, file };
}

const text = (machine: MemoryDisk, path = '/q/a'): string | undefined => {
  const bytes = machine.bytes(path);
  return bytes && new TextDecoder().decode(bytes);
};

/** What the file may be after any of many cuts. */
function outcomes(machine: MemoryDisk, cut: PowerCut, seeds = 300): Set<string | undefined> {
  const found = new Set<string | undefined>();
  for (let seed = 0; seed < seeds; seed++) {
    const fork = machine.fork(seed);
    fork.powerCut(cut);
    found.add(text(fork));
  }
  return found;
}

const same = (t: Test, found: Set<string | undefined>, wanted: (string | undefined)[], what: string) =>
  t.same([...found].sort(), wanted.sort(), what);

t.test('writes', async (t) => {
  const { machine, file } = durable('old');
  write(file, 'N');
  write(file, 'more', 3);
  t.equal(read(file), 'Nldmore');
  same(t, outcomes(machine, LOSE), ['old'], 'lost');
  same(t, outcomes(machine, { ...LOSE, writes: 'keep' }), ['Nldmore'], 'kept');
  same(
    t,
    outcomes(machine, { ...LOSE, writes: 'random', tear: 'none' }),
    ['old', 'Nld', 'oldmore', 'Nldmore'],
    'any subset',
  );
  same(t, outcomes(machine, { ...LOSE, sizes: 'keep' }), ['old\0\0\0\0'], 'lost, but not the size');
  same(t, outcomes(machine, { ...LOSE, sizes: 'random' }), ['old', 'old\0\0\0\0'], 'or perhaps the size too');
  await file?.sync();
  same(t, outcomes(machine, LOSE), ['Nldmore'], 'synced');
});

t.test('order and truncation', async (t) => {
  const { machine, file } = durable('12345');
  file?.truncate(2);
  write(file, 'x', 3);
  t.equal(read(file), '12\0x');
  same(t, outcomes(machine, LOSE), ['12345'], 'lost');
  same(
    t,
    outcomes(machine, { ...LOSE, writes: 'random', tear: 'none' }),
    ['12345', '12', '123x5', '12\0x'],
    'any subset, in order',
  );
});

t.test('torn writes', async (t) => {
  await t.test('at any byte', async (t) => {
    const { machine, file } = durable('aaaa');
    write(file, 'bbbb');
    const found = outcomes(machine, { ...LOSE, writes: 'random', tear: 'byte' });
    for (const torn of ['aaaa', 'baaa', 'bbaa', 'bbba', 'abbb', 'aabb', 'aaab', 'bbbb'])
      t.ok(found.has(torn), torn);
    t.equal(found.size, 8);
  });
  await t.test('at sectors', async (t) => {
    const { machine, file } = durable('a'.repeat(1600));
    write(file, 'b'.repeat(1200), 100);
    const found = outcomes(machine, { ...LOSE, writes: 'random', tear: 'sector' });
    const sectors = [...found].map((found) =>
      (found ?? '').replace(/(.)\1*/g, (run, letter) => letter + run.length),
    );
    t.ok(found.has('a'.repeat(1600)));
    t.ok(sectors.includes('a100b412a1088'), 'the beginning');
    t.ok(sectors.includes('a1024b276a300'), 'the end');
    t.ok(sectors.includes('a512b512a576'), 'the middle');
    t.ok(sectors.includes('a100b412a512b276a300'), 'around the middle');
    for (const edge of sectors.join(' ').matchAll(/^a(\d+)b(\d+)/g)) t.match(edge[0], /^a(100|512|1024)b/);
    t.equal(found.size, 8);
  });
  await t.test('with garbage', async (t) => {
    const { machine, file } = durable('a'.repeat(1600));
    write(file, 'b'.repeat(1500), 50);
    const garbled = (cut: PowerCut) =>
      [...outcomes(machine, cut, 50)].filter((found) => /[^ab]/.test(found ?? ''));
    t.equal(garbled({ ...LOSE, writes: 'random' }).length, 0);
    const found = garbled({ ...LOSE, writes: 'random', garble: true });
    t.ok(found.length > 0);
    for (let seed = 0; seed < 50; seed++) {
      const fork = machine.fork(seed);
      fork.powerCut({ ...LOSE, writes: 'random', garble: true });
      const bytes = fork.bytes('/q/a') ?? [];
      t.ok(
        [...bytes.slice(0, 50), ...bytes.slice(1550)].every((byte) => byte === 97),
        'only inside the write',
      );
    }
  });
});

t.test('names', async (t) => {
  await t.test('of new files', async (t) => {
    const { machine: it, disk } = machine();
    const file = disk.create('/q/a');
    write(file, 'x');
    file?.syncNow();
    same(t, outcomes(it, LOSE), [undefined], 'a synced file without a synced name is gone');
    same(t, outcomes(it, { ...LOSE, names: 'keep' }), ['x'], 'kept');
    same(t, outcomes(it, { ...LOSE, names: 'random' }), [undefined, 'x'], 'either');
    await disk.syncDirectory('/q');
    same(t, outcomes(it, LOSE), ['x'], 'synced');
  });

  await t.test('a synced name without synced bytes is an empty file', async (t) => {
    const { machine: it, disk } = machine();
    write(disk.create('/q/a'), 'x');
    disk.syncDirectoryNow('/q');
    same(t, outcomes(it, LOSE), [''], 'empty');
  });

  await t.test('removed and linked', async (t) => {
    const { machine, disk } = durable('x');
    disk.link('/q/a', '/q/b');
    disk.unlink('/q/a');
    const found = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const fork = machine.fork(seed);
      fork.powerCut({ ...LOSE, names: 'random' });
      for (const name of fork.snapshot().keys()) t.equal(text(fork, name), 'x');
      found.add([...fork.snapshot().keys()].join(' '));
    }
    t.same([...found].sort(), ['', '/q/a', '/q/a /q/b', '/q/b'], 'any subset, so even both are gone');
    machine.powerCut(LOSE);
    t.same([...machine.snapshot().keys()], ['/q/a'], 'the removal was lost');
  });

  await t.test('reused', async (t) => {
    const { machine, disk } = durable('old');
    disk.unlink('/q/a');
    const file = disk.create('/q/a');
    write(file, 'new');
    file?.syncNow();
    same(t, outcomes(machine, { ...LOSE, names: 'random' }), ['old', 'new', undefined], 'old, new or none');
  });

  await t.test('of directories', async (t) => {
    const machine = new MemoryDisk();
    const disk = machine.opener();
    disk.makeDirectory('/q/d');
    disk.create('/q/d/a')?.syncNow();
    disk.syncDirectoryNow('/q/d');
    disk.syncDirectoryNow('/q');
    const fork = machine.fork(1);
    fork.powerCut(LOSE);
    t.same(fork.opener().list('/'), [], 'all gone with the unsynced name above');
    disk.syncDirectoryNow('/');
    disk.makeDirectory('/unsynced');
    disk.create('/unsynced/a');
    machine.powerCut(LOSE);
    t.same([...machine.snapshot().keys()], ['/q/d/a']);
    t.throws(() => machine.opener().create('/unsynced/a'), { code: 'ENOENT' });
  });

  await t.test('kept by syncing the file, where the file system does so', async (t) => {
    const { machine: it, disk } = machine({ syncKeepsNames: true });
    disk.create('/q/b');
    const file = disk.create('/q/a');
    write(file, 'x');
    await file?.sync();
    it.powerCut(LOSE);
    t.same([...it.snapshot().keys()], ['/q/a']);
  });
});

t.test('a failed sync loses what it was to sync for later syncs too', async (t) => {
  const { machine, file } = durable('old');
  write(file, 'NEW');
  machine.onOperation = ({ kind }) => (kind === 'sync' ? { error: 'EIO' } : undefined);
  await t.rejects(file?.sync() ?? Promise.resolve(), { code: 'EIO' });
  machine.onOperation = undefined;
  t.equal(read(file), 'NEW', 'still in the page cache');
  write(file, '+', 3);
  await file?.sync();
  same(t, outcomes(machine, { ...LOSE, writes: 'keep' }), ['old+'], 'the later sync succeeded, and yet');
  machine.evict();
  t.equal(read(file), 'old+', 'nor does the page cache keep it for ever');
  write(file, 'NEW');
  file?.syncNow();
  same(t, outcomes(machine, LOSE), ['NEW+'], 'unless it is written again');
});

t.test('of a failed sync some may have reached the device', async (t) => {
  const found = new Set<string | undefined>();
  for (let seed = 0; seed < 30; seed++) {
    const { machine, file } = durable('old');
    const fork = machine.fork(seed);
    const forked = fork.opener().open('/q/a', 'write');
    write(forked, 'NEW');
    fork.onOperation = () => ({ error: 'EIO', reached: 'some' });
    t.throws(() => forked?.syncNow(), { code: 'EIO' });
    fork.powerCut(LOSE);
    found.add(text(fork));
    file?.close();
  }
  same(t, found, ['old', 'NEW'], 'either');
});

t.test('a cut ends everything that ran', async (t) => {
  const { machine, disk, file } = durable('x');
  const before = disk.bootId();
  file?.tryLock('exclusive');
  machine.syncs.hold();
  write(file, 'y');
  const sync = t.rejects(file?.sync() ?? Promise.resolve(), { name: 'ProcessDied' });
  machine.powerCut(LOSE);
  await sync;
  t.equal(machine.syncs.count, 0);
  machine.syncs.release();
  t.throws(() => disk.list('/q'), { name: 'ProcessDied' });
  t.equal(text(machine), 'x', 'a sync under way took no effect afterwards');
  const next = machine.opener();
  t.not(next.bootId(), before, 'another boot');
  const again = next.open('/q/a', 'write');
  t.equal(again?.tryLock('exclusive'), true, 'locks are free');
  write(again, 'z');
  again?.syncNow();
  machine.powerCut(LOSE);
  t.equal(text(machine), 'z', 'and life goes on');
});

t.test('the same seed, the same cut', async (t) => {
  const after = (seed: number): string => {
    const { machine: it, disk } = machine({ seed });
    for (let number = 0; number < 10; number++) {
      const file = disk.create(`/q/${number}`);
      for (let at = 0; at < 20; at++) write(file, 'z'.repeat(700), at * 700);
    }
    it.powerCut({ writes: 'random', names: 'random', tear: 'byte', garble: true, sizes: 'random' });
    return JSON.stringify(
      [...it.snapshot()].map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')]),
    );
  };
  t.equal(after(7), after(7));
  t.not(after(7), after(8));
});
