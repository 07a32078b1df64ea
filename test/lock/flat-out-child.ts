/**
 * Enters and leaves without a pause until it is killed, or its parent is, adding one to the counter each time:
 * `flat-out-child.js <directory> <mode>`. A turn is long and the gap between two is short, so that whoever tries now
 * and then has little hope.
 */
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { type LockMode, openLocks } from '../../src/lock/locks.js';
import { addOne, openCounter } from './counter.js';

const READS_IN_A_TURN = 400;

const [directory = '', mode] = process.argv.slice(2);
const { write } = openLocks(osDisk, new FileNames(directory, 'duro'), mode as LockMode);
const counter = openCounter(directory);
const parent = process.ppid;
for (let orphaned = false; !orphaned; ) {
  if (!write.tryEnter()) await write.enter();
  addOne(counter, READS_IN_A_TURN);
  orphaned = process.ppid !== parent;
  write.leave();
}
