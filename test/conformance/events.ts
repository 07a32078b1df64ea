import { suite } from './suite.js';
import { untyped } from './values.js';

export const events = suite('events', (test) => {
  test('enqueued and removed tell of what anybody did, at least once, and the state is right then', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    let enqueued = 0;
    let removed = 0;
    const lengths: Promise<number>[] = [];
    queue.on('enqueued', ({ upTo }) => {
      enqueued = upTo;
      lengths.push(queue.length());
    });
    queue.on('removed', ({ upTo }) => {
      removed = upTo;
    });
    await other.enqueueMany(['a', 'b', 'c']);
    await place.until('the event', () => enqueued === 3);
    t.equal(await lengths.at(-1), 3);
    await other.dequeue();
    await place.until('the event', () => removed >= 1);
    await queue.enqueue('d');
    await place.until('the event', () => enqueued === 4);
    await queue.clear();
    await place.until('the event', () => removed === 4);
    t.equal(await queue.length(), 0);
  });

  test('what on returns ends it', async (t, place) => {
    const queue = await place.openQueue();
    const heard: string[] = [];
    const stop = queue.on('enqueued', () => heard.push('one'));
    queue.on('enqueued', () => heard.push('other'));
    await queue.enqueue('a');
    await place.until('both', () => heard.length >= 2);
    stop();
    stop();
    heard.length = 0;
    await queue.enqueue('b');
    await place.until('the other', () => heard.length > 0);
    t.notOk(heard.includes('one'));
  });

  test('an event that there is not, or a listener that is none, is INVALID_OPTION', async (t, place) => {
    const queue = await place.openQueue();
    t.throws(() => queue.on(untyped<'error'>('acknowledged'), () => {}), { code: 'INVALID_OPTION' });
    t.throws(() => queue.on('enqueued', untyped('listener')), { code: 'INVALID_OPTION' });
    t.type(
      queue.on('error', () => {}),
      'function',
    );
  });
});
