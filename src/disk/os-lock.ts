import { createRequire } from 'node:module';
import { DurostoreError } from '../errors.js';

/** Locks on a whole open file, as fs-native-extensions gives them (OFD locks on Linux, flock on macOS). */
export interface OsLocks {
  /** Throws LOCK_UNAVAILABLE where the file system has no locks. */
  tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean;
  /** From exclusive to shared, with nobody in between on Linux and Windows. */
  downgrade(fd: number): boolean;
  unlock(fd: number): void;
}

interface FsNativeExtensions {
  tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean;
  tryDowngradeLock(fd: number): boolean;
  unlock(fd: number): void;
}

let loaded: { locks: OsLocks | undefined; failure: unknown } | undefined;

/** Undefined where the optional dependency is not installed or has no binary for this platform. */
export function loadOsLocks(): OsLocks | undefined {
  return load().locks;
}

export function osLocks(): OsLocks {
  const { locks, failure } = load();
  if (locks !== undefined) return locks;
  throw new DurostoreError(
    'LOCK_UNAVAILABLE',
    'Files cannot be locked here, for the optional package fs-native-extensions does not load. ' +
      "Install it, or open with locking 'lockfile'",
    failure,
  );
}

function load(): { locks: OsLocks | undefined; failure: unknown } {
  if (loaded !== undefined) return loaded;
  try {
    const native: FsNativeExtensions = createRequire(import.meta.url)('fs-native-extensions');
    loaded = { locks: locksOn(native), failure: undefined };
  } catch (failure) {
    loaded = { locks: undefined, failure };
  }
  return loaded;
}

const locksOn = (native: FsNativeExtensions): OsLocks => ({
  tryLock(fd, mode) {
    try {
      // What is left out is made up there, at each call.
      return native.tryLock(fd, 0, 0, mode === 'shared' ? SHARED : EXCLUSIVE);
    } catch (error) {
      throw asUnavailable(error);
    }
  },
  downgrade(fd) {
    try {
      return native.tryDowngradeLock(fd);
    } catch (error) {
      throw asUnavailable(error);
    }
  },
  unlock: (fd) => native.unlock(fd),
});

const SHARED = { shared: true };
const EXCLUSIVE = { shared: false };

const NO_LOCKS = new Set(['ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP']);

function asUnavailable(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !NO_LOCKS.has(code)) return error;
  return new DurostoreError(
    'LOCK_UNAVAILABLE',
    `The file system of this directory has no locks (${code}). ` +
      "Move the directory to a local file system, or open with locking 'lockfile'",
    error,
  );
}
