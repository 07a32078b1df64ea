import { suite } from './suite.js';
import { aborted, had, watched } from './values.js';

export const claiming = suite('claiming', (test) => {
  test('who claims a message has it alone, until it is acknowledged', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b', 'c']);
    const delivery = had(await queue.claim());
    t.match(delivery, { value: 'a', index: 1, attempt: 1 });
    t.ok(delivery.enqueuedAt instanceof Date);
    t.equal(delivery.signal.aborted, false);
    t.same(
      (await other.claimMany(5)).map(({ value }) => value),
      ['b', 'c'],
    );
    t.equal(await queue.claim(), undefined);
    t.equal(await queue.dequeue(), undefined);
    t.same([await queue.length(), (await queue.stats()).claimed], [0, 3]);
    await delivery.ack();
    t.same([await queue.read(1), (await other.stats()).claimed], [undefined, 2]);
    t.equal(delivery.signal.aborted, false);
    await t.rejects(delivery.nack(), { code: 'LEASE_LOST' }, 'it is done');
  });

  test('nack: it comes again at its place, and its attempts are counted', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    const delivery = had(await queue.claim());
    await delivery.nack({ reason: 'busy' });
    await t.rejects(delivery.ack(), { code: 'LEASE_LOST' });
    await t.rejects(delivery.extend(), { code: 'LEASE_LOST' });
    t.equal(await queue.length(), 2);
    const again = had(await other.claim());
    t.match(again, { value: 'a', attempt: 2 });
    await again.nack();
    t.same(await queue.dequeueMany(2), ['a', 'b']);
  });

  test('a claim waits for a message, whoever enqueues it or gives it back', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    const waiting = queue.claim({ waitMs: Number.POSITIVE_INFINITY });
    await other.enqueue('a');
    const delivery = had(await waiting);
    const next = other.claimMany(3, { waitMs: Number.POSITIVE_INFINITY });
    await delivery.nack();
    t.match(await next, [{ value: 'a', attempt: 2 }]);
  });

  test.timed(
    'a lease that has ended: its signal aborts, the message comes again, and ack is LEASE_LOST',
    async (t, place) => {
      const queue = await place.openQueue({ leaseMs: 1000 });
      const other = await place.openQueue();
      await queue.enqueueMany(['a', 'b']);
      const delivery = had(await queue.claim());
      const longer = had(await queue.claim({ leaseMs: 60_000 }));
      const lost = watched(aborted(delivery.signal));
      const next = watched(other.claim({ waitMs: Number.POSITIVE_INFINITY }));
      await place.pass(700);
      t.same([lost.state, next.state, await queue.length()], ['waiting', 'waiting', 0]);
      t.match(await place.passUntil('the end of the lease', next.promise), { value: 'a', attempt: 2 });
      t.match(await place.passUntil('the abort', lost.promise), { code: 'LEASE_LOST' });
      for (const call of [() => delivery.ack(), () => delivery.nack(), () => delivery.extend()])
        await t.rejects(call(), { code: 'LEASE_LOST' }, `${call}`);
      await longer.ack();
      t.equal((await queue.stats()).claimed, 1);
    },
  );

  test.timed('a message whose lease has ended counts as waiting', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    const delivery = had(await queue.claim({ leaseMs: 1000 }));
    await place.pass(1500);
    await place.until('the end of the lease', async () => (await queue.length()) === 1);
    t.match(await queue.stats(), { waiting: 1, claimed: 0, delayed: 0, dead: 0 });
    t.equal(await queue.peek(), 'a');
    await t.rejects(delivery.ack(), { code: 'LEASE_LOST' });
    t.equal(await queue.dequeue(), 'a');
  });

  test.timed('extend: the lease ends so much later', async (t, place) => {
    const queue = await place.openQueue({ leaseMs: 2000 });
    await queue.enqueue('a');
    const delivery = had(await queue.claim({ leaseMs: 1000 }));
    await place.pass(500);
    await delivery.extend();
    await place.pass(1000);
    t.same([await queue.length(), delivery.signal.aborted], [0, false], 'by the queue’s leaseMs');
    await delivery.extend(60_000);
    await place.pass(5000);
    t.same([await queue.length(), delivery.signal.aborted], [0, false]);
    await delivery.ack();
    for (const leaseMs of [0, -1, 1.5, Number.NaN])
      await t.rejects(delivery.extend(leaseMs), { code: 'INVALID_OPTION' });
  });

  test('deleting a claimed message: it is gone, ack resolves, the rest is LEASE_LOST', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    const [one, two] = (await queue.claimMany(2)).map((delivery) => had(delivery));
    const signal = aborted(had(one).signal);
    t.equal(await other.delete([1, 2]), 2);
    t.match(await signal, { code: 'LEASE_LOST' });
    await one?.ack();
    await t.rejects(had(two).nack(), { code: 'LEASE_LOST' });
    await t.rejects(had(two).extend(), { code: 'LEASE_LOST' });
  });

  test('clear ends claims, too', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b', 'c']);
    const delivery = had(await queue.claim());
    const signal = aborted(delivery.signal);
    t.equal(await other.clear(), 3);
    t.match(await signal, { code: 'LEASE_LOST' });
    await delivery.ack();
    t.same([await queue.length(), await queue.store.length(), (await queue.stats()).claimed], [0, 0, 0]);
    t.equal(await queue.clear(), 0);
    t.equal(await queue.enqueue('d'), 4);
  });

  test('closing frees what was claimed there, its attempts counted, and ack is CLOSED', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    const delivery = had(await queue.claim());
    const signal = aborted(delivery.signal);
    const waiting = (async () => {
      const all = [];
      while (all.length < 2) all.push(...(await other.claimMany(2, { waitMs: Number.POSITIVE_INFINITY })));
      return all;
    })();
    await queue.close();
    t.match(await signal, { code: 'CLOSED' });
    for (const call of [() => delivery.ack(), () => delivery.nack(), () => delivery.extend()])
      await t.rejects(call(), { code: 'CLOSED' }, `${call}`);
    const got = (await waiting).map(({ value, attempt }) => `${value}${attempt}`);
    t.same(got.sort(), ['a2', 'b1']);
  });

  test('an unreadable message at the head is CODEC for a claim, and counts as an attempt', async (t, place) => {
    const queue = await place.openQueue<unknown>({ maxAttempts: 10 });
    const v8 = await place.openQueue<unknown>({ codec: 'v8' });
    await v8.enqueue('v8');
    await queue.enqueue('json');
    await t.rejects(queue.claim(), { code: 'CODEC', index: 1 });
    await t.rejects(queue.claimMany(2), { code: 'CODEC', index: 1 });
    t.equal(await queue.length(), 2);
    t.match(await v8.claim(), { value: 'v8', attempt: 3 });
  });
});
