import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { DurostoreError } from '../errors.js';
import { type LockMode, type Locks, openLocks } from '../lock/locks.js';

/** Whoever is about to arrive, or to leave, is waited for so long and no longer; with lock files a dead one, too. */
const PATIENCE_MS = 2000;
const PATIENCE_WITH_LOCK_FILES_MS = 12_000;

/** Takes every lock of a directory that nobody has open. LOCK_UNAVAILABLE where somebody has, or just opens it. */
export async function lockAlone(
  disk: Disk,
  names: FileNames,
  mode: LockMode,
  signal: AbortSignal | undefined,
): Promise<Locks> {
  const locks = openLocks(disk, names, mode);
  const patience = AbortSignal.timeout(mode === 'lockfile' ? PATIENCE_WITH_LOCK_FILES_MS : PATIENCE_MS);
  const limited = signal === undefined ? patience : AbortSignal.any([signal, patience]);
  try {
    if ((await locks.arrive(limited)) !== 'first') throw inUse(names);
    await locks.fate.enter(limited);
    await locks.write.enter(limited);
    return locks;
  } catch (error) {
    locks.close();
    throw patience.aborted && error === patience.reason ? inUse(names) : error;
  }
}

const inUse = ({ directory }: FileNames): DurostoreError =>
  new DurostoreError(
    'LOCK_UNAVAILABLE',
    `Somebody has ${directory} open, and only a directory that nobody has open can be repaired. ` +
      'Close it everywhere and try again',
  );

/**
 * To be awaited before each step that changes something. Lets timers run, among them the one that keeps a lock file young, and
 * rejects with LOCK_LOST where that was taken away all the same: then somebody else is there, and nothing more may be changed.
 */
export const stillAlone = (locks: Locks, { directory }: FileNames): (() => Promise<void>) => {
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    if (locks.isStillHeld()) return;
    throw new DurostoreError(
      'LOCK_LOST',
      `Somebody else took ${directory} over while it was repaired, and nothing more was changed. Close it everywhere and repair it again`,
    );
  };
};
