import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames, HoldKind } from '../disk/file-names.js';
import { DurostoreError } from '../errors.js';
import { Flag } from './flag.js';
import { type Hold, OwnHolds } from './holds.js';
import { locksClosed, openLockFile, tryLockFile } from './lock-file.js';
import type { Locks } from './locks.js';
import { type Gate, QueuedLock } from './queued-lock.js';

/**
 * For a directory with one opener: locks that exist in this process only. Where files can be locked, the write lock
 * is held for life, so that a second opener is told instead of doing damage.
 */
export function openNoneLocks(disk: Disk, names: FileNames): Locks {
  if (!disk.canLock) return new NoneLocks(names, undefined);
  const file = openLockFile(disk, names.lock('write'));
  let taken = false;
  try {
    taken = tryLockFile(file, 'exclusive');
  } finally {
    if (!taken) file.close();
  }
  if (taken) return new NoneLocks(names, file);
  throw new DurostoreError(
    'LOCK_UNAVAILABLE',
    `Somebody else has ${names.directory} open, and locking: 'none' is for one opener (lock file ${file.path}). ` +
      "Close the other one, or use locking: 'auto' in both",
  );
}

const OWN_SLOT = 1;

class NoneLocks implements Locks {
  readonly mode = 'none';
  readonly isAlone: boolean;
  readonly tenure = 0;
  readonly write: QueuedLock;
  readonly fate: QueuedLock;
  readonly shorten = new Flag();
  readonly #directory: string;
  readonly #file: DiskFile | undefined;
  readonly #holds: OwnHolds;
  #slotTaken = false;
  #closed = false;

  constructor(names: FileNames, file: DiskFile | undefined) {
    this.#directory = names.directory;
    this.#holds = new OwnHolds(names);
    this.#file = file;
    this.isAlone = file !== undefined;
    this.write = new QueuedLock(openGate, names.directory);
    this.fate = new QueuedLock(openGate, names.directory, this.write);
  }

  async arrive(signal?: AbortSignal): Promise<'first'> {
    signal?.throwIfAborted();
    this.#assertOpen();
    return 'first';
  }

  settle(): void {}

  isStillHeld(): boolean {
    return true;
  }

  renounce(): void {}

  takeSlot(): number {
    this.#assertOpen();
    this.#slotTaken = true;
    return OWN_SLOT;
  }

  slotIsFree(slot: number): boolean {
    this.#assertOpen();
    return !(this.#slotTaken && slot === OWN_SLOT);
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
    this.#file?.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw locksClosed(this.#directory);
  }
}

/** Nobody else is there to be kept out. */
const openGate: Gate = {
  tryPass: () => true,
  tryPassWaiting: () => true,
  stopWaiting() {},
  isNext: true,
  mayStay: true,
  leave() {},
  close() {},
};
