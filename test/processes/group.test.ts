/** A group over several processes, killed and added at random. `npm run streams -- group` does it for a minute. */
import t from 'tap';
import { random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { killMembers } from './group-members.js';

t.test('members die and join: every record at least once, in order, never two on a partition', async (t) => {
  const site = {
    starter: t,
    chance: random(t),
    directory: await temporaryDirectory(t),
    notes: await temporaryDirectory(t),
  };
  const plan = { locking: 'os', deaths: 12, forMs: 0, drainedWithinMs: 60_000 } as const;
  const { appended, returned, wrong } = await killMembers(site, plan);
  t.same(wrong, []);
  t.ok(returned >= appended);
});
