import type { Disk } from './disk.js';
import { syncNow } from './sync-failure.js';
import { writeFully } from './write-fully.js';

/**
 * Gives a file its name when it is whole and on the device: it is written and synced under a temporary name, and linked.
 * False where the name is taken: the loser of a race obeys the winner. Whoever dies in between leaves the temporary name.
 * That the name is on the device too is left to the caller, who syncs the directory.
 */
export function publishFile(disk: Disk, temporary: string, path: string, bytes: Buffer): boolean {
  disk.unlink(temporary);
  const file = disk.create(temporary);
  if (file === undefined) return false;
  try {
    writeFully(file, bytes, bytes.length, 0);
    syncNow(file);
  } finally {
    file.close();
  }
  try {
    return disk.link(temporary, path);
  } finally {
    disk.unlink(temporary);
  }
}
