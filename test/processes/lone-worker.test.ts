import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { Orders } from './child.js';
import type { LoneWorkerOrders } from './lone-worker-child.js';

for (const paused of [false, true]) {
  t.test(
    `a worker${paused ? ' that is paused' : ''} keeps its process alive until it is closed`,
    async (t) => {
      const directory = await temporaryDirectory(t);
      const orders: LoneWorkerOrders = { directory, options: { durability: 'written' }, paused };
      const worker = startProgram(t, 'test/processes/lone-worker-child.js', {
        args: [JSON.stringify(orders)],
      });
      await worker.line((line) => line === 'working');
      // Another whole program begins and ends meanwhile.
      const idle: Orders = { directory: await temporaryDirectory(t), options: {} };
      const other = startProgram(t, 'test/processes/idle-child.js', { args: [JSON.stringify(idle)] });
      t.same(await other.ended(), { code: 0, signal: null });
      t.ok(worker.running);
      const queue = await openQueue<string>({ directory, durability: 'written' });
      t.teardown(() => queue.close());
      await queue.enqueue('message');
      if (paused) process.kill(worker.pid, 'SIGUSR1');
      t.equal(await worker.line((line) => line.startsWith('got')), 'got message');
      t.same(await worker.ended(), { code: 0, signal: null }, 'the queue may still be open');
      t.equal(await queue.store.length(), 0);
    },
  );
}
