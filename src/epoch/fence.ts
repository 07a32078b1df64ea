import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';

/**
 * A fence says that a lock is about to be taken from a holder who may only be asleep: a file `duro.epoch.E`, created
 * exclusively, that holds nothing. ⚑ It is there before the lock is, so that whoever had it finds the fence after its next
 * write, and whoever gets it finds that there is something to take over. Checking *before* a write fences nobody: one can
 * fall asleep in between.
 */
export function createFence(disk: Disk, names: FileNames): number {
  for (let number = highestFence(disk, names) + 1; ; number++) {
    const file = disk.create(names.epoch(number));
    if (file === undefined) continue;
    file.close();
    return number;
  }
}

/** The greatest number of a fence; 0 where there is none. */
export function highestFence(disk: Disk, names: FileNames): number {
  let highest = 0;
  for (const name of disk.list(names.directory)) {
    const parsed = names.parse(name);
    if (parsed?.kind === 'epoch' && parsed.number > highest) highest = parsed.number;
  }
  return highest;
}
