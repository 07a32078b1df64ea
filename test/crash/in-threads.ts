import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import t, { type Test } from 'tap';
import { random } from '../support/random.js';
import type { Exploration } from './exploration.js';
import type { Orders, Report } from './exploration-worker.js';
import type { Program } from './programs.js';

/** Most of what is made for a state is garbage with the next one: with this much room it is never copied. */
const YOUNG_MB = 192;

/**
 * A test for each program, and its report, which comes from a thread: there nobody watches promises, as tap does, and
 * what one program has had compiled is there for the next one.
 */
export function inThreads(
  exploration: Exploration,
  programs: readonly Program[],
  name: (program: string) => string,
  tell: (t: Test, report: Report) => void,
): void {
  const numbers = random(t);
  const threads = new Piscina<Orders, Report>({
    filename: fileURLToPath(new URL('./exploration-worker.js', import.meta.url)),
    minThreads: 1,
    maxThreads: availableParallelism(),
    execArgv: ['--enable-source-maps'],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  t.teardown(() => threads.destroy());
  const ordered = programs.map((program) => {
    const orders = { exploration, program: program.name, seed: numbers.integer(0, 2 ** 31) };
    return { program, report: threads.run(orders) };
  });
  for (const { program, report } of ordered) {
    // A test hears of it when its turn comes.
    report.catch(() => {});
    t.test(name(program.name), async (t) => {
      const found = await report;
      for (const { where, found: problems } of found.failures) t.fail(where, { found: problems });
      tell(t, found);
    });
  }
}
