import { isNoRoom } from '../disk/no-room.js';
import { DurostoreError } from '../errors.js';

/** Errors of the disk that say that there is no room. They fail a call and not the store. */
export const isDiskFull = (error: unknown): boolean =>
  isNoRoom(error) || (error as { code?: unknown } | undefined)?.code === 'DISK_FULL';

const GIVE_RIGHTS = 'Give this user the right to create, read and write files there';

/** What a caller is told of an error beneath: ours pass through, the system's get a code and a remedy. */
export function describeDiskError(error: unknown, doing: string): DurostoreError {
  if (error instanceof DurostoreError) return error;
  if (isDiskFull(error)) {
    return new DurostoreError(
      'DISK_FULL',
      `the disk is full: ${doing} changed nothing. Make room (deleting records frees whole segments) and try again`,
      error,
    );
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new DurostoreError('STORE_FAILED', `${doing} failed: ${reason}. ${remedyFor(error)}`, error);
}

function remedyFor(error: unknown): string {
  switch ((error as { code?: unknown } | undefined)?.code) {
    case 'EMFILE':
    case 'ENFILE':
      return 'Close some, or let this process have more descriptors (ulimit -n), and reopen the store to go on';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${GIVE_RIGHTS}, and reopen the store to go on`;
    default:
      return 'Reopen the store to go on';
  }
}

/** The same for opening, where the directory itself may be what is wrong. */
export function describeOpeningError(error: unknown, directory: string): DurostoreError {
  const code = (error as { code?: unknown } | undefined)?.code;
  switch (code) {
    case 'ENOTDIR':
    case 'EEXIST':
      return new DurostoreError(
        'INVALID_OPTION',
        `directory: expected a directory, and ${directory} is a file or stands below one. Choose another path`,
        error,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new DurostoreError(
        'LOCK_UNAVAILABLE',
        `${directory} cannot be opened: ${String((error as Error).message)}. ${GIVE_RIGHTS}`,
        error,
      );
    default:
      return describeDiskError(error, `opening ${directory}`);
  }
}
