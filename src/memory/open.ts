import type { Disk } from '../disk/disk.js';
import type { Queue } from '../queue/contract.js';
import type { QueueOptions } from '../queue/options.js';
import { openQueueOn } from '../queue/queue.js';
import type { Store } from '../store/contract.js';
import { invalid, type StoreOptions } from '../store/options.js';
import { openStoreOn } from '../store/store.js';
import type { Log, LogOptions } from '../stream/contract.js';
import { openLogOn } from '../stream/log.js';
import { forget, placeOf } from './machines.js';

/** Those of a store; a directory need not be named. */
export interface MemoryStoreOptions extends Omit<StoreOptions, 'directory'> {
  /** Who opens the same one in this process shares it. Default: one of its own, that nobody else can open. */
  directory?: string | undefined;
}

/** Those of a queue; a directory need not be named. */
export interface MemoryQueueOptions<T> extends Omit<QueueOptions<T>, 'directory'> {
  /** Who opens the same one in this process shares it. Default: one of its own, that nobody else can open. */
  directory?: string | undefined;
}

/** Those of a log; a directory need not be named. */
export interface MemoryLogOptions extends Omit<LogOptions, 'directory'> {
  /** Who opens the same one in this process shares it. Default: one of its own, that nobody else can open. */
  directory?: string | undefined;
}

/**
 * Opens a store in a directory that is only in this process's memory, by the code that does it on a disk. What was written is there
 * as long as the process, also for who opens the directory again. Rejects as `openStore` does.
 */
export async function openStore(options: MemoryStoreOptions = {}): Promise<Store> {
  const { disk, found } = placeFor(options);
  return openStoreOn(disk, { ...options, ...found });
}

/** The same for a queue. Rejects as `openQueue` does. */
export async function openQueue<T = unknown>(options: MemoryQueueOptions<T> = {}): Promise<Queue<T>> {
  const { disk, found } = placeFor(options);
  return openQueueOn<T>(disk, { ...options, ...found });
}

/** The same for a log. Rejects as `openLog` does. */
export async function openLog(options: MemoryLogOptions = {}): Promise<Log> {
  const { disk, found } = placeFor(options);
  return openLogOn(disk, { ...options, ...found });
}

/**
 * Forgets a directory and what is in it; false where there is none. Who has it open goes on alone, in what nobody else sees: close
 * everything first. INVALID_OPTION.
 */
export function removeDirectory(directory: string): boolean {
  return forget(checkDirectory(directory));
}

/** Where to open it, and the options that are others than on a disk. Notices are never lost here, so nobody looks in the background. */
function placeFor(options: MemoryStoreOptions): {
  disk: Disk;
  found: Required<Pick<StoreOptions, 'directory' | 'indexer'>>;
} {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  const { directory, disk } = placeOf(
    options.directory === undefined ? undefined : checkDirectory(options.directory),
  );
  return { disk, found: { directory, indexer: options.indexer === undefined ? false : options.indexer } };
}

function checkDirectory(directory: unknown): string {
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0'))
    throw invalid('directory', 'a path, not empty', directory);
  return directory;
}
