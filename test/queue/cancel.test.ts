import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { onBothDisks } from '../store/world.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

onBothDisks(
  'a claimed message: its signal aborts, wherever it is; ack resolves, the rest is LEASE_LOST',
  async (t, world) => {
    const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
    await queue.enqueueMany([1, 2]);
    for (const [at, canceller] of [other, queue].entries()) {
      const delivery = await queue.claim();
      const { signal } = delivery ?? {};
      t.notOk(signal?.aborted);
      t.equal(await canceller.cancel(at + 1), true);
      await until('the signal', () => signal?.aborted === true);
      t.match(signal?.reason, { code: 'LEASE_LOST', message: /cancelled/ });
      for (const call of [
        () => delivery?.nack(),
        () => delivery?.extend(),
        () => delivery?.reject(),
        () => delivery?.progress(1),
      ])
        await t.rejects(async () => call(), { code: 'LEASE_LOST' });
      t.equal(await delivery?.ack(), undefined);
      t.equal(await queue.read(at + 1), undefined);
      t.equal(await canceller.cancel(at + 1), false, 'it is not there any more');
    }
    t.match(await other.stats(), { length: 0, claimed: 0, dead: 0 });
  },
);

onBothDisks('a waiting, a delayed and a dead one are gone; one that never was is false', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock });
  await queue.enqueueMany(range(1, 4));
  const [one, two] = await queue.claimMany(2);
  await one?.nack({ delayMs: 1000 });
  await two?.reject();
  t.match(await queue.stats(), { waiting: 2, delayed: 1, dead: 1 });
  for (const index of [1, 2, 3]) t.equal(await queue.cancel(index), true);
  for (const index of [1, 2, 3, 5, 0, -1]) t.equal(await queue.cancel(index), false);
  t.match(await queue.stats(), { waiting: 1, delayed: 0, dead: 0 });
  clock.advance(1000);
  t.same(await queue.flush(), [4]);
  for (const wrong of [1.5, Number.NaN, '1', undefined])
    await t.rejects(queue.cancel(wrong as number), { code: 'INVALID_OPTION' });
});

interface Outcome {
  readonly reason: string;
  readonly progress: string;
  readonly nack: string;
  readonly ack: string;
}
const isOutcome = (message: unknown): message is Outcome =>
  typeof message === 'object' && message !== null && 'reason' in message;

t.test('in another process, whose progress is heard here', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory });
  t.teardown(() => queue.close());
  await queue.enqueue('a');
  const heard: unknown[] = [];
  queue.on('progress', (event) => heard.push(event));
  const child = startProgram(t, 'test/queue/handler-child.js', {
    args: [JSON.stringify({ directory, options: { leaseMs: 600_000 } })],
  });
  await until('its progress', () => heard.length > 0, 60_000);
  t.same(heard, [{ index: 1, value: { by: child.pid, done: 1 } }]);
  t.match(await queue.stats(), { waiting: 0, claimed: 1 });
  t.equal(await queue.cancel(1), true);
  t.same(await child.message(isOutcome), {
    reason: 'LEASE_LOST',
    progress: 'LEASE_LOST',
    nack: 'LEASE_LOST',
    ack: 'done',
  });
  t.match(await child.ended(), { code: 0 });
  t.match(await queue.stats(), { length: 0, claimed: 0, dead: 0 });
});
