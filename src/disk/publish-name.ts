import { systemClock } from '../clock.js';
import type { Disk } from './disk.js';
import type { FileNames } from './file-names.js';

/** A guard is held for two calls. After so long its maker is taken for dead. */
const GUARD_EXPIRES_MS = 10_000;
const PAUSE_MS = 5;

/** What `link` answers where there are no hard links: FAT and exFAT, some network mounts, some containers. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Gives a whole file its name in place of its temporary one; false where the name is taken. With hard links the system sees
 * to it that only one gets the name, and the temporary one stays. Without, the name is looked for and the file renamed
 * under a guard: a directory, which only one can create. One that stays was left by somebody who died; waiting for it is in
 * the calling thread, for it is almost never there.
 */
export function publishName(disk: Disk, names: FileNames, temporary: string, path: string): boolean {
  try {
    return disk.link(temporary, path);
  } catch (error) {
    if (!NO_LINKS.has((error as { code?: unknown }).code)) throw error;
  }
  const guard = names.guard();
  enter(disk, guard);
  try {
    if (disk.exists(path)) return false;
    disk.rename(temporary, path);
    return true;
  } finally {
    disk.removeDirectory(guard);
  }
}

/** Whoever's clock is another than the file system's waits for a guard that does not change. */
function enter(disk: Disk, guard: string): void {
  let since = systemClock.monotonic();
  let seen: number | undefined;
  while (!disk.createDirectory(guard)) {
    const at = disk.modifiedAt(guard);
    if (at === undefined) continue;
    if (at !== seen) since = systemClock.monotonic();
    seen = at;
    const isOld = at < systemClock.now() - GUARD_EXPIRES_MS;
    if (isOld || systemClock.monotonic() - since > GUARD_EXPIRES_MS) disk.removeDirectory(guard);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}
