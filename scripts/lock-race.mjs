/**
 * Six processes race for one stale lock, round after round: first with proper-lockfile as it is, then with the lock
 * directory owned by the file in it. Prints in how many rounds two had the lock at once. Takes the number of rounds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { race } = await import('../build/test/lock/lock-race.js');

const PROCESSES = 6;
const rounds = Number(process.argv[2] ?? 300);

for (const [kind, what] of [
  ['bare', 'proper-lockfile as it is'],
  ['guarded', 'as durostore uses it'],
]) {
  const directory = mkdtempSync(join(tmpdir(), 'durostore-lock-race-'));
  try {
    const { overlapping, untaken } = await race(directory, kind, rounds, PROCESSES);
    console.log(`${what}: two holders at once in ${overlapping} of ${rounds} rounds, none in ${untaken}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
