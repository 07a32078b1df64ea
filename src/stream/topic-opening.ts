import { setTimeout as sleep } from 'node:timers/promises';
import type { Disk } from '../disk/disk.js';
import { DurostoreError } from '../errors.js';
import type { ResolvedStoreOptions } from '../store/options.js';
import { OpenTopic } from './topic.js';
import { tryTopicLock } from './topic-lock.js';
import { readOrCreateTopicMeta, readTopicMeta } from './topic-meta.js';
import { topicDirectory } from './topic-names.js';
import { sweepTopic } from './topic-removal.js';

/** Who removes a topic is waited for by so many looks. */
const MOST_LOOKS = 3000;
const LOOK_EVERY_MS = 10;

/**
 * Opens a topic, creating it if it is missing. ⚑ The lock that keeps a removal away is had first, and then it is looked whether the topic
 * is still the one that was found: a removal, and a new topic of that name, may have come between.
 */
export async function openTopic(
  disk: Disk,
  options: ResolvedStoreOptions,
  name: string,
  partitions: number,
): Promise<OpenTopic> {
  const { directory: log } = options;
  const directory = topicDirectory(log, name);
  for (let looks = 1; ; looks++) {
    const meta = await readOrCreateTopicMeta(disk, log, name, partitions);
    const isThere = (): boolean => readTopicMeta(disk, log, name)?.label === meta.label;
    const lock = tryTopicLock(disk, directory, 'shared');
    if (lock === undefined) {
      if (looks > MOST_LOOKS)
        throw new DurostoreError('LOCK_UNAVAILABLE', `the topic '${name}' is being removed: try again later`);
      await sleep(LOOK_EVERY_MS);
      continue;
    }
    let topic: OpenTopic | undefined;
    try {
      if (isThere()) {
        sweepTopic(disk, log, name);
        topic = new OpenTopic(disk, options, directory, name, meta, lock, isThere);
        return topic;
      }
    } finally {
      if (topic === undefined && lock !== 'none') lock.close();
    }
  }
}
