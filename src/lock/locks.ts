import type { Disk } from '../disk/disk.js';
import type { FileNames, HoldKind } from '../disk/file-names.js';
import { DurostoreError } from '../errors.js';
import type { Hold } from './holds.js';
import type { Lock } from './lock.js';
import { type LockfileLimits, LockfileLocks } from './lockfile-lock.js';
import { openNoneLocks } from './none-lock.js';
import { openOsLocks } from './os-lock.js';

export type LockMode = 'os' | 'lockfile' | 'none';

/**
 * One opener's locks on a directory.
 *
 * The lock order: `arrive`, then `fate`, then `write`, each with its turnstile; never the reverse, or two openers
 * wait for each other for ever. Whoever holds `write` and finds that it needs `fate` leaves, enters both, and looks
 * again. Slots and `shorten` are tried and never waited for, so they have no place in the order.
 *
 * Lock files are created where missing, never unlinked, never renamed, and hold no data: an unlinked one would go on
 * excluding those who have it open while newcomers lock another file of the same name. (In lock-file mode there are none,
 * but a directory that is made and removed all the time.)
 */
export interface Locks {
  readonly mode: LockMode;
  /** Whether nobody else can have the directory open, for as long as these locks live. */
  readonly isAlone: boolean;
  /**
   * Grows whenever a lock that can be taken away is had anew: between two equal values nobody else was in. Always 0 with
   * locks that the kernel frees.
   */
  readonly tenure: number;
  /** Looks whether a lock that can be taken away is still this opener's. */
  isStillHeld(): boolean;
  /** Gives a lock that can be taken away back now, though a section may be running; the next one has it anew. */
  renounce(): void;
  /** For the end of the data. */
  readonly write: Lock;
  /** For the journal of fates. */
  readonly fate: Lock;
  /** For writing a journal's successor. Tried, never waited for. */
  readonly shorten: { tryEnter(): boolean; leave(): void };
  /**
   * Whether this opener is the only one in the directory. 'first': nobody else can get in until `settle`. 'later':
   * others are in, and one of them has settled. Waits while somebody else is first and unsettled. Asked once.
   */
  arrive(signal?: AbortSignal): Promise<'first' | 'later'>;
  /** Lets others in; nothing to do for who came 'later'. */
  settle(): void;
  /**
   * Takes the lowest slot nobody holds, from 1, for as long as these locks live; the same answer when asked again. 0 where
   * there are no slots, and leases alone decide.
   */
  takeSlot(): number;
  /** Whether nobody holds that slot now. Its own slot: false, and wherever there are no slots. */
  slotIsFree(slot: number): boolean;
  /**
   * Tries to take the named lock `path`, one of `FileNames.hold`, and keeps it until it is released, these locks are closed or this
   * process dies; undefined where somebody has it, this opener too. See `Holds`.
   */
  tryHold(path: string): Hold | undefined;
  /** Whether somebody has that lock now, this opener among them. */
  isHeld(path: string): boolean;
  /** Those of a kind that somebody has now, of one name where it is given: their numbers, by name in small letters. */
  held(kind: HoldKind, name?: string): Map<string, number[]>;
  /** Frees everything; waiters get CLOSED. Idempotent. */
  close(): void;
}

/** Opens the lock files, creating them where missing. LOCK_UNAVAILABLE where that or locking cannot be. */
export function openLocks(disk: Disk, names: FileNames, mode: LockMode, limits?: LockfileLimits): Locks {
  assertAvailable(disk, names, mode);
  if (mode === 'lockfile') return new LockfileLocks(disk, names, limits);
  return mode === 'none' ? openNoneLocks(disk, names) : openOsLocks(disk, names);
}

/** LOCK_UNAVAILABLE where there can be no such locks here, whoever asks. */
export function assertAvailable(disk: Disk, names: FileNames, mode: LockMode): void {
  if (mode === 'os' && !disk.canLock) {
    throw new DurostoreError(
      'LOCK_UNAVAILABLE',
      `Files in ${names.directory} cannot be locked here. ` +
        "Install the optional dependency fs-native-extensions, or use locking: 'lockfile'",
    );
  }
}

/** What `locking: 'auto'` means for a directory. Only a file system known to be local shares its locks for certain. */
export function chooseLockMode(disk: Disk, directory: string): LockMode {
  return disk.canLock && disk.locality(directory) === 'local' ? 'os' : 'lockfile';
}
