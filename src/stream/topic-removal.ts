import { join } from 'node:path';
import { lockAlone } from '../care/alone.js';
import type { Disk } from '../disk/disk.js';
import { FileNames } from '../disk/file-names.js';
import { DurostoreError } from '../errors.js';
import type { Locks } from '../lock/locks.js';
import { readMeta } from '../store/meta.js';
import { storeDefaults } from '../store/options.js';
import { tryTopicLock } from './topic-lock.js';
import { readTopicMeta, type TopicMeta } from './topic-meta.js';
import { labelOf, partitionDirectory, topicDirectory, topicMetaFile } from './topic-names.js';

/**
 * Removes a topic that nobody has open; false where there is none. The removal of its meta, on the device, is the commit: a
 * death behind it leaves directories that belong to nothing, and that whoever opens a topic of that name takes away.
 */
export async function removeTopic(disk: Disk, log: string, topic: string): Promise<boolean> {
  const directory = topicDirectory(log, topic);
  if (readTopicMeta(disk, log, topic) === undefined) return false;
  const lock = tryTopicLock(disk, directory, 'exclusive');
  if (lock === undefined) throw isOpen(topic);
  try {
    const meta = readTopicMeta(disk, log, topic);
    if (meta === undefined) return false;
    const locks = await lockPartitions(disk, directory, topic, meta);
    try {
      // ⚑ Looked at again in the same turn: with lock files another removal may have been faster, and a new topic be there.
      if (readTopicMeta(disk, log, topic)?.label !== meta.label) return false;
      disk.unlink(topicMetaFile(directory));
      await disk.syncDirectory(directory);
      // ⚑ Its own alone: somebody may have made the topic anew.
      for (const name of listed(disk, directory))
        if (labelOf(name) === meta.label) removeTree(disk, join(directory, name));
    } finally {
      for (const one of locks) one.close();
    }
    // Its lock stays, as all lock files do, and with it the directory.
    disk.removeDirectory(directory);
    return true;
  } finally {
    if (lock !== 'none') lock.close();
  }
}

/**
 * Takes away what topics of before have left in a directory. ⚑ What is there is listed before the label that counts is read, for the
 * directories of a topic come behind its meta: what was listed and has another label is of an older one.
 */
export function sweepTopic(disk: Disk, log: string, topic: string): void {
  const directory = topicDirectory(log, topic);
  const names = listed(disk, directory);
  const current = readTopicMeta(disk, log, topic);
  if (current === undefined) return;
  for (const name of names) {
    const label = labelOf(name);
    if (label !== undefined && label !== current.label) removeTree(disk, join(directory, name));
  }
}

/** Of all partitions at once: one that is not held could be opened, and written to, while another is being asked for. */
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
    throw isOpen(topic, error);
  }
}

const isOpen = (topic: string, cause?: unknown): DurostoreError =>
  new DurostoreError(
    'LOCK_UNAVAILABLE',
    `somebody else has the topic '${topic}' open, and nothing was removed: close it there first`,
    cause,
  );

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
