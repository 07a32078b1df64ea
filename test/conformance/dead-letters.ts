import type { DeadLetter } from '../../src/mod.js';
import { suite } from './suite.js';
import { bytes, had, text, untyped } from './values.js';

async function listOf<T>(list: AsyncIterable<DeadLetter<T>>): Promise<DeadLetter<T>[]> {
  const all: DeadLetter<T>[] = [];
  for await (const one of list) all.push(one);
  return all;
}

export const deadLetters = suite('dead letters', (test) => {
  test('reject: to the dead letters, now; the index stays', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueue('a', { headers: { trace: '1' } });
    await queue.enqueueMany(['b', 'c']);
    const before = Date.now();
    const delivery = had(await queue.claim());
    await delivery.reject('no such customer');
    t.equal(delivery.signal.aborted, false);
    for (const call of [
      () => delivery.ack(),
      () => delivery.nack(),
      () => delivery.extend(),
      () => delivery.reject(),
    ])
      await t.rejects(call(), { code: 'LEASE_LOST' }, `${call}`);
    t.match(await other.stats(), { waiting: 2, claimed: 0, dead: 1, length: 3 });
    t.same([await other.length(), await other.deadLetters.length()], [2, 1]);
    t.equal(await other.read(1), 'a', 'it is found by its index');
    t.same(await other.peekMany(5), ['b', 'c']);
    const [letter] = await listOf(other.deadLetters.list());
    t.match(letter, { index: 1, reason: 'no such customer', attempts: 1 });
    t.equal(letter?.value(), 'a');
    t.equal(text(letter?.data), '"a"');
    t.same({ ...letter?.headers }, { trace: '1' });
    t.ok(letter?.firstFailedAt instanceof Date && letter.lastFailedAt instanceof Date);
    t.ok((letter?.lastFailedAt.getTime() ?? 0) >= before - 1);
    t.same(await queue.flush(), ['b', 'c']);
    t.equal(await queue.deadLetters.length(), 1);
  });

  test('maxAttempts: the last attempt in vain makes it dead, whoever ended it', async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 3 });
    await queue.enqueueMany(['a', 'b']);
    for (const attempt of [1, 2, 3]) {
      const delivery = had(await queue.claim({ waitMs: 60_000 }));
      t.match(delivery, { value: 'a', attempt });
      await delivery.nack({ reason: `failed ${attempt}` });
    }
    const [letter] = await listOf(queue.deadLetters.list());
    t.match(letter, { index: 1, attempts: 3, reason: /failed 3/ });
    t.match(await queue.claim(), { value: 'b', attempt: 1 });
    t.equal(await queue.length(), 0);
  });

  test('five attempts where nothing is said', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    for (let attempt = 1; attempt <= 5; attempt++) await had(await queue.claim({ waitMs: 60_000 })).nack();
    t.same([await queue.claim(), await queue.deadLetters.length()], [undefined, 1]);
  });

  test.timed('a lost lease is an attempt, too', async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 2, leaseMs: 500 });
    await queue.enqueue('a');
    had(await queue.claim());
    const again = queue.claim({ waitMs: Number.POSITIVE_INFINITY });
    t.match(await place.passUntil('the end of the lease', again), { value: 'a', attempt: 2 });
    t.equal(await queue.deadLetters.length(), 0);
    const lost = had(await again);
    await place.until('its death', async () => (await queue.deadLetters.length()) === 1);
    t.match(await listOf(queue.deadLetters.list()), [{ index: 1, attempts: 2 }]);
    t.same([await queue.claim(), await queue.length()], [undefined, 0]);
    await t.rejects(lost.ack(), { code: 'LEASE_LOST' });
  });

  test('a closed opener’s claims are attempts, too', async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 1 });
    const other = await place.openQueue({ maxAttempts: 1 });
    await queue.enqueueMany(['a', 'b']);
    had(await queue.claim());
    await queue.close();
    t.match(await other.claim({ waitMs: 60_000 }), { value: 'b' });
    t.same(
      (await listOf(other.deadLetters.list())).map(({ index, attempts }) => [index, attempts]),
      [[1, 1]],
    );
  });

  test('what cannot be decoded is dead after its attempts, and stands in nobody’s way', async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 2 });
    await queue.store.write(bytes('not for this codec'));
    await queue.enqueue('b');
    for (let n = 0; n < 2; n++) await t.rejects(queue.claim({ waitMs: 60_000 }), { code: 'CODEC', index: 1 });
    t.equal(await queue.dequeue({ waitMs: 60_000 }), 'b');
    const [letter] = await listOf(queue.deadLetters.list());
    t.match(letter, { index: 1, attempts: 2 });
    t.throws(() => letter?.value(), { code: 'CODEC' });
    t.equal(text(letter?.data), 'not for this codec');
  });

  test('list goes by index, from and limit; requeue and purge one or all', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany([...'abcdef']);
    for (const delivery of await queue.claimMany(5)) await delivery.reject();
    const of = async (options?: { from?: number; limit?: number }): Promise<number[]> =>
      (await listOf(other.deadLetters.list(options))).map(({ index }) => index);
    t.same(
      [await of(), await of({ from: 3 }), await of({ limit: 2 }), await of({ from: 2, limit: 1 })],
      [[1, 2, 3, 4, 5], [3, 4, 5], [1, 2], [2]],
    );
    t.same(
      [await other.deadLetters.requeue(2), await other.deadLetters.requeue(2), await of()],
      [1, 0, [1, 3, 4, 5]],
    );
    t.same(await queue.peekMany(5), ['b', 'f'], 'back at its place');
    t.match(await queue.claim(), { value: 'b', attempt: 1 }, 'with no attempts counted');
    t.same(
      [await other.deadLetters.purge(3), await other.deadLetters.purge(6), await of()],
      [1, 0, [1, 4, 5]],
    );
    t.equal(await queue.read(3), undefined);
    t.same([await queue.deadLetters.requeue(), await queue.deadLetters.length()], [3, 0]);
    t.same(await queue.peekMany(5), ['a', 'd', 'e', 'f']);
    for (const delivery of await queue.claimMany(2)) await delivery.reject();
    t.same([await queue.deadLetters.purge(), await queue.deadLetters.purge()], [2, 0]);
    t.same([await queue.deadLetters.requeue(99), await queue.deadLetters.requeue(6)], [0, 0], 'no dead ones');
    for (const index of [1.5, '1', null])
      await t.rejects(queue.deadLetters.requeue(untyped(index)), { code: 'INVALID_OPTION' });
  });

  test('clear leaves dead letters, and they are there for who opens again', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a', 'b', 'c']);
    await had(await queue.claim()).reject('bad');
    await queue.clear();
    t.same([await queue.length(), await queue.deadLetters.length()], [0, 1]);
    await queue.close();
    const again = await place.openQueue();
    t.match(await listOf(again.deadLetters.list()), [{ index: 1, reason: 'bad', attempts: 1 }]);
    t.equal(await again.deadLetters.requeue(), 1);
    t.equal(await again.dequeue(), 'a');
  });

  test("the event 'dead' comes to everybody", async (t, place) => {
    const queue = await place.openQueue({ maxAttempts: 1 });
    const other = await place.openQueue();
    const heard: { index: number; reason: string }[] = [];
    other.on('dead', (one) => heard.push(one));
    await queue.enqueueMany(['a', 'b']);
    await had(await queue.claim()).reject('bad');
    await place.until('the event', () => heard.length === 1);
    await had(await queue.claim()).nack({ reason: 'worse' });
    await place.until('the other event', () => heard.length === 2);
    t.match(heard, [
      { index: 1, reason: 'bad' },
      { index: 2, reason: /worse/ },
    ]);
  });

  test.timed('nack with a delay: it comes again later', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    await had(await queue.claim()).nack({ delayMs: 1000 });
    t.match(await other.stats(), { waiting: 1, delayed: 1 });
    t.equal(await other.dequeue(), 'b');
    t.equal(await other.claim(), undefined);
    const again = other.claim({ waitMs: Number.POSITIVE_INFINITY });
    await place.pass(500);
    t.match(await place.passUntil('the delayed message', again), { value: 'a', attempt: 2 });
    for (const options of [{ delayMs: -1 }, { delayMs: '1' }, { reason: 5 }, { unknown: 1 }])
      await t.rejects(
        had(await again).nack(untyped(options)),
        { code: 'INVALID_OPTION' },
        JSON.stringify(options),
      );
  });

  test.timed('backoff: each failure makes it wait longer, up to the most', async (t, place) => {
    const backoff = { initialMs: 1000, factor: 3, maxMs: 5000, jitter: false };
    const queue = await place.openQueue({ backoff, maxAttempts: 10 });
    await queue.enqueue('a');
    if (place.clock === undefined) return void t.pass('time cannot be moved here');
    await had(await queue.claim()).nack();
    for (const waits of [1000, 3000, 5000, 5000]) {
      await place.pass(waits - 10);
      t.equal(await queue.claim(), undefined, `${waits}`);
      await place.pass(20);
      await had(await queue.claim()).nack();
    }
  });

  test.timed('what is said by nack goes before the backoff', async (t, place) => {
    const queue = await place.openQueue({ backoff: { initialMs: 3_600_000, jitter: false } });
    await queue.enqueue('a');
    await had(await queue.claim()).nack({ delayMs: 0 });
    t.match(await queue.claim(), { attempt: 2 });
  });

  test.timed('dead letters beyond maxCount or maxAgeMs are purged', async (t, place) => {
    const few = await place.openQueue({ deadLetters: { maxCount: 2 }, filePrefix: 'few' });
    await few.enqueueMany([...'abcd']);
    for (const delivery of await few.claimMany(4)) await delivery.reject();
    await place.until('the purge', async () => {
      await place.pass(1000);
      return (await few.deadLetters.length()) === 2;
    });
    t.same(
      (await listOf(few.deadLetters.list())).map(({ index }) => index),
      [3, 4],
      'the oldest go',
    );
    const young = await place.openQueue({ deadLetters: { maxAgeMs: 5000 }, filePrefix: 'young' });
    await young.enqueueMany(['a', 'b']);
    await had(await young.claim()).reject();
    t.equal(await young.deadLetters.length(), 1);
    await place.until('the purge', async () => {
      await place.pass(1000);
      return (await young.deadLetters.length()) === 0;
    });
    t.equal(await young.read(1), undefined);
  });

  test('a dead head frees its key', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a1', 'a2'], { key: 'a' });
    const head = had(await queue.claim());
    t.equal(await queue.claim(), undefined);
    await head.reject();
    t.match(await queue.claim(), { value: 'a2' });
  });

  test('a dead message may be deleted', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    await had(await queue.claim()).reject();
    t.equal(await queue.delete(1), 1);
    t.same([await queue.deadLetters.length(), await queue.read(1)], [0, undefined]);
  });
});
