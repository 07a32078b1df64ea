import { suite } from './suite.js';
import { aborted, had, untyped } from './values.js';

export const cancelling = suite('cancelling', (test) => {
  test('a claimed message: gone, its signal aborts wherever it is held, its ack resolves, the rest is LEASE_LOST', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    const [one, two] = (await queue.claimMany(2)).map((delivery) => had(delivery));
    const signals = [aborted(had(one).signal), aborted(had(two).signal)];
    t.same([await other.cancel(1), await other.cancel(2), await other.cancel(2)], [true, true, false]);
    await Promise.all(signals);
    await had(one).ack();
    for (const call of [
      () => had(two).nack(),
      () => had(two).extend(),
      () => had(two).reject('x'),
      () => had(two).progress(1),
    ])
      await t.rejects(call(), { code: 'LEASE_LOST' }, `${call}`);
    t.same([await queue.read(1), await queue.length(), (await queue.stats()).claimed], [undefined, 0, 0]);
  });

  test('a waiting, a delayed or a dead one is removed', async (t, place) => {
    const queue = await place.openQueue();
    await queue.enqueueMany(['a', 'b']);
    await queue.enqueue('later', { delayMs: 3_600_000 });
    t.same([await queue.cancel(2), await queue.cancel(3), await queue.cancel(4)], [true, true, false]);
    await had(await queue.claim()).reject();
    t.same([await queue.cancel(1), await queue.deadLetters.length()], [true, 0]);
    t.same([await queue.store.length(), await queue.length()], [0, 0]);
    for (const index of [undefined, 1.5, '1', null])
      await t.rejects(queue.cancel(untyped(index)), { code: 'INVALID_OPTION' }, `${index}`);
  });

  test('the handler’s signal aborts', async (t, place) => {
    const queue = await place.openQueue();
    const other = await place.openQueue();
    let began: (() => void) | undefined;
    const running = new Promise<void>((resolve) => {
      began = resolve;
    });
    const ended: string[] = [];
    const worker = queue.process(async (delivery) => {
      began?.();
      await aborted(delivery.signal);
      ended.push(delivery.value);
    });
    await queue.enqueue('a');
    await running;
    t.equal(await other.cancel(1), true);
    await place.until('the end of the handler', () => ended.length === 1);
    await worker.close();
    t.same([ended, await queue.store.length()], [['a'], 0]);
  });
});
