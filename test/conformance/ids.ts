import { suite } from './suite.js';

export const ids = suite('ids', (test) => {
  test('enqueued again it is answered with the first index, and not stored twice', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    t.equal(await queue.enqueue('a', { id: 'one' }), 1);
    t.equal(await queue.enqueue('b', { id: 'two' }), 2);
    t.equal(await queue.enqueue('a again', { id: 'one' }), 1);
    t.equal(await other.enqueue('a elsewhere', { id: 'one' }), 1);
    t.equal(await other.enqueue('without'), 3);
    t.same(await queue.flush(), ['a', 'b', 'without']);
    t.equal(await other.enqueue('a after it was had', { id: 'one' }), 1);
    t.equal(await queue.length(), 0);
  });

  test('many at once with one id are one message', async (t, place) => {
    const queues = [await place.openQueue(), await place.openQueue(), await place.openQueue()];
    const indexes = await Promise.all(
      queues.flatMap((queue) => [queue.enqueue('x', { id: 'same' }), queue.enqueue('x', { id: 'same' })]),
    );
    t.equal(new Set(indexes).size, 1, `${indexes}`);
    t.equal(await queues[0]?.length(), 1);
  });

  test('an id with enqueueMany is one for the batch, answered with all its indexes', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('before');
    t.same(await queue.enqueueMany(['a', 'b', 'c'], { id: 'batch' }), [2, 3, 4]);
    t.same(await queue.enqueueMany(['a', 'b', 'c'], { id: 'batch' }), [2, 3, 4]);
    const other = await place.openQueue();
    t.same(await other.enqueueMany(['x'], { id: 'batch' }), [2, 3, 4]);
    t.equal(await other.enqueue('x', { id: 'batch' }), 2);
    t.equal(await queue.store.length(), 4);
  });

  test('ids are told apart whole, and by case', async (t, place) => {
    const queue = await place.openQueue();
    const all = ['a', 'A', 'a ', 'ä', 'a\0', `${'x'.repeat(999)}1`, `${'x'.repeat(999)}2`];
    for (const [at, id] of all.entries()) t.equal(await queue.enqueue(id, { id }), at + 1);
    for (const [at, id] of all.entries()) t.equal(await queue.enqueue(id, { id }), at + 1);
  });

  test('they are remembered by who opens again, and when the messages and their files are gone', async (t, place) => {
    const queue = await place.openQueue({ maxFileSize: 1024 });
    t.equal(await queue.enqueue('a', { id: 'one' }), 1);
    t.same(await queue.enqueueMany(['b', 'c'], { id: 'batch' }), [2, 3]);
    for (let n = 0; n < 12; n++) await queue.enqueue('x'.repeat(200));
    await queue.clear();
    t.equal(await queue.enqueue('a', { id: 'one' }), 1);
    await queue.close();
    const again = await place.openQueue({ maxFileSize: 1024 });
    t.equal(await again.enqueue('a', { id: 'one' }), 1);
    t.same(await again.enqueueMany(['b', 'c'], { id: 'batch' }), [2, 3]);
    t.equal(await again.length(), 0);
  });

  test.timed('after the window an id is new again', async (t, place) => {
    const queue = await place.openQueue({ deduplication: { windowMs: 2000 } });
    const other = await place.openQueue({ deduplication: { windowMs: 2000 } });
    t.equal(await queue.enqueue('a', { id: 'one' }), 1);
    await place.pass(1000);
    t.equal(await other.enqueue('a', { id: 'one' }), 1);
    await place.pass(1500);
    t.equal(await queue.enqueue('a', { id: 'one' }), 2, 'from the first on, not from the last');
    t.equal(await other.enqueue('a', { id: 'one' }), 2);
    t.equal(await queue.length(), 2);
  });

  test.timed('the window is two minutes where none is given', async (t, place) => {
    if (place.clock === undefined) return void t.pass('time cannot be moved here');
    const queue = await place.openQueue();
    t.equal(await queue.enqueue('a', { id: 'one' }), 1);
    await place.pass(119_000);
    t.equal(await queue.enqueue('a', { id: 'one' }), 1);
    await place.pass(2000);
    t.equal(await queue.enqueue('a', { id: 'one' }), 2);
  });

  test('what was refused has no id', async (t, place) => {
    const queue = await place.openQueue<unknown>({ maxRecordSize: 100 });
    await t.rejects(queue.enqueue('x'.repeat(200), { id: 'one' }), { code: 'RECORD_TOO_LARGE' });
    await t.rejects(queue.enqueue(10n, { id: 'one' }), { code: 'CODEC' });
    t.equal(await queue.enqueue('x', { id: 'one' }), 1);
    t.equal(await queue.dequeue(), 'x');
  });
});
