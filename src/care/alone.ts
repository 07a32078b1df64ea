import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { DurostoreError } from '../errors.js';
import { type LockMode, type Locks, openLocks } from '../lock/locks.js';

/** Whoever is about to arrive, or to leave, is waited for so long and no longer. */
const PATIENCE_MS = 2000;

/** Takes every lock of a directory that nobody has open. LOCK_UNAVAILABLE where somebody has, or just opens it. */
export async function lockAlone(
  disk: Disk,
  names: FileNames,
  mode: LockMode,
  signal: AbortSignal | undefined,
): Promise<Locks> {
  const locks = openLocks(disk, names, mode);
  const patience = AbortSignal.timeout(PATIENCE_MS);
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
