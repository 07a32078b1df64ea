import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { checkTemporaryDirectory } from './consistency.js';

/**
 * What must hold of every temporary directory when its test ends: each is called with the directory and the test,
 * after everything the test started is stopped and before the directory is removed.
 */
export const checks: ((directory: string, t: Test) => Promise<void> | void)[] = [checkTemporaryDirectory];

/** A new empty directory, checked and removed when the test ends; below that for temporary files, or another one. */
export async function temporaryDirectory(t: Test, below: string = tmpdir()): Promise<string> {
  const directory = await realpath(await mkdtemp(join(below, 'durostore-test-')));
  // Teardowns run last first, so what the test opens or starts in here later is stopped before this one runs.
  t.teardown(async () => {
    try {
      for (const check of checks) await check(directory, t);
    } finally {
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  });
  return directory;
}
