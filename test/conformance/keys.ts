import { suite } from './suite.js';
import { had } from './values.js';

export const keys = suite('keys', (test) => {
  test('messages of one key are handled one at a time, in order, across openers', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    for (const value of ['a1', 'b1', 'a2', 'a3', 'b2']) await queue.enqueue(value, { key: value.charAt(0) });
    await queue.enqueue('free');
    const first = await queue.claimMany(10);
    t.same(
      first.map(({ value }) => value),
      ['a1', 'b1', 'free'],
    );
    t.equal(await other.claim(), undefined);
    t.equal(await other.dequeue(), undefined);
    t.same(
      [await queue.length(), (await other.stats()).claimed],
      [3, 3],
      'what its key blocks counts as waiting',
    );
    await had(first[0]).ack();
    t.match(await other.claim({ waitMs: 60_000 }), { value: 'a2' });
    await had(first[1]).nack();
    const again = had(await other.claim({ waitMs: 60_000 }));
    t.match(again, { value: 'b1', attempt: 2 }, 'in order, also where one comes again');
    t.equal(await queue.claim(), undefined);
    await again.ack();
    t.match(await queue.claim(), { value: 'b2' });
  });

  test('dequeue frees a key at once', async (t, place) => {
    const queue = await place.openQueue();
    for (const value of ['a1', 'a2', 'a3']) await queue.enqueue(value, { key: 'a' });
    t.same([await queue.dequeue(), await queue.dequeueMany(5)], ['a1', ['a2', 'a3']]);
    await queue.enqueueMany(['a4', 'a5'], { key: 'a' });
    t.same(await queue.flush(), ['a4', 'a5']);
  });

  test('order within a key goes by index, whatever the priority', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('low', { key: 'k' });
    await queue.enqueue('high', { key: 'k', priority: 9 });
    await queue.enqueue('front', { key: 'k', front: true });
    await queue.enqueue('other', { priority: 5 });
    const values: string[] = [];
    for (;;) {
      const delivery = await queue.claim();
      if (delivery === undefined) break;
      values.push(delivery.value);
      await delivery.ack();
    }
    t.same(values, ['other', 'low', 'high', 'front']);
  });

  test.timed('a delayed head blocks its key', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('head', { key: 'k', delayMs: 1000 });
    await queue.enqueue('behind', { key: 'k' });
    await queue.enqueue('free');
    t.same(await queue.dequeueMany(5), ['free']);
    t.match(await queue.stats(), { waiting: 1, delayed: 1 });
    const next = queue.dequeueMany(5, { waitMs: Number.POSITIVE_INFINITY });
    t.same(await place.passUntil('the head', next), ['head', 'behind']);
  });

  test.timed('what an ended lease freed counts as waiting', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
    const lost = had(await queue.claim({ leaseMs: 1000 }));
    t.equal(await queue.length(), 1);
    await place.pass(1500);
    await place.until('the end of the lease', async () => (await queue.length()) === 2);
    t.match(await queue.claim(), { value: 'a1', attempt: 2 });
    await t.rejects(lost.ack(), { code: 'LEASE_LOST' });
    t.equal(await queue.claim(), undefined);
  });

  test('one that is requeued waits until the claimed one of its key is done', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
    await had(await queue.claim()).reject();
    const second = had(await queue.claim());
    t.equal(second.value, 'a2', 'a dead one blocks nobody');
    t.equal(await other.deadLetters.requeue(1), 1);
    t.equal(await other.claim(), undefined);
    t.equal(await other.length(), 1);
    await second.ack();
    t.match(await other.claim({ waitMs: 60_000 }), { value: 'a1' });
  });

  test('deleting a head frees its key', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a1', 'a2', 'a3'], { key: 'a' });
    const delivery = had(await queue.claim());
    t.equal(await queue.delete([1, 2]), 2);
    await delivery.ack();
    t.match(await queue.claim(), { value: 'a3' });
  });

  test('keys are kept for who opens again', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
    await queue.enqueueMany(['b1', 'b2'], { key: 'b' });
    await queue.close();
    const again = await place.openQueue();
    t.same(
      (await again.claimMany(10)).map(({ value }) => value),
      ['a1', 'b1'],
    );
  });
});
