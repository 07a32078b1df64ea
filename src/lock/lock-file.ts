import { dirname } from 'node:path';
import type { Disk, DiskFile } from '../disk/disk.js';
import { directoryGone } from '../disk/residence.js';
import { DurostoreError } from '../errors.js';

/** Opens a lock file, creating it where missing. */
export function openLockFile(disk: Disk, path: string): DiskFile {
  // Lock files are never unlinked: one that appeared between the first two calls is there at the third.
  const file =
    openExistingLockFile(disk, path) ?? createLockFile(disk, path) ?? openExistingLockFile(disk, path);
  if (file === undefined) throw lockUnavailable('open', path, new Error('it comes and goes'));
  return file;
}

export function openExistingLockFile(disk: Disk, path: string): DiskFile | undefined {
  try {
    return disk.open(path, 'write');
  } catch (error) {
    throw told('open', path, error);
  }
}

function createLockFile(disk: Disk, path: string): DiskFile | undefined {
  try {
    return disk.create(path);
  } catch (error) {
    throw told('create', path, error);
  }
}

/** Locks it, or says that somebody else holds it. */
export function tryLockFile(file: DiskFile, mode: 'shared' | 'exclusive'): boolean {
  try {
    return file.tryLock(mode);
  } catch (error) {
    throw told('lock', file.path, error);
  }
}

/** Only the system's own errors need telling; that a disk has no room for the file says nothing about locks. */
export function told(what: 'open' | 'create' | 'lock', path: string, error: unknown): unknown {
  const isOfSystem = error instanceof Error && 'code' in error && !(error instanceof DurostoreError);
  const hasNoRoom = isOfSystem && what === 'create' && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  if (!isOfSystem || hasNoRoom) return error;
  if (error.code === 'ENOENT') return directoryGone(dirname(path), error);
  return lockUnavailable(what, path, error);
}

export function lockUnavailable(
  what: 'open' | 'create' | 'lock',
  path: string,
  cause: unknown,
): DurostoreError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const remedy =
    what !== 'lock'
      ? 'Give this user the right to create, read and write files there, and see that descriptors are left'
      : "Move the store to a file system that has locks, or use locking: 'lockfile'";
  return new DurostoreError(
    'LOCK_UNAVAILABLE',
    `Cannot ${what} the lock file ${path}: ${why}. ${remedy}`,
    cause,
  );
}

export function locksClosed(directory: string): DurostoreError {
  return new DurostoreError('CLOSED', `The store in ${directory} was closed. Open it again to use it`);
}
