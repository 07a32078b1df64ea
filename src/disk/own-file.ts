import { randomBytes } from 'node:crypto';
import { copyBytes } from './copy-bytes.js';
import type { Disk, DiskFile } from './disk.js';
import type { FileNames } from './file-names.js';
import { syncNow } from './sync-failure.js';

/**
 * ⚑ A copy of the store may have the same file by another name, and what is about to be changed here is no matter of the copy's. So a
 * file that has other names is replaced by one of its own, on the device. True where it was: what is open of it is the other's, so nobody else may write to it.
 */
export function makeOwn(disk: Disk, names: FileNames, path: string): boolean {
  if (disk.links(path) < 2) return false;
  const temporary = names.temporary(`own-${randomBytes(8).toString('hex')}`);
  const from = disk.open(path, 'read');
  if (from === undefined) return false;
  let to: DiskFile | undefined;
  try {
    to = disk.create(temporary);
    if (to === undefined) return false;
    for (const _ of copyBytes(from, to));
    syncNow(to);
  } catch (error) {
    disk.unlink(temporary);
    throw error;
  } finally {
    from.close();
    to?.close();
  }
  disk.rename(temporary, path);
  disk.syncDirectoryNow(names.directory);
  return true;
}
