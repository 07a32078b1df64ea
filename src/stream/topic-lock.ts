import type { Disk, DiskFile } from '../disk/disk.js';
import { openLockFile, tryLockFile } from '../lock/lock-file.js';
import { topicLockFile } from './topic-names.js';

/**
 * Held shared by whoever has a topic open, and exclusively by who removes it, where the system has locks that can be trusted. Undefined
 * where somebody holds it in the other way; 'none' where there are no such locks, and nobody can tell.
 * The file stays when a topic is removed: as with any lock, who has it open must not be left with one that nobody else sees.
 */
export function tryTopicLock(
  disk: Disk,
  directory: string,
  mode: 'shared' | 'exclusive',
): DiskFile | 'none' | undefined {
  if (!disk.canLock || disk.locality(directory) !== 'local') return 'none';
  const file = openLockFile(disk, topicLockFile(directory));
  let isTaken = false;
  try {
    isTaken = tryLockFile(file, mode);
  } finally {
    if (!isTaken) file.close();
  }
  return isTaken ? file : undefined;
}
