/** Exits while it is inside: `exit-inside-child.js <directory>`. */
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { openLocks } from '../../src/lock/locks.js';

const [directory = ''] = process.argv.slice(2);
await openLocks(osDisk, new FileNames(directory, 'duro'), 'lockfile').write.enter();
process.exit(7);
