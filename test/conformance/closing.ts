import { suite } from './suite.js';
import { bytes, textsOf, watched } from './values.js';

export const closing = suite('closing', (test) => {
  test('after close everything of a store is CLOSED, and close is idempotent', async (t, place) => {
    const store = await place.openStore();
    await store.write(bytes('a'));
    await Promise.all([store.close(), store.close()]);
    await store.close();
    const calls: (() => Promise<unknown>)[] = [
      () => store.write(bytes('x')),
      () => store.writeMany([bytes('x')]),
      () => store.writeMany([]),
      () => store.read(),
      () => store.read(1),
      () => store.entry(1),
      () => store.entries().next(),
      () => store.delete(1),
      () => store.deleteFirst(),
      () => store.prune(),
      () => store.firstIndex(),
      () => store.nextIndex(),
      () => store.length(),
      () => store.size(),
      () => store.stats(),
      () => store.refresh(),
      () => store.sync(),
    ];
    for (const call of calls) await t.rejects(call(), { code: 'CLOSED' }, `${call}`);
    t.same(await textsOf(await place.openStore()), ['a']);
  });

  test('after close everything of a queue is CLOSED', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    await queue.close();
    await queue.close();
    const calls: (() => Promise<unknown>)[] = [
      () => queue.enqueue('x'),
      () => queue.enqueueMany(['x']),
      () => queue.enqueueMany([]),
      () => queue.dequeue(),
      () => queue.dequeueMany(1),
      () => queue.dequeueMany(0),
      () => queue.claim(),
      () => queue.claimMany(1),
      () => queue.peek(),
      () => queue.peekMany(1),
      () => queue.read(1),
      () => queue.delete(1),
      () => queue.flush(),
      () => queue.clear(),
      () => queue.length(),
      () => queue.size(),
      () => queue.stats(),
      () => queue.store.length(),
      () => queue.store.write(bytes('x')),
    ];
    for (const call of calls) await t.rejects(call(), { code: 'CLOSED' }, `${call}`);
  });

  test('who waits gets CLOSED', async (t, place) => {
    const queue = await place.openQueue();
    const forever = { waitMs: Number.POSITIVE_INFINITY };
    const waits = [
      watched(queue.dequeue(forever)),
      watched(queue.dequeueMany(2, forever)),
      watched(queue.claim(forever)),
      watched(queue.claimMany(2, forever)),
      watched(queue.store.entries({ follow: true }).next()),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    await queue.close();
    const outcomes = await Promise.allSettled(waits.map(({ promise }) => promise as Promise<unknown>));
    for (const outcome of outcomes) t.match(outcome, { reason: { code: 'CLOSED' } });
  });

  test('closing waits for what was begun, and syncs what was written', async (t, place) => {
    const queue = await place.openQueue({ durability: 'written' });
    const calls = Promise.all([queue.enqueue('a'), queue.enqueueMany(['b', 'c'])]);
    await queue.close();
    t.same(await calls, [1, [2, 3]]);
    const store = await place.openStore();
    t.equal((await store.stats()).syncedIndex, 3);
    t.equal(await store.length(), 3);
  });

  test('closing the store of a queue closes the queue, and leaves other openers alone', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.store.close();
    await t.rejects(queue.enqueue('a'), { code: 'CLOSED' });
    t.equal(await other.enqueue('b'), 1);
  });

  test('await using closes', async (t, place) => {
    const queue = await place.openQueue();
    await queue[Symbol.asyncDispose]();
    await t.rejects(queue.length(), { code: 'CLOSED' });
    const store = await place.openStore();
    await store[Symbol.asyncDispose]();
    await t.rejects(store.length(), { code: 'CLOSED' });
  });
});
