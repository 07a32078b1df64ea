import type { Test } from 'tap';
import type { Disk } from '../../src/disk/disk.js';
import { FileNames } from '../../src/disk/file-names.js';
import type { Lock } from '../../src/lock/lock.js';
import { type LockMode, type Locks, openLocks } from '../../src/lock/locks.js';
import { until } from './until.js';
import { WatchedDisk } from './watched-disk.js';

/** A kind of lock, and the disks it is tried on. */
export interface LockKind {
  readonly mode: LockMode;
  /** An empty directory, and what gives each opener its own disk. */
  world(t: Test): { readonly directory: string; disk(): Disk };
}

/** Enters a lock that is free. One made of files is kept for a while by who had it last, and then left alone. */
export async function enterFree(t: Test, kind: LockKind, lock: Lock): Promise<void> {
  if (kind.mode === 'lockfile') await until('a free lock is entered', () => lock.tryEnter());
  else t.ok(lock.tryEnter(), 'a free lock is entered');
}

export interface Opener {
  readonly locks: Locks;
  readonly watched: WatchedDisk;
}

/** Openers of one fresh directory, closed when the test ends. */
export class Place {
  readonly names: FileNames;
  readonly disk: () => Disk;
  readonly #t: Test;
  readonly #mode: LockMode;

  constructor(t: Test, kind: LockKind) {
    const { directory, disk } = kind.world(t);
    this.names = new FileNames(directory, 'duro');
    this.disk = disk;
    this.#t = t;
    this.#mode = kind.mode;
  }

  open(): Locks {
    return this.openWatched().locks;
  }

  openWatched(): Opener {
    const watched = new WatchedDisk(this.disk());
    const locks = openLocks(watched.disk, this.names, this.#mode);
    this.#t.teardown(() => locks.close());
    return { locks, watched };
  }
}
