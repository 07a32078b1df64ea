import { join } from 'node:path';
import { lockAlone } from '../care/alone.js';
import type { Disk } from '../disk/disk.js';
import { FileNames } from '../disk/file-names.js';
import { DurostoreError } from '../errors.js';
import type { Locks } from '../lock/locks.js';
import { readMeta } from '../store/meta.js';
import { storeDefaults } from '../store/options.js';
import { readTopicMeta, type TopicMeta } from './topic-meta.js';
import { labelOf, partitionDirectory, topicDirectory, topicFiles, topicMetaFile } from './topic-names.js';

/**
 * Removes a topic that nobody has open; false where there is none. The removal of its meta, on the device, is the commit: a
 * death behind it leaves directories that belong to nothing, and that whoever makes or removes a topic of that name takes away.
 */
export async function removeTopic(disk: Disk, log: string, topic: string): Promise<boolean> {
  const meta = readTopicMeta(disk, log, topic);
  const directory = topicDirectory(log, topic);
  if (meta === undefined) return false;
  const locks = await lockPartitions(disk, directory, topic, meta);
  try {
    const removed = disk.unlink(topicMetaFile(directory));
    await disk.syncDirectory(directory);
    sweepTopic(disk, directory, undefined);
    for (const name of listed(disk, directory))
      if (topicFiles(directory).parse(name)?.kind === 'temporary') disk.unlink(join(directory, name));
    disk.removeDirectory(directory);
    await disk.syncDirectory(log);
    return removed;
  } finally {
    for (const one of locks) one.close();
  }
}

/** Takes away what topics of before have left in a directory; `label` is that of the one that is there. */
export function sweepTopic(disk: Disk, directory: string, label: string | undefined): void {
  for (const name of listed(disk, directory)) {
    const found = labelOf(name);
    if (found === undefined || found === label) continue;
    removeTree(disk, join(directory, name));
  }
}

/** ⚑ Of all partitions at once: one that is not held could be opened, and written to, while another is being asked for. */
async function lockPartitions(
  disk: Disk,
  directory: string,
  topic: string,
  { partitions, label }: TopicMeta,
): Promise<Locks[]> {
  const locks: Locks[] = [];
  try {
    for (let number = 0; number < partitions; number++) {
      const names = new FileNames(partitionDirectory(directory, label, number), storeDefaults.filePrefix);
      const meta = disk.exists(names.meta()) ? readMeta(disk, names) : undefined;
      if (meta !== undefined) locks.push(await lockAlone(disk, names, meta.locking, undefined));
    }
    return locks;
  } catch (error) {
    for (const one of locks) one.close();
    if (!(error instanceof DurostoreError) || error.code !== 'LOCK_UNAVAILABLE') throw error;
    throw new DurostoreError(
      'LOCK_UNAVAILABLE',
      `somebody else has a partition of the topic '${topic}' open, and nothing was removed: close it there first`,
      error,
    );
  }
}

/** What somebody else takes away meanwhile is nobody's trouble. */
function removeTree(disk: Disk, directory: string): void {
  for (const name of listed(disk, directory)) {
    const path = join(directory, name);
    try {
      disk.unlink(path);
    } catch (error) {
      if (!isDirectoryError(error)) throw error;
      removeTree(disk, path);
    }
  }
  disk.removeDirectory(directory);
}

/** Linux says EISDIR, others EPERM. */
const isDirectoryError = (error: unknown): boolean => {
  const code = (error as { code?: unknown }).code;
  return code === 'EISDIR' || code === 'EPERM';
};

function listed(disk: Disk, directory: string): string[] {
  try {
    return disk.list(directory);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    return [];
  }
}
