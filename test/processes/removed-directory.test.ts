import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openQueue, openStore } from '../../src/mod.js';
import { checkDirectory } from '../support/consistency.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { Called, Closed, Ended, RemovedOrders, Work } from './removed-child.js';

const has =
  <T extends object>(key: keyof T) =>
  (message: unknown): message is T =>
    typeof message === 'object' && message !== null && key in message;

const CALLS = ['enqueue', 'dequeue', 'claim', 'length', 'read', 'stats', 'sync', 'delete', 'flush'];
const failed = (what: readonly string[]): Record<string, string> =>
  Object.fromEntries(what.map((one) => [one, 'STORE_FAILED']));

/** As `rm -rf` does, again where somebody has made a file in it meanwhile. */
async function remove(directory: string): Promise<void> {
  await until('the directory is gone', () => {
    try {
      rmSync(directory, { recursive: true, force: true });
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOTEMPTY') throw error;
    }
    return !existsSync(directory);
  });
}

for (const locking of ['os', 'lockfile'] as const) {
  t.test(
    `who does not look in the background is told before it begins or removes a file: ${locking}`,
    { skip: process.platform === 'win32' && 'files in use cannot be removed here' },
    async (t) => {
      const directory = join(await temporaryDirectory(t), 'store');
      const options = { locking, maxFileSize: 4096, indexer: false } as const;
      const orders: RemovedOrders = { directory, options, work: ['enqueue'], isQuiet: true };
      const program = startProgram(t, 'test/processes/removed-child.js', { args: [JSON.stringify(orders)] });
      await program.message(has('ready'));
      await remove(directory);
      const store = await openStore({ directory, locking, maxFileSize: 4096 });
      await store.writeMany(Array.from({ length: 50 }, () => Buffer.alloc(30)));
      program.send('removed');
      t.same((await program.message(has<Ended>('ended'))).ended, failed(['enqueue']));
      await program.message(has<Closed>('closed'));
      t.same(await program.ended(), { code: 0, signal: null });
      t.equal(await store.length(), 50);
      await store.close();
      t.same(checkDirectory(directory), [], 'nothing was put into the new one');
    },
  );

  for (const works of [['enqueue', 'claim', 'wait', 'follow'], ['wait', 'follow'], []] satisfies Work[][]) {
    for (const isMadeAnew of [false, true]) {
      const what = `${locking}, doing ${works.join(', ') || 'nothing'}${isMadeAnew ? ', and a new one made' : ''}`;
      t.test(
        `the directory is removed under a process: ${what}`,
        { skip: process.platform === 'win32' && 'files in use cannot be removed here' },
        async (t) => {
          const directory = join(await temporaryDirectory(t), 'store');
          const options = { locking, maxFileSize: 4096 };
          const orders: RemovedOrders = { directory, options, work: works };
          const program = startProgram(t, 'test/processes/removed-child.js', {
            args: [JSON.stringify(orders)],
          });
          await program.message(has('ready'));
          await remove(directory);
          const store = isMadeAnew ? await openStore({ directory, locking }) : undefined;
          t.equal(await store?.write(Buffer.from('new')), isMadeAnew ? 1 : undefined);
          program.send('removed');
          t.same((await program.message(has<Ended>('ended'))).ended, failed(works), 'nobody waits for ever');
          t.same((await program.message(has<Called>('calls'))).calls, failed(CALLS), 'every call says so');
          t.same((await program.message(has<Closed>('closed'))).closed, ['done', 'done']);
          t.same(await program.ended(), { code: 0, signal: null }, 'it ends by itself');
          t.equal(program.stderr, '');

          t.equal(existsSync(directory), isMadeAnew, 'nobody has made it again by halves');
          await store?.close();
          if (isMadeAnew) t.same(checkDirectory(directory), [], 'nor put anything into the new one');
          const queue = await openQueue<string>({ directory, locking });
          t.equal(await queue.enqueue('message'), isMadeAnew ? 2 : 1, 'a store like any other');
          t.equal(await queue.length(), isMadeAnew ? 2 : 1);
          await queue.close();
        },
      );
    }
  }
}
