import { join } from 'node:path';
import type { Engine } from './engine.js';

/** With lock files nobody can tell that a maker is gone: one that has not written for so long is taken for that. */
const FORSAKEN_MS = 24 * 3600 * 1000;

/**
 * Removes the spools whose makers are gone. Where files can be locked a maker holds its own as long as it lives. Best effort: what
 * stays is found by the next one who looks.
 */
export function removeOrphans({ disk, names, locks, clock }: Engine): void {
  try {
    for (const name of disk.list(names.directory)) {
      if (names.parse(name)?.kind !== 'spool') continue;
      const path = join(names.directory, name);
      if (locks.mode !== 'lockfile' && disk.canLock) removeUnlocked(disk, path);
      else if (clock.now() - (disk.modifiedAt(path) ?? clock.now()) > FORSAKEN_MS) disk.unlink(path);
    }
  } catch {
    // Nobody needs them gone.
  }
}

function removeUnlocked(disk: Engine['disk'], path: string): void {
  const file = disk.open(path, 'write');
  if (file === undefined) return;
  try {
    if (file.tryLock('exclusive')) disk.unlink(path);
  } finally {
    file.close();
  }
}
