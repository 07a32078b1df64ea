import { join } from 'node:path';
import { FileNames } from '../disk/file-names.js';

/**
 * The one place that knows what the directories of a log are called:
 *
 *     @orders/                      the topic `orders`; no file of a store begins with @
 *     @orders/topic.json            what it is: one line of JSON
 *     @orders/topic.tmp.9f3c…       that file being born
 *     @orders/topic.lock            locked by whoever has the topic open; empty
 *     @orders/9f86d081884c7d65-0/   its partition 0: a store. The label before it is that of the topic's meta
 *
 * A topic that was removed and made again has another label, so that nothing of the old one can be taken for its own.
 */
const MARK = '@';

export const topicDirectory = (log: string, topic: string): string => join(log, `${MARK}${topic}`);

/** The topic that a name in the log's directory belongs to. */
export const topicOf = (name: string): string | undefined =>
  name.startsWith(MARK) && name.length > 1 ? name.slice(1) : undefined;

export const topicLockFile = (directory: string): string => join(directory, 'topic.lock');

export const topicMetaFile = (directory: string): string => join(directory, 'topic.json');

/** Names for that file while it is being born. */
export const topicFiles = (directory: string): FileNames => new FileNames(directory, 'topic');

export const partitionDirectory = (topic: string, label: string, partition: number): string =>
  join(topic, `${label}-${partition}`);

/** The label of a partition's directory. */
export const labelOf = (name: string): string | undefined => /^([0-9a-f]{16})-\d+$/.exec(name)?.[1];
