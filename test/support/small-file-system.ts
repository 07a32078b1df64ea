import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { temporaryDirectory } from './temporary-directory.js';

/** Why no small file system can be had here; undefined where one can. */
export function whyNoSmallFileSystem(): string | undefined {
  if (process.platform !== 'linux') return `mounting a tmpfs takes Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'mounting a file system takes root';
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'durostore-mount-')));
  const refused = mount(directory, 4096);
  if (refused === undefined) unmount(directory);
  rmdirSync(directory);
  return refused;
}

/**
 * A new file system of so many bytes, and nothing in it; returns its directory. It is unmounted when the test ends, however
 * it ends, after everything that the test starts in it is stopped.
 */
export async function smallFileSystem(t: Test, bytes: number): Promise<string> {
  const directory = join(await temporaryDirectory(t), 'small');
  await mkdir(directory);
  const refused = mount(directory, bytes);
  if (refused !== undefined) throw new Error(refused);
  t.teardown(() => unmount(directory));
  return directory;
}

/** Why it was refused; undefined where it was not. */
function mount(directory: string, bytes: number): string | undefined {
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${bytes}`, 'durostore-test', directory],
    { encoding: 'utf8' },
  );
  if (status === 0) return undefined;
  return `no tmpfs can be mounted: ${error?.message ?? stderr.trim()}`;
}

function unmount(directory: string): void {
  const { status } = spawnSync('umount', [directory]);
  // Whatever still has a file open in there keeps no name of it.
  if (status !== 0) spawnSync('umount', ['-l', directory]);
}
