/** Transactions, streams and consumers of processes that are killed at random. `npm run streams -- torture` does it for longer. */
import t from 'tap';
import { random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { torture } from './torture.js';

for (const locking of ['os', 'lockfile'] as const)
  t.test(`${locking}: transactions whole or not at all, streams too, positions never back`, async (t) => {
    const site = {
      starter: t,
      chance: random(t),
      directory: await temporaryDirectory(t),
      scratch: await temporaryDirectory(t),
    };
    const { wrong, counts, problems, report, kills } = await torture(site, {
      locking,
      forMs: 4000,
      killEveryMs: locking === 'os' ? 300 : 1500,
    });
    t.same(wrong, []);
    t.same(problems, []);
    t.ok(report.ok && report.findings.every(({ severity }) => severity === 'note'), 'verify', report);
    t.ok(counts.transactions > 0 && counts.streams > 0 && counts.commits > 0, 'all were at work', counts);
    t.comment(`${kills} kills; ${JSON.stringify(counts)}`);
  });
