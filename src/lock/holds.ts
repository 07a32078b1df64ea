import { basename } from 'node:path';
import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames, HoldKind } from '../disk/file-names.js';
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
  /** Those of a kind that somebody has, of that name where one is given: their numbers by name, in small letters. */
  held(kind: HoldKind, name?: string): Map<string, number[]>;
  /** Gives everything back. */
  close(): void;
}

/**
 * Those of the listed files that are locks of the kind, and of the name, and held. Names that differ by case alone are one, for some
 * file systems have one file for both.
 */
export function heldAmong(
  listed: Iterable<string>,
  names: FileNames,
  kind: HoldKind,
  name: string | undefined,
  isHeld: (path: string) => boolean,
): Map<string, number[]> {
  const wanted = name?.toLowerCase();
  const found = new Map<string, number[]>();
  for (const file of listed) {
    const parsed = names.parse(file);
    if (parsed?.kind !== 'hold' || parsed.of !== kind) continue;
    const key = parsed.name.toLowerCase();
    if (wanted !== undefined && key !== wanted) continue;
    if (!isHeld(names.hold(kind, parsed.name, parsed.number))) continue;
    const numbers = found.get(key);
    if (numbers === undefined) found.set(key, [parsed.number]);
    else numbers.push(parsed.number);
  }
  return found;
}

/** By lock files, each of which is open while it is held. */
export class FileHolds implements Holds {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #open = new Set<DiskFile>();

  constructor(disk: Disk, names: FileNames) {
    this.#disk = disk;
    this.#names = names;
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

  held(kind: HoldKind, name?: string): Map<string, number[]> {
    const listed = this.#disk.list(this.#names.directory);
    return heldAmong(listed, this.#names, kind, name, (path) => this.isHeld(path));
  }

  close(): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }
}

/** Where nobody else is there to be told. */
export class OwnHolds implements Holds {
  readonly #names: FileNames;
  readonly #held = new Map<string, Hold>();

  constructor(names: FileNames) {
    this.#names = names;
  }

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

  held(kind: HoldKind, name?: string): Map<string, number[]> {
    const listed = [...this.#held.keys()].map((path) => basename(path));
    return heldAmong(listed, this.#names, kind, name, () => true);
  }

  close(): void {
    this.#held.clear();
  }
}
