import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openLocks } from '../../src/lock/locks.js';
import { lockConformance } from './lock-conformance.js';
import { soon } from './until.js';

lockConformance(
  'os locks in memory',
  {
    mode: 'os',
    world() {
      const machine = new MemoryDisk();
      machine.opener().makeDirectory('/store');
      return { directory: '/store', disk: () => machine.opener() };
    },
  },
  'openers',
);

t.test('a process that dies frees its locks, and what it waits for ends as it does', async (t) => {
  const machine = new MemoryDisk();
  const names = new FileNames('/store', 'duro');
  const [holder, waiter, other] = [machine.opener(), machine.opener(), machine.opener()];
  holder.makeDirectory('/store');
  t.ok(openLocks(holder, names, 'os').write.tryEnter());
  const waiting = openLocks(waiter, names, 'os').write.enter();
  const entering = openLocks(other, names, 'os').write.enter();
  machine.kill(waiter);
  await t.rejects(waiting, { name: 'ProcessDied' });
  machine.kill(holder);
  await soon('the other one is in', entering);
});
