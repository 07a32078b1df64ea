import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Disk } from '../../src/disk/disk.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import { MemoryOpener } from '../../src/disk/memory-opener.js';
import { osDisk } from '../../src/disk/os.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { Store } from '../../src/store/contract.js';
import type { StoreOptions } from '../../src/store/options.js';
import { openStoreOn } from '../../src/store/store.js';
import type { Log, LogOptions } from '../../src/stream/contract.js';
import { openLogOn } from '../../src/stream/log.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** So that what a dead one held can be had at once. */
const PAST_STALE_MS = 60_000;

/** A directory that stores and queues are opened in, on one disk or another. What is opened is closed with the test. */
export interface World {
  readonly directory: string;
  /** Opens a store as another process would: with nothing in common but the disk. */
  openStore(options?: Partial<StoreOptions>): Promise<Store>;
  openQueue<T = unknown>(options?: Partial<QueueOptions<T>>): Promise<Queue<T>>;
  openLog(options?: Partial<LogOptions>): Promise<Log>;
  /** Names of the files in the directory that match, sorted. */
  files(match: RegExp): string[];
  /** Bytes of a file. */
  bytes(name: string): Buffer;
  /** Flips all bits of a byte, unnoticed. */
  flip(name: string, position: number): void;
  /** Puts a file there, in place of what was there. */
  put(name: string, bytes: Uint8Array): void;
  remove(name: string): void;
}

/** A world on the operating system's disk. */
export async function osWorld(t: Test): Promise<World> {
  const directory = await temporaryDirectory(t);
  const bytes = (name: string): Buffer => readFileSync(join(directory, name));
  const put = (name: string, content: Uint8Array): void => writeFileSync(join(directory, name), content);
  return {
    directory,
    ...openers(t, directory, () => osDisk),
    files: (match) =>
      readdirSync(directory)
        .filter((name) => match.test(name))
        .sort(),
    bytes,
    put,
    remove: (name) => rmSync(join(directory, name)),
    flip(name, position) {
      const content = bytes(name);
      content.writeUInt8(content.readUInt8(position) ^ 0xff, position);
      put(name, content);
    },
  };
}

/** A world in memory; each opener is a process of its own there. */
export function memoryWorld(t: Test, machine = new MemoryDisk()): World {
  const directory = '/store';
  return {
    directory,
    ...openers(t, directory, () => machine.opener()),
    files: (match) =>
      [...machine.snapshot().keys()]
        .map((path) => path.slice(path.lastIndexOf('/') + 1))
        .filter((name) => match.test(name))
        .sort(),
    bytes: (name) => Buffer.from(machine.bytes(`${directory}/${name}`) ?? []),
    put: (name, content) => machine.put(`${directory}/${name}`, content),
    remove: (name) => void machine.opener().unlink(`${directory}/${name}`),
    flip: (name, position) => machine.flip(`${directory}/${name}`, position),
  };
}

/** A process in memory that a test has killed closes nothing. */
const isDead = (disk: Disk): boolean => disk instanceof MemoryOpener && disk.dead;

function openers(
  t: Test,
  directory: string,
  disk: () => Disk,
): Pick<World, 'openStore' | 'openQueue' | 'openLog'> {
  return {
    async openStore(options = {}) {
      const opener = disk();
      const store = await openStoreOn(opener, { directory, ...options });
      t.teardown(() => isDead(opener) || store.close());
      return store;
    },
    async openQueue<T>(options: Partial<QueueOptions<T>> = {}) {
      const opener = disk();
      const queue = await openQueueOn<T>(opener, { directory, ...options });
      t.teardown(() => isDead(opener) || queue.close());
      return queue;
    },
    async openLog(options = {}) {
      const opener = disk();
      const log = await openLogOn(opener, { directory, ...options });
      t.teardown(() => isDead(opener) || log.close());
      return log;
    },
  };
}

/** A machine where nobody knows whether locks on files are shared, so that 'auto' takes lock files. */
export const lockFileMachine = (): MemoryDisk =>
  new MemoryDisk({ locality: 'unknown', deathTakesMs: PAST_STALE_MS });

/**
 * Tests the same on both disks, and in memory with lock files, too. `notWithLockFiles` says why that would be senseless.
 */
export function onBothDisks(
  name: string,
  body: (t: Test, world: World) => Promise<void>,
  { notWithLockFiles }: { readonly notWithLockFiles?: string } = {},
): void {
  t.test(name, async (t) => {
    await t.test("on the operating system's disk", async (t) => body(t, await osWorld(t)));
    await t.test('in memory', (t) => body(t, memoryWorld(t)));
    await t.test('in memory, with lock files', { skip: notWithLockFiles ?? false }, (t) =>
      body(t, memoryWorld(t, lockFileMachine())),
    );
  });
}
