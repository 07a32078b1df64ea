import type { Disk } from '../disk/disk.js';
import type { FileNames, HoldKind } from '../disk/file-names.js';
import { DirectoryHolds } from './directory-holds.js';
import { Flag } from './flag.js';
import type { Hold } from './holds.js';
import { LockDirectory } from './lock-directory.js';
import { locksClosed } from './lock-file.js';
import type { Locks } from './locks.js';
import { QueuedLock } from './queued-lock.js';
import { Stretch } from './stretch.js';

export interface LockfileLimits {
  /** How long after its last sign of life a holder counts as dead; 2,000 at least. The same for all openers. */
  readonly staleMs: number;
  /** How long the lock is kept while there is work, then others get a chance. */
  readonly stretchMs: number;
  /** How long it is left alone then, at least; up to twice as long, so that two who alternate fall out of step. */
  readonly restMs: number;
}

export const LOCKFILE_LIMITS: LockfileLimits = { staleMs: 5000, stretchMs: 10, restMs: 1 };

const NO_SLOT = 0;

/**
 * Locks for where the system has none that all see: one directory for writing and for fates. ⚑ They can be taken from a
 * holder that only sleeps. So whoever has them anew, which `tenure` tells, looks for fences, and again after each write.
 *
 * Nobody can tell whether others are in the directory: each checks what it finds, under the lock.
 */
export class LockfileLocks implements Locks {
  readonly mode = 'lockfile';
  readonly isAlone = false;
  readonly write: QueuedLock;
  readonly fate: QueuedLock;
  readonly shorten = new Flag();
  readonly #directory: string;
  readonly #lockDirectory: LockDirectory;
  readonly #stretch: Stretch;
  readonly #holds: DirectoryHolds;
  #closed = false;

  constructor(disk: Disk, names: FileNames, limits: LockfileLimits = LOCKFILE_LIMITS) {
    this.#directory = names.directory;
    this.#holds = new DirectoryHolds(disk, names, limits.staleMs);
    this.#lockDirectory = new LockDirectory(disk, names, limits.staleMs);
    this.#stretch = new Stretch(this.#lockDirectory, limits.stretchMs, limits.restMs);
    const fate = this.#stretch.face();
    this.write = new QueuedLock(this.#stretch.face(fate), names.directory);
    this.fate = new QueuedLock(fate, names.directory, this.write);
  }

  get tenure(): number {
    return this.#lockDirectory.tenure;
  }

  isStillHeld(): boolean {
    return this.#lockDirectory.isStillOwned;
  }

  renounce(): void {
    this.#stretch.renounce();
  }

  async arrive(signal?: AbortSignal): Promise<'first'> {
    signal?.throwIfAborted();
    this.#assertOpen();
    return 'first';
  }

  settle(): void {}

  takeSlot(): number {
    this.#assertOpen();
    return NO_SLOT;
  }

  slotIsFree(_slot: number): boolean {
    this.#assertOpen();
    return false;
  }

  tryHold(path: string): Hold | undefined {
    this.#assertOpen();
    return this.#holds.tryHold(path);
  }

  isHeld(path: string): boolean {
    this.#assertOpen();
    return this.#holds.isHeld(path);
  }

  held(kind: HoldKind, name?: string): Map<string, number[]> {
    this.#assertOpen();
    return this.#holds.held(kind, name);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#holds.close();
    this.write.close();
    this.fate.close();
    this.#stretch.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw locksClosed(this.#directory);
  }
}
