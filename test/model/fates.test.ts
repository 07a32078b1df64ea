import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { fatesPrograms, runFates } from './fates-program.js';

const RUNS = 300;

t.test('random programs of attempts, deaths and delays behave as the model does', async (t) => {
  const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
  t.comment(`SEED=${seed}`);
  const details = await fc.check(fc.asyncProperty(fatesPrograms(50), runFates), { seed, numRuns: RUNS });
  if (details.failed) t.fail(fc.defaultReportMessage(details) ?? 'failed');
  else t.equal(details.numRuns, RUNS);
});
