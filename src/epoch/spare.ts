import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { isNoRoom } from '../disk/no-room.js';
import { writeFully } from '../disk/write-fully.js';

/** Enough for a journal that says the state of most stores, what is written ahead in it, and the take-over's own file. */
const SPARE_BYTES = 160 * 1024;

/**
 * ⚑ A full disk can be emptied, also when somebody died with the lock: a take-over must write, and nothing that belongs to
 * the epoch before may be written over. So there is a file of zeros to be given up for it. Best effort.
 */
export function keepSpare(disk: Disk, names: FileNames): void {
  try {
    const file = disk.create(names.spare());
    if (file === undefined) return;
    try {
      writeFully(file, Buffer.alloc(SPARE_BYTES), SPARE_BYTES, 0);
    } finally {
      file.close();
    }
  } catch {
    // No room: what there is of it is something.
  }
}

/** Does what needs room; where there is none, does it again with the spare's. */
export function withSpare<T>(disk: Disk, names: FileNames, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isNoRoom(error) || !disk.unlink(names.spare())) throw error;
    return work();
  }
}
