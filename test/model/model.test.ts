import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { MemoryOpener } from '../../src/disk/memory-opener.js';
import { osDisk } from '../../src/disk/os.js';
import { MovedClock } from '../store/moved-clock.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type Program, programs, run } from './program.js';

const MEMORY_RUNS = 3_000;
const OS_RUNS = 150;

/** Runs random programs; a failing one is shrunk and told, with the seed that repeats it. */
async function check(
  t: Test,
  runs: number,
  maxLength: number,
  property: (program: Program) => Promise<void>,
): Promise<void> {
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
  t.comment(`SEED=${seed}`);
  const details = await fc.check(fc.asyncProperty(programs(maxLength), property), { seed, numRuns: runs });
  if (details.failed) t.fail(fc.defaultReportMessage(details) ?? 'failed');
  else t.equal(details.numRuns, runs, 'all programs behave as the model does');
}

t.test('random programs on a machine in memory', async (t) => {
  await check(t, MEMORY_RUNS, 60, async (program) => {
    const disk = new MemoryDisk();
    const directory = '/queue';
    await run(
      {
        directory,
        clock: new MovedClock(),
        process: () => disk.opener(),
        kill: (process) => {
          if (process instanceof MemoryOpener) disk.kill(process);
        },
      },
      program,
    );
    const problems = checkDirectoryOn(disk.opener(), directory);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  });
});

t.test("random programs on the operating system's disk", async (t) => {
  const parent = await temporaryDirectory(t);
  await check(t, OS_RUNS, 30, async (program) => {
    const directory = mkdtempSync(join(parent, 'program-'));
    await run({ directory, clock: new MovedClock(), process: () => osDisk, kill: undefined }, program);
  });
});
