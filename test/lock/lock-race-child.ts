/**
 * One of several that race for a stale lock, round after round: `lock-race-child.js <directory> <kind>`. Told when a round
 * begins, it answers from when to when it had the lock, on the machine's monotonic clock; nothing where it had it not.
 */
import { createRequire } from 'node:module';
import { systemClock } from '../../src/clock.js';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { LockDirectory } from '../../src/lock/lock-directory.js';
import type { Held, RaceKind } from './lock-race.js';

const TRIES_MS = 2;
const HELD_MS = 2;
const STALE_MS = 5000;

const [directory = '', kind] = process.argv.slice(2) as [string, RaceKind];
const names = new FileNames(directory, 'duro');

/** Takes the lock, and answers how to release it; undefined where somebody has it. */
const takers: Record<RaceKind, () => (() => void) | undefined> = {
  bare() {
    const { lockSync }: typeof import('proper-lockfile') = createRequire(import.meta.url)('proper-lockfile');
    try {
      return lockSync(directory, { lockfilePath: names.lockDirectory(), realpath: false, stale: STALE_MS });
    } catch {
      return undefined;
    }
  },
  guarded() {
    const lock = new LockDirectory(osDisk, names, STALE_MS);
    return lock.tryTake() ? () => lock.release() : undefined;
  },
};

const cell = new Int32Array(new SharedArrayBuffer(4));
const sleepUntil = (at: number): void => {
  const left = at - systemClock.monotonic();
  if (left > 0) Atomics.wait(cell, 0, 0, left);
};

process.on('message', (begin: number) => {
  sleepUntil(begin);
  let release: (() => void) | undefined;
  do release = takers[kind]();
  while (release === undefined && systemClock.monotonic() < begin + TRIES_MS);
  let held: Held | undefined;
  if (release !== undefined) {
    const from = systemClock.monotonic();
    sleepUntil(from + HELD_MS);
    held = { from, to: systemClock.monotonic() };
    try {
      release();
    } catch {
      // Another who had it, too, has removed it.
    }
  }
  process.send?.(held ?? null);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
