import { getEventListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A program that ends has one signal for all it waits for: Node would warn of a leak from the eleventh listener on. */
t.test('many calls and workers share a signal: no warning, and all end with it', async (t) => {
  const warnings: string[] = [];
  const warn = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  const directory = await temporaryDirectory(t);
  const queues = [await openQueue<number>({ directory }), await openQueue<number>({ directory })];
  t.teardown(() => Promise.all(queues.map((queue) => queue.close())));
  const ending = new AbortController();
  const { signal } = ending;

  const workers = queues.flatMap((queue) =>
    Array.from({ length: 20 }, () => queue.process(() => undefined, { signal })),
  );
  const waiting = queues.flatMap((queue) =>
    Array.from({ length: 50 }, () => queue.dequeue({ waitMs: 60_000, signal })),
  );
  const outcomes = Promise.allSettled(waiting);
  // Each of them has looked in vain by then, and waits.
  for (const queue of queues) await queue.length();
  await turn();
  t.equal(getEventListeners(signal, 'abort').length, 1);

  const reason = new Error('the program ends');
  ending.abort(reason);
  for (const outcome of await outcomes) t.same(outcome, { status: 'rejected', reason });
  // Idempotent: what it resolves for is the close that the signal began.
  await Promise.all(workers.map((worker) => worker.close()));
  await queues[0]?.enqueue(1);
  t.match(await queues[0]?.stats(), { waiting: 1, claimed: 0 }, 'nobody takes any more');
  t.same(warnings, []);
});
