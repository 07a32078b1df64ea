import t from 'tap';
import type { DeadLetter, Delivery, Queue } from '../../src/mod.js';
import { threadHandler } from '../../src/threads/mod.js';
import { onBothDisks, osWorld } from '../store/world.js';
import { until } from '../support/until.js';
import { errorsOf, Gates, noneUnhandled } from './gates.js';
import { settle } from './settle.js';

async function lettersOf<T>(queue: Queue<T>): Promise<DeadLetter<T>[]> {
  const letters: DeadLetter<T>[] = [];
  for await (const letter of queue.deadLetters.list()) letters.push(letter);
  return letters;
}

onBothDisks(
  'what fails at its last attempt is dead, and what it failed of is to be read',
  async (t, world) => {
    noneUnhandled(t);
    const queue = await world.openQueue<string>({ maxAttempts: 3 });
    const errors = errorsOf(queue as never);
    await queue.enqueueMany(['throws', 'rejects', 'works']);
    const attempts: Record<string, number> = {};
    const deeds: Record<string, (delivery: Delivery<string>) => unknown> = {
      throws: ({ attempt }) => {
        throw new Error(`no ${attempt}`);
      },
      rejects: (delivery) => delivery.reject('not for me'),
      works: () => {},
    };
    const worker = queue.process((delivery) => {
      attempts[delivery.value] = delivery.attempt;
      return deeds[delivery.value]?.(delivery);
    });
    await until('one is done', () => worker.stats().done === 1);
    await worker.close();
    t.same(worker.stats(), { running: 0, done: 1, failed: 4, paused: false });
    t.same(attempts, { throws: 3, rejects: 1, works: 1 });
    t.same(
      (await lettersOf(queue)).map((letter) => [letter.value(), letter.reason, letter.attempts]),
      [
        ['throws', 'no 3', 3],
        ['rejects', 'not for me', 1],
      ],
    );
    t.same(errors, []);
  },
);

onBothDisks('what times out at its last attempt is dead, for that reason', async (t, world) => {
  noneUnhandled(t);
  const queue = await world.openQueue<string>({ maxAttempts: 2 });
  await queue.enqueue('slow');
  const gates = new Gates<string>();
  const worker = queue.process(gates.handler, { timeoutMs: 20 });
  await until('it is dead', async () => (await queue.deadLetters.length()) === 1);
  await worker.close();
  t.equal(gates.begun.length, 2);
  t.match(await lettersOf(queue), [{ reason: 'timed out after 20 ms', attempts: 2 }]);
  gates.openAll();
  await settle();
  t.equal(await queue.deadLetters.length(), 1, 'the end of its handler changes nothing');
});

onBothDisks('the time of the backoff passes before the next attempt', async (t, world) => {
  const queue = await world.openQueue<string>({ backoff: { initialMs: 80, jitter: false } });
  await queue.enqueueMany(['a', 'b']);
  const seen: [string, number, number][] = [];
  const worker = queue.process(({ value, attempt }) => {
    seen.push([value, attempt, performance.now()]);
    if (value === 'a' && attempt < 3) throw new Error('again');
  });
  await until('both are done', () => worker.stats().done === 2);
  await worker.close();
  t.same(
    seen.map(([value, attempt]) => [value, attempt]),
    [
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['a', 3],
    ],
  );
  const [first = 0, second = 0, third = 0] = seen.filter(([value]) => value === 'a').map(([, , at]) => at);
  t.ok(second - first >= 75, `${second - first} ms`);
  t.ok(third - second >= 155, `${third - second} ms`);
});

onBothDisks('who is cancelled is told by its signal, and that is no error', async (t, world) => {
  noneUnhandled(t);
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  const errors = errorsOf(queue as never);
  const index = await queue.enqueue('unwanted');
  await queue.enqueue('next');
  const gates = new Gates<string>();
  const worker = queue.process(async (delivery) => {
    const { signal } = delivery;
    signal.addEventListener('abort', () => gates.fail(0, signal.reason), { once: true });
    await gates.handler(delivery);
  });
  await until('it has begun', () => gates.begun.length === 1);
  t.equal(await other.cancel(index), true);
  await until('the next has begun', () => gates.begun.length === 2);
  gates.open(1);
  await worker.close();
  t.same(worker.stats(), { running: 0, done: 1, failed: 1, paused: false });
  await settle();
  t.same(errors, []);
  t.equal(await queue.deadLetters.length(), 0);
  t.equal(await queue.store.length(), 0);
});

onBothDisks("a handler's progress is seen by others", async (t, world) => {
  const [queue, other] = [await world.openQueue<string>(), await world.openQueue<string>()];
  const seen: unknown[] = [];
  other.on('progress', (progress) => seen.push(progress));
  const index = await queue.enqueue('long');
  const worker = queue.process(async (delivery) => {
    await delivery.progress({ percent: 50 });
    await until('it is seen', () => seen.length > 0);
  });
  await until('it is done', () => worker.stats().done === 1);
  await worker.close();
  t.same(seen, [{ index, value: { percent: 50 } }]);
});

t.test('threads tell progress to every process', async (t) => {
  const world = await osWorld(t);
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const seen: unknown[] = [];
  other.on('progress', (progress) => seen.push(progress));
  const index = await queue.enqueue(1);
  await using handler = threadHandler<number>(new URL('../threads/work.js', import.meta.url), {
    name: 'echo',
    threads: 1,
  });
  const worker = queue.process(handler);
  await until('it is done', () => worker.stats().done === 1, 30_000);
  await until('it is seen', () => seen.length === 1);
  await worker.close();
  t.match(seen, [{ index, value: { value: 1, index, attempt: 1, isThread: true } }]);
});
