import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { openLocks } from '../../src/lock/locks.js';
import { lockConformance } from './lock-conformance.js';

lockConformance(
  'no locks',
  { mode: 'none', world: (t) => ({ directory: t.testdir(), disk: () => osDisk }) },
  'nobody',
);

t.test('a second opener is told', async (t) => {
  const names = new FileNames(t.testdir(), 'duro');
  const first = openLocks(osDisk, names, 'none');
  t.throws(() => openLocks(osDisk, names, 'none'), {
    code: 'LOCK_UNAVAILABLE',
    message: names.lock('write'),
  });
  first.write.tryEnter();
  first.write.leave();
  t.throws(() => openLocks(osDisk, names, 'none'), { code: 'LOCK_UNAVAILABLE' }, 'leaving frees nothing');
  first.close();
  const second = openLocks(osDisk, names, 'none');
  second.close();
});

t.test('where nothing can be locked it trusts the user', async (t) => {
  const disk = { ...osDisk, canLock: false };
  const names = new FileNames(t.testdir(), 'duro');
  const locks = openLocks(disk, names, 'none');
  t.ok(locks.write.tryEnter());
  t.strictSame(disk.list(names.directory), []);
  locks.close();
});
