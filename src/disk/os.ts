import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Disk } from './disk.js';
import { bootId } from './os-boot.js';
import { OsFile } from './os-file.js';
import { locality } from './os-locality.js';
import { loadOsLocks } from './os-lock.js';
import { watchDirectory } from './os-watch.js';

/** The operating system's files. */
export const osDisk: Disk = {
  open(path, access) {
    return unless('ENOENT', undefined, () => new OsFile(path, access === 'write' ? 'r+' : 'r'));
  },

  create(path) {
    return unless('EEXIST', undefined, () => new OsFile(path, 'wx+'));
  },

  exists: existsSync,

  list(directory) {
    return readdirSync(directory);
  },

  makeDirectory(directory) {
    return makeDirectory(resolve(directory));
  },

  createDirectory(path) {
    return unless('EEXIST', false, () => {
      mkdirSync(path);
      return true;
    });
  },

  removeDirectory(path) {
    try {
      rmdirSync(path);
      return 'removed';
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT') return 'missing';
      // POSIX allows either.
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return 'occupied';
      throw error;
    }
  },

  modifiedAt(directory) {
    // Not `mtimeMs`: setting a time may lose a microsecond, which this rounds away.
    return unless('ENOENT', undefined, () => statSync(directory).mtime.getTime());
  },

  setModifiedAt(directory, at) {
    return unless('ENOENT', false, () => {
      utimesSync(directory, at / 1000, at / 1000);
      return true;
    });
  },

  link(from, to) {
    return unless('EEXIST', false, () => {
      linkSync(from, to);
      return true;
    });
  },

  links: (path) => statSync(path, { throwIfNoEntry: false })?.nlink ?? 0,

  rename: renameSync,

  unlink(path) {
    return unless('ENOENT', false, () => {
      unlinkSync(path);
      return true;
    });
  },

  async syncDirectory(directory) {
    const fd = openDirectory(directory);
    if (fd === undefined) return;
    try {
      await new Promise<void>((done, refuse) => {
        fsync(fd, (error) => (error === null || cannotSyncDirectory(error) ? done() : refuse(error)));
      });
    } finally {
      closeSync(fd);
    }
  },

  syncDirectoryNow(directory) {
    const fd = openDirectory(directory);
    if (fd === undefined) return;
    try {
      fsyncSync(fd);
    } catch (error) {
      if (!cannotSyncDirectory(error)) throw error;
    } finally {
      closeSync(fd);
    }
  },

  locality,

  get canLock() {
    return loadOsLocks() !== undefined;
  },

  bootId,

  watch: watchDirectory,
};

function makeDirectory(directory: string): string[] {
  if (existsSync(directory)) return [];
  const created = makeDirectory(dirname(directory));
  return unless('EEXIST', created, () => {
    mkdirSync(directory);
    return [...created, directory];
  });
}

function openDirectory(directory: string): number | undefined {
  try {
    return openSync(directory, 'r');
  } catch (error) {
    if (cannotSyncDirectory(error)) return undefined;
    throw error;
  }
}

/** Windows lets nobody sync a directory, and some mounts answer EINVAL: there is nothing to do about it. */
function cannotSyncDirectory(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EINVAL' || (process.platform === 'win32' && (code === 'EISDIR' || code === 'EPERM'));
}

function unless<T, U>(code: string, answer: U, call: () => T): T | U {
  try {
    return call();
  } catch (error) {
    if (codeOf(error) === code) return answer;
    throw error;
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;
