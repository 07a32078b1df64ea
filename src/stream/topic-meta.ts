import { randomBytes } from 'node:crypto';
import type { Disk } from '../disk/disk.js';
import { damagedLine, decodeFormatLine, encodeFormatLine } from '../disk/format-line.js';
import { publishFile } from '../disk/publish-file.js';
import { SyncFailure } from '../disk/sync-failure.js';
import { DurostoreError } from '../errors.js';
import { topicDirectory, topicFiles, topicMetaFile, topicOf } from './topic-names.js';

/** What a topic is: one line of JSON in `topic.json`, written once. The topic is there as long as that file is. */
export interface TopicMeta {
  readonly partitions: number;
  /** Begins the names of its partitions' directories. */
  readonly label: string;
}

export const MOST_PARTITIONS = 1024;
const LARGEST_META = 4096;

/** Undefined where there is no such topic. UNSUPPORTED_VERSION, CORRUPT. */
export function readTopicMeta(disk: Disk, log: string, topic: string): TopicMeta | undefined {
  const file = disk.open(topicMetaFile(topicDirectory(log, topic)), 'read');
  if (file === undefined) return undefined;
  try {
    const bytes = Buffer.alloc(LARGEST_META);
    const length = file.read(bytes, 0, LARGEST_META, 0);
    const { partitions, label } = decodeFormatLine(bytes.subarray(0, length), file.path);
    const isCount = typeof partitions === 'number' && Number.isInteger(partitions) && partitions >= 1;
    if (
      !isCount ||
      partitions > MOST_PARTITIONS ||
      typeof label !== 'string' ||
      !/^[0-9a-f]{16}$/.test(label)
    )
      throw damagedLine(file.path, length);
    return { partitions, label };
  } finally {
    file.close();
  }
}

/** That of a topic, which is born here if there is none. Its name is on the device when this resolves. */
export async function readOrCreateTopicMeta(
  disk: Disk,
  log: string,
  topic: string,
  partitions: number,
): Promise<TopicMeta> {
  const directory = topicDirectory(log, topic);
  const names = topicFiles(directory);
  for (let attempt = 0; attempt < 100; attempt++) {
    const meta = readTopicMeta(disk, log, topic);
    if (meta !== undefined) {
      await disk.syncDirectory(directory);
      return meta;
    }
    disk.makeDirectory(directory);
    await disk.syncDirectory(log);
    const label = randomBytes(8).toString('hex');
    try {
      publishFile(disk, names, topicMetaFile(directory), encodeFormatLine({ partitions, label }));
    } catch (error) {
      // Somebody has just removed the topic, and the directory with it.
      if ((error as { code?: unknown }).code === 'ENOENT') continue;
      throw error instanceof SyncFailure ? error.cause : error;
    }
  }
  throw new DurostoreError(
    'STORE_FAILED',
    `${topicMetaFile(directory)} cannot be created: somebody keeps removing it`,
  );
}

/** The names of all topics, sorted. */
export function listTopics(disk: Disk, log: string): string[] {
  const found: string[] = [];
  for (const name of disk.list(log)) {
    const topic = topicOf(name);
    if (topic !== undefined && disk.exists(topicMetaFile(topicDirectory(log, topic)))) found.push(topic);
  }
  return found.sort();
}
