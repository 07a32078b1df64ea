import { suite } from './suite.js';
import { had } from './values.js';

export const progress = suite('progress', (test) => {
  test('what a handler says is seen by every opener', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    const heard: object[] = [];
    const here: object[] = [];
    other.on('progress', (one) => heard.push(one));
    queue.on('progress', (one) => here.push(one));
    await queue.enqueueMany(['a', 'b']);
    const delivery = had(await queue.claim());
    await delivery.progress({ percent: 50, of: ['ü'] });
    await place.until('the event', () => heard.length > 0 && here.length > 0);
    t.same([heard.at(-1), here.at(-1)], Array(2).fill({ index: 1, value: { percent: 50, of: ['ü'] } }));
    await delivery.progress('done');
    await place.until('the last', () => (heard.at(-1) as { value: unknown }).value === 'done');
    t.same([await queue.length(), (await queue.stats()).claimed], [1, 1], 'it changes nothing');
    await delivery.ack();
    await t.rejects(delivery.progress(1), { code: 'LEASE_LOST' });
  });

  test('a value that cannot be encoded is CODEC, one of more than 64 KiB RECORD_TOO_LARGE', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueue('a');
    const delivery = had(await queue.claim());
    for (const value of [undefined, 10n, () => 1])
      await t.rejects(delivery.progress(value), { code: 'CODEC' });
    await t.rejects(delivery.progress('x'.repeat(65 * 1024)), { code: 'RECORD_TOO_LARGE' });
    await delivery.progress(null);
    await delivery.ack();
  });
});
