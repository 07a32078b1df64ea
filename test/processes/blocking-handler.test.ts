import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { type Program, startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { BlockingOrders, Seen } from './blocking-worker-child.js';

const LEASE_MS = 300;
const BLOCK_MS = 1500;

const isSeen =
  (wanted: Seen['seen']) =>
  (message: unknown): message is Seen =>
    typeof message === 'object' && message !== null && 'seen' in message && message.seen === wanted;

for (const { name, locking } of [
  { name: '', locking: 'os' },
  { name: ', with lock files', locking: 'lockfile' },
] as const) {
  t.test(
    `a handler that blocks the event loop past its lease never runs twice unnoticed${name}`,
    async (t) => {
      const [directory, beside] = [await temporaryDirectory(t), await temporaryDirectory(t)];
      const finished = join(beside, 'finished');
      const queue = await openQueue<string>({ directory, durability: 'written', locking });
      t.teardown(() => queue.close());
      const start = async (blockMs: number, until: string | undefined): Promise<Program> => {
        const orders: BlockingOrders = { directory, options: { leaseMs: LEASE_MS }, blockMs, until };
        const program = startProgram(t, 'test/processes/blocking-worker-child.js', {
          args: [JSON.stringify(orders)],
        });
        await program.message(isSeen('opened'));
        return program;
      };
      const [a, b] = await Promise.all([start(BLOCK_MS, finished), start(0, undefined)]);
      a.send('work');
      await queue.enqueue('heavy');
      t.match(await a.message(isSeen('begun')), { attempt: 1 });
      b.send('work');
      t.match(
        await b.message(isSeen('begun')),
        { attempt: 2 },
        'it comes again, and its attempts are counted',
      );
      await until('the second has finished it', async () => (await queue.store.length()) === 0, 30_000);
      // Only now may the first go on, so that it cannot have taken the message again itself.
      writeFileSync(finished, '');
      await a.message(isSeen('blocked'));
      t.match(await a.message(isSeen('aborted')), { attempt: 1, code: 'LEASE_LOST' }, 'the handler is told');
      t.match(await a.message(isSeen('error')), { code: 'LEASE_LOST' }, 'and whoever listens to errors');

      // It is a worker like any other afterwards.
      b.send('stop');
      t.match(await b.message(isSeen('closed')), { stats: { done: 1, failed: 0 } });
      await queue.enqueue('light');
      t.match(await a.message(isSeen('begun')), { attempt: 1 });
      await until('it is done', async () => (await queue.store.length()) === 0, 30_000);
      a.send('stop');
      const { stats } = await a.message(isSeen('closed'));
      t.equal(stats?.failed, 1);
      t.equal(await queue.store.length(), 0);
      t.same(await a.ended(), { code: 0, signal: null });
    },
  );
}
