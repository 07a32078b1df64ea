import { join } from 'node:path';
import t from 'tap';
import type { Disk, DiskFile } from '../../src/disk/disk.js';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { chooseLockMode, openLocks } from '../../src/lock/locks.js';

t.test('auto is os locks where the file system is local and can lock', async (t) => {
  const local: Disk = { ...osDisk, canLock: true, locality: () => 'local' };
  t.equal(chooseLockMode(local, '/x'), 'os');
  t.equal(chooseLockMode({ ...local, locality: () => 'unknown' }, '/x'), 'lockfile');
  t.equal(chooseLockMode({ ...local, canLock: false }, '/x'), 'lockfile');
});

t.test('lock files are made where missing, empty, and stay', async (t) => {
  const names = new FileNames(t.testdir(), 'duro');
  const locks = openLocks(osDisk, names, 'os');
  locks.takeSlot();
  locks.shorten.tryEnter();
  locks.close();
  const files = osDisk.list(names.directory);
  for (const path of [names.lock('write'), names.lock('fate.turn'), names.slot(1), names.lock('shorten')])
    t.ok(osDisk.exists(path), path);
  t.ok(files.every((file) => names.parse(file)?.kind === 'lock'));
  openLocks(osDisk, names, 'os').close();
  t.strictSame(osDisk.list(names.directory).sort(), files.sort());
});

t.test('where no lock is to be had, the error says why and what to do', async (t) => {
  const names = new FileNames(t.testdir(), 'duro');

  t.test('no native locks', async (t) => {
    t.throws(() => openLocks({ ...osDisk, canLock: false }, names, 'os'), {
      code: 'LOCK_UNAVAILABLE',
      message: /fs-native-extensions.*'lockfile'/,
    });
  });

  t.test('a directory that is not there any more', async (t) => {
    const elsewhere = new FileNames(join(names.directory, 'no-such'), 'duro');
    for (const mode of ['os', 'lockfile'] as const)
      t.throws(() => openLocks(osDisk, elsewhere, mode).write.tryEnter(), {
        code: 'STORE_FAILED',
        message: /no-such was removed or replaced.*Reopen/,
        cause: { code: 'ENOENT' },
      });
  });

  const refusing = (part: string): { disk: Disk; opened: () => number; refuse: { now: boolean } } => {
    const refuse = { now: true };
    let open = 0;
    const guard = (file: DiskFile | undefined): DiskFile | undefined => {
      if (file === undefined) return undefined;
      open++;
      return new Proxy(file, {
        get(target, key) {
          if (key === 'tryLock' && part === 'tryLock' && refuse.now) return () => deny('EIO');
          const value: unknown = Reflect.get(target, key, target);
          if (key === 'close') open--;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    };
    const disk: Disk = {
      ...osDisk,
      canLock: true,
      open: (path, access) => {
        if (part !== 'tryLock' && path.endsWith(part)) deny('EACCES');
        return guard(osDisk.open(path, access));
      },
      create: (path) => guard(osDisk.create(path)),
    };
    return { disk, opened: () => open, refuse };
  };

  t.test('no permission', async (t) => {
    for (const mode of ['os', 'none'] as const) {
      const { disk, opened } = refusing('duro.write.lock');
      t.throws(() => openLocks(disk, names, mode), {
        code: 'LOCK_UNAVAILABLE',
        message: names.lock('write'),
        cause: { code: 'EACCES' },
      });
      t.equal(opened(), 0, 'what was open is closed');
    }
    for (const lock of ['arrive', 'slot.1']) {
      const { disk } = refusing(`duro.${lock}.lock`);
      t.throws(() => openLocks(disk, names, 'os').takeSlot(), { code: 'LOCK_UNAVAILABLE' });
    }
  });

  t.test('no permission for the lock directory', async (t) => {
    const refused = new Set(['EACCES']);
    const disk: Disk = {
      ...osDisk,
      createDirectory: (path) => {
        for (const code of refused) deny(code);
        return osDisk.createDirectory(path);
      },
    };
    const told = {
      code: 'LOCK_UNAVAILABLE',
      message: /duro\.directory\.lock.*Give this user the right/,
      cause: { code: 'EACCES' },
    };
    const locks = openLocks(disk, names, 'lockfile');
    t.throws(() => locks.write.tryEnter(), told);
    await t.rejects(locks.write.enter(), told);
    t.throws(() => locks.fate.tryEnter(), told);
    refused.clear();
    t.ok(locks.write.tryEnter(), 'and works once it can');
    refused.add('ENOSPC');
    locks.write.leave();
    const full = openLocks(disk, names, 'lockfile');
    t.throws(() => full.write.tryEnter(), { code: 'ENOSPC' }, 'a full disk is another matter');
    locks.close();
    full.close();
  });

  t.test('a lock that fails', async (t) => {
    const { disk, opened, refuse } = refusing('tryLock');
    t.throws(() => openLocks(disk, names, 'none'), { code: 'LOCK_UNAVAILABLE', cause: { code: 'EIO' } });
    t.equal(opened(), 0);
    const locks = openLocks(disk, names, 'os');
    const told = { code: 'LOCK_UNAVAILABLE', message: names.lock('write.turn'), cause: { code: 'EIO' } };
    t.throws(() => locks.write.tryEnter(), told);
    await t.rejects(locks.write.enter(), told);
    await t.rejects(locks.arrive(), { code: 'LOCK_UNAVAILABLE' });
    t.throws(() => locks.takeSlot(), { code: 'LOCK_UNAVAILABLE' });
    refuse.now = false;
    t.ok(locks.write.tryEnter(), 'and works once it can');
    locks.close();
    t.equal(opened(), 0);
  });
});

function deny(code: string): never {
  throw Object.assign(new Error(`${code}: refused`), { code });
}
