import { dirname } from 'node:path';
import type { Disk } from '../disk/disk.js';
import { osDisk } from '../disk/os.js';
import { DurostoreError } from '../errors.js';
import { describeOpeningError } from '../store/disk-errors.js';
import { nameOption } from '../store/names.js';
import {
  callOptions,
  invalid,
  type ResolvedStoreOptions,
  resolveStoreOptions,
  wholeNumber,
} from '../store/options.js';
import type { Log, LogOptions, Topic, TopicOptions } from './contract.js';
import type { OpenTopic } from './topic.js';
import { listTopics, MOST_PARTITIONS } from './topic-meta.js';
import { openTopic } from './topic-opening.js';
import { removeTopic } from './topic-removal.js';

const DEFAULT_PARTITIONS = 8;
const KNOWN: ReadonlySet<string> = new Set(['partitions']);

/**
 * Opens a log: topics in a directory, which is created if it is missing, each of them in partitions that are stores of their own. Any number
 * of processes may have it open. Rejects with INVALID_OPTION, or what the system says of the directory, as STORE_FAILED.
 */
export function openLog(options: LogOptions): Promise<Log> {
  return openLogOn(osDisk, options);
}

/** The same on another disk: where tests put theirs. */
export async function openLogOn(disk: Disk, options: LogOptions): Promise<Log> {
  const resolved = resolveStoreOptions(options, KNOWN);
  if ('filePrefix' in options && options.filePrefix !== undefined)
    throw invalid('filePrefix', 'nothing: a log names its own files', options.filePrefix);
  const partitions = wholeNumber('partitions', options.partitions, DEFAULT_PARTITIONS, 1, MOST_PARTITIONS);
  resolved.signal?.throwIfAborted();
  try {
    for (const created of disk.makeDirectory(resolved.directory)) await disk.syncDirectory(dirname(created));
  } catch (error) {
    throw describeOpeningError(error, resolved.directory);
  }
  // The signal ends opening alone.
  return new DirectoryLog(disk, { ...resolved, signal: undefined }, partitions);
}

class DirectoryLog implements Log {
  readonly #disk: Disk;
  readonly #options: ResolvedStoreOptions;
  readonly #partitions: number;
  readonly #open = new Map<string, Promise<OpenTopic>>();
  /** Who asks for a topic that is being removed here waits for that. */
  readonly #removing = new Map<string, Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(disk: Disk, options: ResolvedStoreOptions, partitions: number) {
    this.#disk = disk;
    this.#options = options;
    this.#partitions = partitions;
  }

  async topic(name: string, options?: TopicOptions): Promise<Topic> {
    this.#assertOpen();
    nameOption('name', name);
    const { partitions } = callOptions(options, KNOWN);
    const wanted = wholeNumber('partitions', partitions, this.#partitions, 1, MOST_PARTITIONS);
    while (this.#removing.has(name)) await this.#removing.get(name);
    this.#assertOpen();
    let opening = this.#open.get(name);
    if (opening === undefined) {
      opening = this.#openTopic(name, wanted);
      this.#open.set(name, opening);
      opening.catch(() => this.#open.delete(name));
    }
    const topic = await opening;
    if (partitions !== undefined && partitions !== topic.partitions)
      throw invalid('partitions', `${topic.partitions}, for so many the topic '${name}' has`, partitions);
    return topic;
  }

  async topics(): Promise<string[]> {
    this.#assertOpen();
    return this.#telling(() => listTopics(this.#disk, this.#options.directory));
  }

  async removeTopic(name: string): Promise<boolean> {
    this.#assertOpen();
    nameOption('name', name);
    while (this.#removing.has(name)) await this.#removing.get(name);
    const removing = this.#remove(name);
    const over = removing.then(
      () => {},
      () => {},
    );
    this.#removing.set(name, over);
    void over.then(() => this.#removing.delete(name));
    return removing;
  }

  async #remove(name: string): Promise<boolean> {
    const opening = this.#open.get(name);
    this.#open.delete(name);
    await (await opening)?.close();
    return this.#telling(() => removeTopic(this.#disk, this.#options.directory, name));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const open = await Promise.allSettled([...this.#open.values()]);
    const closed = await Promise.allSettled(
      open.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)),
    );
    for (const one of closed) if (one.status === 'rejected') throw one.reason;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #openTopic(name: string, partitions: number): Promise<OpenTopic> {
    const { directory } = this.#options;
    return this.#telling(async () => {
      const twin = listTopics(this.#disk, directory).find(
        (other) => other !== name && other.toLowerCase() === name.toLowerCase(),
      );
      if (twin !== undefined)
        throw invalid('name', `a name that differs from '${twin}' not only by case`, name);
      const topic = await openTopic(this.#disk, this.#options, name, partitions);
      if (this.#closed !== undefined) await topic.close();
      return topic;
    });
  }

  async #telling<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof DurostoreError ? error : describeOpeningError(error, this.#options.directory);
    }
  }

  #assertOpen(): void {
    if (this.#closed === undefined) return;
    throw new DurostoreError('CLOSED', `the log in ${this.#options.directory} is closed: open it again`);
  }
}
