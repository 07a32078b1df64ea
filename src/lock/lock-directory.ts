import { createRequire } from 'node:module';
import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { createFence } from '../epoch/fence.js';
import { told } from './lock-file.js';
import { OwnedDirectory } from './owned-directory.js';

/** The least that proper-lockfile takes. It matters only to who is inside for seconds. */
const UPDATE_MS = 1000;

/**
 * One lock for a directory, made by proper-lockfile: whoever makes the lock directory has it, keeps its modification time
 * young, and removes it, also when the process exits. A killed one leaves it; it is taken away when it is stale.
 *
 * What it makes and removes goes through an `OwnedDirectory`. On its own it gives one stale lock to several.
 */
export class LockDirectory {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #path: string;
  readonly #staleMs: number;
  readonly #owned: OwnedDirectory;
  readonly #fs: FileSystem;
  #release: (() => void) | undefined;
  #isLost = false;
  #tenure = 0;

  /** `fence` is put up before it is taken away from one that may only be asleep. */
  constructor(
    disk: Disk,
    names: FileNames,
    staleMs: number,
    path: string = names.lockDirectory(),
    fence: () => void = () => createFence(disk, names),
  ) {
    this.#disk = disk;
    this.#names = names;
    this.#path = path;
    this.#staleMs = staleMs;
    this.#owned = new OwnedDirectory(disk, names, path, staleMs, fence);
    this.#fs = fileSystem(disk, this.#path, this.#owned);
  }

  /** Whether it was taken and not released. */
  get isHeld(): boolean {
    return this.#release !== undefined;
  }

  /** Whether it was seen in the hands of somebody else, or gone, while held. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Whether somebody has it who has given a sign of life lately. Looks, and changes nothing. */
  get isHeldBySomebody(): boolean {
    const at = this.#disk.modifiedAt(this.#path);
    return at !== undefined && at >= Date.now() - this.#staleMs;
  }

  /** Looks whether nobody has taken it away. */
  get isStillOwned(): boolean {
    return this.#owned.isStillOwned;
  }

  /** How often it was taken. */
  get tenure(): number {
    return this.#tenure;
  }

  /** False where somebody has it. Not held, it is taken; LOCK_UNAVAILABLE where that cannot be. */
  tryTake(): boolean {
    this.#isLost = false;
    try {
      this.#release = properLockfile().lockSync(uniqueKey(this.#path), {
        lockfilePath: this.#path,
        realpath: false,
        retries: 0,
        stale: this.#staleMs,
        update: UPDATE_MS,
        fs: this.#fs,
        onCompromised: () => {
          this.#isLost = true;
        },
      });
    } catch (error) {
      if (this.#isContention(error)) return false;
      throw told('create', this.#path, error);
    }
    this.#tenure += 1;
    return true;
  }

  /** Removes nothing where it was lost. What cannot be removed is stale before long. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    if (release === undefined) return;
    try {
      if (this.#isLost) this.#owned.giveUp();
      else release();
    } catch {
      // Nothing depends on it but how soon the next one gets in.
    }
  }

  /** Also where the directory went from under us while we were taking it. */
  #isContention(error: unknown): boolean {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ELOCKED' || (code === 'ENOENT' && this.#disk.exists(this.#names.directory));
  }
}

/** What proper-lockfile needs of a file system; it makes the rest of these. */
interface FileSystem {
  mkdirSync(): void;
  rmdirSync(): void;
  statSync(): { readonly mtime: Date };
  utimesSync(path: string, accessed: Date, modified: Date): void;
}

/** It removes the directory to release it, also when the process exits, and, where it is stale, in order to take it. */
function fileSystem(disk: Disk, path: string, owned: OwnedDirectory): FileSystem {
  return {
    mkdirSync() {
      if (!owned.make()) throw coded('EEXIST', path);
    },
    rmdirSync() {
      if (owned.isOwned) owned.giveUp();
      else if (!owned.reclaim()) throw coded('ELOCKED', path);
    },
    statSync() {
      const at = disk.modifiedAt(path);
      if (at === undefined) throw coded('ENOENT', path);
      return { mtime: new Date(at) };
    },
    utimesSync(_path, _accessed, modified) {
      if (!disk.setModifiedAt(path, modified.getTime())) throw coded('ENOENT', path);
    },
  };
}

const coded = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), { code });

let keys = 0;

/** Under which proper-lockfile knows a lock that this process has: two openers would be one otherwise. */
function uniqueKey(path: string): string {
  keys += 1;
  return `${path}/${keys}`;
}

type ProperLockfile = typeof import('proper-lockfile');

let loaded: ProperLockfile | undefined;

/** Loaded when first needed, for it listens to the process's signals from then on. */
function properLockfile(): ProperLockfile {
  loaded ??= createRequire(import.meta.url)('proper-lockfile') as ProperLockfile;
  return loaded;
}
