/**
 * Adds one to the number in a file, each time inside the write lock, and tells its parent what it wrote:
 * `counter-child.js <directory> <mode> <times>`. Begins when told, so that all begin together. Lost additions and
 * numbers written twice betray two holders.
 */
import { once } from 'node:events';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { type LockMode, openLocks } from '../../src/lock/locks.js';
import { addOne, openCounter } from './counter.js';

const [directory = '', mode, times] = process.argv.slice(2);
const locks = openLocks(osDisk, new FileNames(directory, 'duro'), mode as LockMode);
const counter = openCounter(directory);
const written: number[] = [];
process.send?.('ready');
await once(process, 'message');
for (let time = 0; time < Number(times); time++) {
  if (time % 7 === 0 || !locks.write.tryEnter()) await locks.write.enter();
  written.push(addOne(counter));
  locks.write.leave();
}
locks.close();
process.send?.(written, () => process.disconnect());
