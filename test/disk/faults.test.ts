import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { ProcessDied } from '../../src/disk/memory-error.js';
import {
  anyOf,
  dieAfterNth,
  dieAtNth,
  failNth,
  inject,
  type Operation,
  onIndex,
  onKind,
  onOpener,
  onPath,
  randomly,
} from '../../src/disk/memory-fault.js';
import { read, write } from './disk-conformance.js';

function start() {
  const machine = new MemoryDisk();
  machine.put('/q/a', new TextEncoder().encode('12345'));
  const disk = machine.opener('one');
  const file = disk.open('/q/a', 'write');
  machine.operations = 0;
  return { machine, disk, file };
}

t.test('every operation can fail', async (t) => {
  const { machine, disk, file } = start();
  const seen: Operation[] = [];
  machine.onOperation = (operation) => {
    seen.push(operation);
    return { error: 'EIO' };
  };
  const calls: [kind: string, path: string, call: () => unknown][] = [
    ['open', '/q/a', () => disk.open('/q/a', 'read')],
    ['create', '/q/b', () => disk.create('/q/b')],
    ['list', '/q', () => disk.list('/q')],
    ['makeDirectory', '/r', () => disk.makeDirectory('/r')],
    ['createDirectory', '/q/d', () => disk.createDirectory('/q/d')],
    ['removeDirectory', '/q', () => disk.removeDirectory('/q')],
    ['modifiedAt', '/q', () => disk.modifiedAt('/q')],
    ['setModifiedAt', '/q', () => disk.setModifiedAt('/q', 0)],
    ['link', '/q/b', () => disk.link('/q/a', '/q/b')],
    ['unlink', '/q/a', () => disk.unlink('/q/a')],
    ['syncDirectory', '/q', () => disk.syncDirectoryNow('/q')],
    ['syncDirectory', '/q', () => disk.syncDirectory('/q')],
    ['read', '/q/a', () => read(file)],
    ['write', '/q/a', () => write(file, 'x')],
    ['truncate', '/q/a', () => file?.truncate(0)],
    ['sync', '/q/a', () => file?.syncNow()],
    ['sync', '/q/a', () => file?.sync()],
    ['lock', '/q/a', () => file?.tryLock('exclusive')],
  ];
  for (const [kind, path, call] of calls) {
    await t.rejects(async () => await call(), { code: 'EIO' }, kind);
    const write = kind === 'write' && { write: { position: 0, bytes: Buffer.from('x') } };
    t.same(seen.at(-1), { opener: 'one', n: seen.length, kind, path, ...write });
  }
  t.equal(machine.operations, calls.length);
  const failed = await new Promise((resolve) => disk.watch('/q', () => {}, resolve));
  t.match(failed, { code: 'EIO' }, 'watch');
  machine.onOperation = undefined;
  t.same(
    [...machine.snapshot()].map(([path, bytes]) => [path, bytes.length]),
    [['/q/a', 5]],
    'to no effect',
  );
  t.equal(machine.opener().open('/q/a', 'write')?.tryLock('exclusive'), true, 'nor is anything locked');
});

t.test('a short write', async (t) => {
  const { machine, file } = start();
  machine.onOperation = inject({ short: 2 }, onKind('write'), onIndex(1));
  t.equal(write(file, 'abcd'), 2);
  t.equal(write(file, 'x', 4), 1);
  t.equal(read(file), 'ab34x');
});

t.test('death', async (t) => {
  await t.test('before a call', async (t) => {
    const { machine, file } = start();
    machine.onOperation = dieAtNth(2);
    t.equal(write(file, 'a'), 1);
    t.throws(() => write(file, 'b', 1), ProcessDied);
    t.throws(() => read(file), ProcessDied, 'for good');
    t.equal(Buffer.from(machine.bytes('/q/a') ?? []).toString(), 'a2345');
  });
  await t.test('after a call', async (t) => {
    const { machine, file } = start();
    machine.onOperation = dieAfterNth(2);
    t.equal(write(file, 'a'), 1);
    t.throws(() => write(file, 'b', 1), ProcessDied);
    t.equal(Buffer.from(machine.bytes('/q/a') ?? []).toString(), 'ab345');
  });
  await t.test('in the middle of a write', async (t) => {
    const { machine, file } = start();
    machine.onOperation = inject({ torn: 3 }, onKind('write'));
    t.throws(() => write(file, 'abcde'), ProcessDied);
    t.equal(Buffer.from(machine.bytes('/q/a') ?? []).toString(), 'abc45');
  });
  await t.test('after a sync', async (t) => {
    const { machine, file } = start();
    machine.onOperation = inject('die-after', onKind('sync'));
    write(file, 'a');
    await t.rejects(file?.sync() ?? Promise.resolve(), ProcessDied);
    machine.powerCut({ writes: 'lose', names: 'lose' });
    t.equal(Buffer.from(machine.bytes('/q/a') ?? []).toString(), 'a2345', 'which took effect');
  });
  await t.test('of one leaves the others', async (t) => {
    const { machine, file } = start();
    const other = machine.opener('two').open('/q/a', 'write');
    machine.onOperation = inject('die', onOpener('one'));
    t.throws(() => write(file, 'a'), ProcessDied);
    t.equal(write(other, 'b'), 1);
  });
  await t.test('between the levels of a new directory', async (t) => {
    const { machine, disk } = start();
    machine.onOperation = dieAtNth(2);
    t.throws(() => disk.makeDirectory('/d/e'), ProcessDied);
    t.equal(machine.opener().exists('/d'), true);
  });
});

t.test('injectors count and print themselves', async (t) => {
  const operation = (n: number, kind: Operation['kind'] = 'write', path = '/q/a.dat'): Operation => ({
    opener: 'one',
    n,
    kind,
    path,
  });
  const third = inject({ error: 'EIO' }, onKind('sync', 'syncDirectory'), onPath(/\.dat$/), onIndex(2));
  t.equal(`${third}`, 'EIO on sync|syncDirectory of /\\.dat$/ at index 2');
  const hits = [
    third(operation(1, 'sync')),
    third(operation(2, 'write')),
    third(operation(3, 'sync', '/q/a.idx')),
    third(operation(4, 'sync')),
    third(operation(5, 'sync')),
  ].map((fault) => fault !== undefined);
  t.same(hits, [false, false, false, true, false], 'the index counts what the conditions before let through');

  const either = anyOf(failNth(2, 'ENOSPC'), dieAtNth(3), inject({ torn: 5 }, onIndex(4)));
  t.equal(`${either}`, 'ENOSPC at call 2, or die at call 3, or torn 5 at index 4');
  t.same(
    [1, 2, 3, 4].map((n) => either(operation(n))),
    [undefined, { error: 'ENOSPC' }, 'die', { torn: 5 }],
    'each counts all',
  );

  const rare = () => inject('die-after', onOpener('one'), randomly(10, 42));
  t.equal(`${rare()}`, 'die-after by one one in 10 (seed 42)');
  const first = rare();
  const second = rare();
  const drawn = Array.from({ length: 1000 }, (_, n) => first(operation(n)) !== undefined);
  t.same(
    drawn,
    Array.from({ length: 1000 }, (_, n) => second(operation(n)) !== undefined),
    'repeatable',
  );
  const count = drawn.filter(Boolean).length;
  t.ok(count > 60 && count < 150, `${count} of 1000`);
  t.equal(`${inject({ short: 1 })}`, 'short 1');
  t.equal(`${inject({ error: 'EIO', reached: 'some' })}`, 'EIO (some reached)');
});
