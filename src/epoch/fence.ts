import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';

/**
 * A fence is a file `duro.epoch.E`, created exclusively, that holds nothing. It says that nobody may go on in an epoch below
 * E: ⚑ it is put up before a lock can be had that was taken from a holder who may only be asleep, so that this one finds
 * the fence after its next write, and who gets the lock finds that there is something to take over. Checking *before* a
 * write fences nobody: one can fall asleep in between.
 *
 * Returns its number, which was the greatest there was when it was there: old fences are removed, and one that takes the
 * place of such a one would stop nobody. It is greater than the epoch of any file, too: of a take-over that came to nothing
 * a power cut may have taken the fence and kept the journal, and no two take-overs write journals of one epoch.
 */
export function createFence(disk: Disk, names: FileNames): number {
  for (;;) {
    const { fence, epoch } = highest(disk, names);
    // What everybody looks for is the number behind its own.
    if (epoch > fence) disk.create(names.epoch(fence + 1))?.close();
    const number = Math.max(fence, epoch) + 1;
    const file = disk.create(names.epoch(number));
    if (file === undefined) continue;
    file.close();
    if (highestFence(disk, names) === number) return number;
  }
}

/** The greatest number of a fence; 0 where there is none. */
export const highestFence = (disk: Disk, names: FileNames): number => highest(disk, names).fence;

/** The greatest number of a fence, and the greatest epoch that a file has in its name; 0 where there is none. */
function highest(disk: Disk, names: FileNames): { fence: number; epoch: number } {
  let fence = 0;
  let epoch = 0;
  for (const name of disk.list(names.directory)) {
    const parsed = names.parse(name);
    if (parsed?.kind === 'epoch') fence = Math.max(fence, parsed.number);
    else if (parsed !== undefined && 'epoch' in parsed) epoch = Math.max(epoch, parsed.epoch);
  }
  return { fence, epoch };
}
