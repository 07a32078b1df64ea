/**
 * Adds one to the number in a file, each time inside the write lock, and prints what it wrote:
 * `counter-child.js <directory> <mode> <times>`. Lost additions and numbers printed twice betray two holders.
 */
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { type LockMode, openLocks } from '../../src/lock/locks.js';
import { addOne, openCounter } from './counter.js';

const [directory = '', mode, times] = process.argv.slice(2);
const locks = openLocks(osDisk, new FileNames(directory, 'duro'), mode as LockMode);
const counter = openCounter(directory);
const written: number[] = [];
for (let time = 0; time < Number(times); time++) {
  if (time % 7 === 0 || !locks.write.tryEnter()) await locks.write.enter();
  written.push(addOne(counter));
  locks.write.leave();
}
locks.close();
process.stdout.write(written.join('\n'));
