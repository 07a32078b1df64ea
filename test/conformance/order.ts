import { suite } from './suite.js';
import { aborted, had, untyped, watched } from './values.js';

export const order = suite('order', (test) => {
  test('higher priorities come first, first in, first out within one', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueue('low 1');
    await queue.enqueue('high 1', { priority: 9 });
    await queue.enqueue('middle', { priority: 4 });
    await other.enqueue('high 2', { priority: 9 });
    await queue.enqueue('low 2', { priority: 0 });
    await other.enqueueMany(['most 1', 'most 2'], { priority: 9 });
    const line = ['high 1', 'high 2', 'most 1', 'most 2', 'middle', 'low 1', 'low 2'];
    t.same(await queue.peekMany(10), line);
    t.same([await other.dequeue(), had(await queue.claim()).value], line.slice(0, 2));
    t.same(await other.flush(), line.slice(2));
  });

  test('each of the ten priorities', async (t, place) => {
    const queue = await place.openQueue<number>();
    for (const priority of [3, 0, 9, 5, 1, 7, 2, 8, 4, 6]) await queue.enqueue(priority, { priority });
    t.same(await queue.dequeueMany(10), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  test('a message that comes again stands at its place', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['low 1', 'low 2']);
    await queue.enqueueMany(['high 1', 'high 2'], { priority: 5 });
    const [high, ...others] = await queue.claimMany(3);
    await had(others[1]).nack();
    await had(high).nack();
    t.same(await queue.peekMany(10), ['high 1', 'low 1', 'low 2']);
    t.match(await queue.claim(), { value: 'high 1', attempt: 2 });
  });

  test('front: before everything of its priority, and a batch keeps its order', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    await queue.enqueue('high', { priority: 5 });
    await queue.enqueueMany(['c', 'd'], { front: true });
    await other.enqueue('e', { front: true });
    await queue.enqueue('high, first', { priority: 5, front: true });
    await queue.enqueue('f', { front: false });
    const line = ['high, first', 'high', 'e', 'c', 'd', 'a', 'b', 'f'];
    t.same(await other.peekMany(10), line);
    t.same(await queue.flush(), line);
  });

  test('order is kept for who opens again', async (t, place) => {
    const queue = await place.openQueue({ maxFileSize: 512 });
    for (let n = 0; n < 10; n++) await queue.enqueue(`${n}`, { priority: n % 3, front: n % 4 === 3 });
    const line = await queue.peekMany(10);
    t.same(line, ['2', '5', '8', '7', '1', '4', '3', '0', '6', '9']);
    await queue.close();
    const again = await place.openQueue();
    t.same(await again.peekMany(10), line);
    t.same(await again.dequeueMany(10), line);
  });

  test.timed('delayed: not to be had before its time, and not waiting', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueue('later', { delayMs: 1000 });
    await queue.enqueue('much later', { delayMs: 3_600_000 });
    await queue.enqueue('now');
    t.same([await queue.length(), (await other.stats()).delayed, (await other.stats()).waiting], [1, 2, 1]);
    t.same(await other.peekMany(5), ['now']);
    t.equal(await other.read(1), 'later', 'it is there all the same');
    t.same([await queue.dequeue(), await queue.claim(), await queue.flush()], ['now', undefined, []]);
    const next = watched(other.dequeue({ waitMs: Number.POSITIVE_INFINITY }));
    await place.pass(600);
    t.equal(next.state, 'waiting');
    t.equal(await place.passUntil('the delayed message', next.promise), 'later');
    t.same([await queue.length(), (await queue.stats()).delayed], [0, 1]);
  });

  test.timed('what has fallen due stands at its place, by priority and index', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a', { delayMs: 200 });
    await queue.enqueue('b', { delayMs: 100, priority: 3 });
    await queue.enqueueMany(['c', 'd'], { delayMs: 100 });
    await queue.enqueue('e');
    await place.pass(150);
    await place.until('the first to fall due', async () => (await queue.length()) >= 4);
    if ((await queue.length()) === 4) t.same(await queue.peekMany(5), ['b', 'c', 'd', 'e']);
    await place.pass(200);
    await place.until('the last to fall due', async () => (await queue.length()) === 5);
    t.same(await queue.flush(), ['b', 'a', 'c', 'd', 'e']);
  });

  test.timed('a delayed message is there for who opens again', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a', { delayMs: 500 });
    await queue.close();
    const again = await place.openQueue();
    t.equal(await again.length(), 0);
    const next = again.claim({ waitMs: Number.POSITIVE_INFINITY });
    t.match(await place.passUntil('the delayed message', next), { value: 'a', attempt: 1 });
  });

  test('clear and delete end delays, too', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a', 'b', 'c'], { delayMs: 3_600_000 });
    await queue.enqueue('d');
    t.equal(await queue.delete(2), 1);
    t.equal((await queue.stats()).delayed, 2);
    t.equal(await queue.clear(), 3);
    t.match(await queue.stats(), { delayed: 0, waiting: 0, length: 0 });
  });

  test('a claimed message is had by its holder alone, whatever its priority', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueue('a', { priority: 9, front: true });
    const delivery = had(await queue.claim());
    t.equal(await other.dequeue(), undefined);
    const signal = aborted(delivery.signal);
    t.equal(await other.delete(delivery.index), 1);
    t.match(await signal, { code: 'LEASE_LOST' });
  });

  test('an order that there cannot be is INVALID_OPTION', async (t, place) => {
    const queue = await place.openQueue();
    for (const options of [
      { priority: -1 },
      { priority: 10 },
      { priority: 1.5 },
      { priority: '1' },
      { delayMs: -1 },
      { delayMs: Number.NaN },
      { delayMs: '1' },
      { front: 1 },
      { key: '' },
      { key: 5 },
      { key: 'x'.repeat(1001) },
      { id: '' },
      { id: 5 },
      { id: 'ü'.repeat(501) },
    ]) {
      await t.rejects(
        queue.enqueue('x', untyped(options)),
        { code: 'INVALID_OPTION' },
        JSON.stringify(options),
      );
      await t.rejects(queue.enqueueMany(['x'], untyped(options)), { code: 'INVALID_OPTION' });
    }
    t.equal(await queue.store.nextIndex(), 1);
    const nothing = {
      priority: undefined,
      delayMs: undefined,
      front: undefined,
      key: undefined,
      id: undefined,
    };
    t.equal(await queue.enqueue('x', nothing), 1);
    t.equal(await queue.enqueue('x', { key: 'k'.repeat(1000), id: 'i'.repeat(1000) }), 2);
  });
});
