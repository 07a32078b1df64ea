import { MemoryDisk } from '../../src/disk/memory.js';
import { osDisk } from '../../src/disk/os.js';
import { lockConformance } from './lock-conformance.js';

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
