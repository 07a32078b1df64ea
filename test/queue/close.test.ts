import type { Queue } from '../../src/queue/contract.js';
import { storeCalls } from '../store/store-calls.js';
import { onBothDisks } from '../store/world.js';

/** Every method of a queue, with arguments that are right. */
function queueCalls(queue: Queue<unknown>): [name: string, call: () => Promise<unknown>][] {
  return [
    ['enqueue', () => queue.enqueue(1)],
    ['enqueueMany', () => queue.enqueueMany([1])],
    ['enqueueMany, empty', () => queue.enqueueMany([])],
    ['dequeue', () => queue.dequeue()],
    ['dequeue, waiting', () => queue.dequeue({ waitMs: Number.POSITIVE_INFINITY })],
    ['dequeueMany', () => queue.dequeueMany(1)],
    ['dequeueMany(0)', () => queue.dequeueMany(0)],
    ['claim', () => queue.claim()],
    ['claimMany', () => queue.claimMany(1)],
    ['peek', () => queue.peek()],
    ['peekMany', () => queue.peekMany(1)],
    ['read', () => queue.read(1)],
    ['delete', () => queue.delete(1)],
    ['flush', () => queue.flush()],
    ['clear', () => queue.clear()],
    ['length', () => queue.length()],
    ['size', () => queue.size()],
    ['stats', () => queue.stats()],
    ...storeCalls(queue.store).map(([name, call]): [string, () => Promise<unknown>] => [
      `store.${name}`,
      call,
    ]),
  ];
}

onBothDisks('after close every method is CLOSED, and never throws at once', async (t, world) => {
  const queue = await world.openQueue();
  await queue.enqueue('kept');
  await queue.close();
  for (const [name, call] of queueCalls(queue)) await t.rejects(call(), { code: 'CLOSED' }, name);
  t.throws(() => queue.on('enqueued', () => {}), { code: 'CLOSED' });
  const again = await world.openQueue();
  t.same(await again.flush(), ['kept']);
});

onBothDisks('close is idempotent, and await using closes', async (t, world) => {
  const queue = await world.openQueue();
  await Promise.all([queue.close(), queue.close(), queue.store.close()]);
  await queue[Symbol.asyncDispose]();
  let leaked: Queue<unknown> | undefined;
  {
    await using other = await world.openQueue();
    await other.enqueue(1);
    leaked = other;
  }
  await t.rejects(leaked.length(), { code: 'CLOSED' });
});

onBothDisks('what was called before close is done', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2]);
  const calls = [queue.enqueue(3), queue.delete(2)];
  await queue.close();
  t.same(await Promise.all(calls), [3, 1]);
  t.same(await (await world.openQueue<number>()).flush(), [1, 3]);
});

onBothDisks(
  'a dequeue or claim that close comes before is CLOSED, and the message is there',
  async (t, world) => {
    const queue = await world.openQueue<number>();
    await queue.enqueueMany([1, 2]);
    const calls = Promise.allSettled([queue.dequeue(), queue.claim()]);
    await queue.close();
    t.match(await calls, [{ reason: { code: 'CLOSED' } }, { reason: { code: 'CLOSED' } }]);
    const again = await world.openQueue<number>();
    t.equal((await again.claim())?.attempt, 1);
    t.equal(await again.dequeue(), 2);
  },
);
