import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.js';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';

/** Proper-lockfile as it is, or with the lock directory owned by the file in it. */
export type RaceKind = 'bare' | 'guarded';

/** From when to when somebody had the lock, in milliseconds of the monotonic clock. */
export interface Held {
  readonly from: number;
  readonly to: number;
}

export interface RaceResult {
  /** Rounds in which two had the lock at the same time. */
  readonly overlapping: number;
  /** Rounds in which nobody had it. */
  readonly untaken: number;
  /** Rounds after which no fence was there. */
  readonly unfenced: number;
}

/** A round begins so much after the last child was told. */
const LEAD_MS = 3;

/** Has processes race for one stale lock, round after round. */
export async function race(
  directory: string,
  kind: RaceKind,
  rounds: number,
  processes: number,
): Promise<RaceResult> {
  const names = new FileNames(directory, 'duro');
  const program = fileURLToPath(new URL('./lock-race-child.js', import.meta.url));
  const children = Array.from({ length: processes }, () =>
    fork(program, [directory, kind], { execArgv: [] }),
  );
  const result = { overlapping: 0, untaken: 0, unfenced: 0 };
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    for (let round = 0; round < rounds; round++) {
      clear(names);
      leaveStale(names, kind);
      const answers = children.map((child) => once(child, 'message'));
      const begin = systemClock.monotonic() + LEAD_MS;
      for (const child of children) child.send(begin);
      const held = (await Promise.all(answers)).map(([answer]) => answer as Held | null);
      const times = held.filter((time) => time !== null).sort((a, b) => a.from - b.from);
      if (times.length === 0) result.untaken += 1;
      if (times.some((time, place) => time.from < (times[place - 1]?.to ?? 0))) result.overlapping += 1;
      if (!osDisk.exists(names.epoch(1))) result.unfenced += 1;
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  return result;
}

/** What the round before left: the lock directory, if two had it, and fences. */
function clear(names: FileNames): void {
  const path = names.lockDirectory();
  if (osDisk.exists(path)) for (const name of osDisk.list(path)) osDisk.unlink(join(path, name));
  osDisk.removeDirectory(path);
  for (const name of osDisk.list(names.directory))
    if (names.parse(name)?.kind === 'epoch') osDisk.unlink(join(names.directory, name));
}

/** A lock that somebody had who died long ago. */
function leaveStale(names: FileNames, kind: RaceKind): void {
  osDisk.createDirectory(names.lockDirectory());
  // The bare one removes only what is empty.
  if (kind === 'guarded') osDisk.create(names.lockOwner('dead'))?.close();
  osDisk.setModifiedAt(names.lockDirectory(), Date.now() - 60_000);
}
