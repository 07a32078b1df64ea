/** Enters once and ends; nothing else keeps it alive: `enter-once-child.js <directory> <mode>`. */
import { writeSync } from 'node:fs';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { type LockMode, openLocks } from '../../src/lock/locks.js';
import { WatchedDisk } from './watched-disk.js';

const PAST_SPINNING = 300;

const [directory = '', mode] = process.argv.slice(2);
const watched = new WatchedDisk(osDisk);
const locks = openLocks(watched.disk, new FileNames(directory, 'duro'), mode as LockMode);
watched.refused = () => {
  if (watched.refusals === PAST_SPINNING) writeSync(1, 'waiting\n');
};
await locks.write.enter();
writeSync(1, 'entered\n');
locks.close();
