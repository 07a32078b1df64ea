import { osDisk } from '../../src/disk/os.js';
import { lockConformance } from './lock-conformance.js';

lockConformance(
  'os locks',
  { mode: 'os', world: (t) => ({ directory: t.testdir(), disk: () => osDisk }) },
  'processes',
);
