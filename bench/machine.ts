import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Machine } from './report.js';
import { root } from './root.js';

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlayfs',
  16914836: 'tmpfs (in memory: syncs cost nothing)',
};

/** The machine, and the file system of the directory that is worked in. */
export function machineOf(directory: string): Machine {
  const { type } = statfsSync(directory);
  return {
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    fileSystem: FILE_SYSTEMS[type] ?? `file system type 0x${type.toString(16)}`,
  };
}

/** What is measured, with a plus where sources differ from it. */
export function commitOf(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'package.json') !== '';
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
