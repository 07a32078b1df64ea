import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const GOAL_BYTES = 4 * 1024 ** 3;
const FILE_BYTES = 1024 ** 3;
const STEP_BYTES = 1024 ** 2;

/**
 * Writes and deletes some gigabytes, at most a quarter of what is free: the first ones on a fresh virtual machine are
 * several times slower than all that follow. Returns how many bytes.
 */
export function warmUp(parent: string): number {
  const { bavail, bsize } = statfsSync(parent);
  const goal = Math.min(GOAL_BYTES, (bavail * bsize) / 4);
  const directory = mkdtempSync(join(parent, 'warm-up-'));
  const step = Buffer.alloc(STEP_BYTES, 7);
  let written = 0;
  try {
    for (let name = 0; written < goal; name++) {
      const file = openSync(join(directory, String(name)), 'w');
      for (let at = 0; at < FILE_BYTES && written < goal; at += STEP_BYTES, written += STEP_BYTES)
        writeSync(file, step);
      closeSync(file);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return written;
}
