import type { Disk } from './disk.js';
import { DraftFile } from './draft-file.js';
import type { FileNames } from './file-names.js';

/**
 * Gives a file its name when it is whole and on the device: it is written and synced under a temporary one first. False where
 * the name is taken: the loser of a race obeys the winner. That the name is on the device too is left to the caller, who
 * syncs the directory.
 */
export function publishFile(disk: Disk, names: FileNames, path: string, bytes: Buffer): boolean {
  const draft = DraftFile.create(disk, names);
  try {
    draft.append(bytes);
    draft.syncNow();
    return draft.publish(path);
  } finally {
    draft.close();
  }
}
