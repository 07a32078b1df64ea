import { suite } from './suite.js';
import { untyped } from './values.js';

const letters = [...'abcdefghij'];

export const looking = suite('looking', (test) => {
  test('peek shows who is first in line, and takes nothing', async (t, place) => {
    const queue = await place.openQueue();
    t.same([await queue.peek(), await queue.peekMany(3)], [undefined, []]);
    await queue.enqueueMany(letters);
    const other = await place.openQueue();
    t.same([await other.peek(), await other.peekMany(3)], ['a', ['a', 'b', 'c']]);
    t.same(await queue.peekMany(100), letters);
    await queue.claimMany(2);
    t.same([await other.peek(), await other.peekMany(2)], ['c', ['c', 'd']], 'claimed ones are passed over');
    t.equal(await queue.length(), 8);
  });

  test('read finds any message by its index, claimed ones too', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(letters);
    await queue.claim();
    t.same([await queue.read(1), await queue.read(5), await queue.read(11)], ['a', 'e', undefined]);
    await queue.delete(5);
    await queue.dequeue();
    t.same([await queue.read(2), await queue.read(5)], [undefined, undefined]);
    for (const index of [undefined, 1.5, '1', null, Number.NaN])
      await t.rejects(queue.read(untyped(index)), { code: 'INVALID_OPTION' }, `${index}`);
  });

  test('delete tells how many were there', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(letters);
    t.same([await queue.delete(2), await queue.delete(2), await queue.delete([2, 3, 3, 99])], [1, 0, 1]);
    t.equal(await queue.delete([]), 0);
    t.same(await queue.peekMany(3), ['a', 'd', 'e']);
    t.equal(await queue.length(), 8);
  });

  test('length and stats tell of all that was done, by whoever', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    t.match(await queue.stats(), {
      waiting: 0,
      claimed: 0,
      delayed: 0,
      dead: 0,
      length: 0,
      oldestAgeMs: undefined,
    });
    await other.enqueueMany(letters);
    await other.claimMany(2);
    await other.dequeue();
    t.equal(await queue.length(), 7);
    t.match(await queue.stats(), {
      waiting: 7,
      claimed: 2,
      delayed: 0,
      dead: 0,
      length: 9,
      firstIndex: 1,
      nextIndex: 11,
    });
    t.equal(await queue.size(), await queue.store.size());
  });

  test.timed('oldestAgeMs is the age of the first in line', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    await place.pass(1000);
    await queue.enqueue('b');
    await place.pass(500);
    const age = (await queue.stats()).oldestAgeMs ?? 0;
    t.ok(age >= 1500 && age < 60_000, `${age}`);
    await queue.claim();
    const younger = (await queue.stats()).oldestAgeMs ?? 0;
    t.ok(younger >= 500 && younger < age, `${younger}`);
  });

  test('capabilities say what the engine can; what it cannot it refuses with UNSUPPORTED', async (t, place) => {
    const queue = await place.openQueue();
    const { capabilities } = queue;
    const asked = {
      priority: { priority: 5 },
      front: { front: true },
      delay: { delayMs: 1 },
      key: { key: 'k' },
      deduplication: { id: 'i' },
    } as const;
    for (const name of ['priority', 'front', 'delay', 'key', 'deduplication'] as const) {
      t.type(capabilities[name], 'boolean', name);
      if (capabilities[name]) t.type(await queue.enqueue('x', asked[name]), 'number', name);
      else await t.rejects(queue.enqueue('x', asked[name]), { code: 'UNSUPPORTED' }, name);
    }
    t.type(capabilities.exactLength, 'boolean');
    t.type(capabilities.transactions, 'boolean');
    t.ok(capabilities.durability.length > 0);
    for (const durability of ['written', 'synced'] as const)
      if (capabilities.durability.includes(durability))
        t.type(await queue.enqueue('x', { durability }), 'number', durability);
  });
});
