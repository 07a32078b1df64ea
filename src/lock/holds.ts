import type { Disk, DiskFile } from '../disk/disk.js';
import { openExistingLockFile, openLockFile, tryLockFile } from './lock-file.js';

/** A named lock that is had until it is released, or its holder dies. */
export interface Hold {
  /**
   * Looks whether it is had still. Locks of the kernel are; a lock directory may have been taken away from who slept for as long as
   * it takes to be thought dead.
   */
  isStillHeld(): boolean;
  /** Gives it back. Idempotent. */
  release(): void;
}

/**
 * Named locks that say that somebody is there: they are tried and never waited for, and held for as long as something is open. One
 * opener can have many, and is refused what it has already. They are free as soon as their holder is dead; of lock directories,
 * when it has given no sign of life for a while.
 *
 * ⚑ Looking whether a lock is held may, for a moment, keep another from taking it. Who counts holders, and who takes a lock and
 * depends on the answer, do it under one and the same lock.
 */
export interface Holds {
  /** Takes the lock of that name; undefined where somebody has it. The name is one of `FileNames.hold`. */
  tryHold(path: string): Hold | undefined;
  /** Whether somebody has it, this opener among them. */
  isHeld(path: string): boolean;
  /** Gives everything back. */
  close(): void;
}

/** By lock files, each of which is open while it is held. */
export class FileHolds implements Holds {
  readonly #disk: Disk;
  readonly #open = new Set<DiskFile>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  tryHold(path: string): Hold | undefined {
    const file = openLockFile(this.#disk, path);
    let isTaken = false;
    try {
      isTaken = tryLockFile(file, 'exclusive');
    } finally {
      if (!isTaken) file.close();
    }
    if (!isTaken) return undefined;
    this.#open.add(file);
    return {
      isStillHeld: () => this.#open.has(file),
      release: () => {
        this.#open.delete(file);
        file.close();
      },
    };
  }

  /** The file is opened on its own, for locks belong to the open file: so what is held here shows, too. */
  isHeld(path: string): boolean {
    const file = openExistingLockFile(this.#disk, path);
    if (file === undefined) return false;
    try {
      return !tryLockFile(file, 'shared');
    } finally {
      file.close();
    }
  }

  close(): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }
}

/** Where nobody else is there to be told. */
export class OwnHolds implements Holds {
  readonly #held = new Map<string, Hold>();

  tryHold(path: string): Hold | undefined {
    if (this.#held.has(path)) return undefined;
    const hold: Hold = {
      isStillHeld: () => this.#held.get(path) === hold,
      release: () => {
        if (this.#held.get(path) === hold) this.#held.delete(path);
      },
    };
    this.#held.set(path, hold);
    return hold;
  }

  isHeld(path: string): boolean {
    return this.#held.has(path);
  }

  close(): void {
    this.#held.clear();
  }
}
