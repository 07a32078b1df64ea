import { existsSync } from 'node:fs';
import t from 'tap';
import { checkDirectory } from '../support/consistency.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { DescriptorsOrders, DescriptorsReport } from './descriptors-child.js';

const MOST = 24;
const LEFTS = [...Array.from({ length: 13 }, (_, left) => left), MOST];
const isReport = (message: unknown): message is DescriptorsReport =>
  typeof message === 'object' && message !== null && 'leaked' in message;
const ALL_DONE = Array.from({ length: 7 }, () => 'done');

for (const locking of ['os', 'lockfile'] as const) {
  t.test(
    `with so many descriptors left, from none on: ${locking}`,
    { skip: !existsSync('/proc/self/fd') && 'nothing here tells how many descriptors are in use' },
    async (t) => {
      const directory = await temporaryDirectory(t);
      const options = { locking, maxFileSize: 512 };
      const orders: DescriptorsOrders = { directory, options, lefts: LEFTS };
      const program = startProgram(t, 'test/processes/descriptors-child.js', {
        args: [JSON.stringify(orders)],
        // Enough to load the library, which opens many modules at a time; the program takes all but so many itself.
        descriptors: 400,
      });
      const { wrong, opening, running, leaked } = await program.message(isReport, 60_000);
      t.same(wrong, [], 'what was acknowledged is there, and every error is typed');
      t.equal(leaked, 0, 'no descriptor is kept');
      t.equal(opening[0]?.opened, 'STORE_FAILED', 'with none it cannot be opened');
      t.same(running[0]?.left, 0);
      for (const [what, outcomes] of Object.entries({ opening, running }))
        t.match(
          outcomes.at(-1),
          { left: MOST, opened: 'done', calls: ALL_DONE },
          `${what}: with ${MOST} all goes on`,
        );
      t.match(await program.ended(), { code: 0 });
      t.same(checkDirectory(directory), []);
    },
  );
}
