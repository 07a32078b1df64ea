import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { DeadLetter, Queue } from '../../src/mod.js';
import { MovedClock } from '../store/moved-clock.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

/** What is told of each dead letter, in order. */
export async function lettersOf<T>(queue: Queue<T>): Promise<DeadLetter<T>[]> {
  const letters: DeadLetter<T>[] = [];
  for await (const letter of queue.deadLetters.list()) letters.push(letter);
  return letters;
}

const told = async (queue: Queue<string>): Promise<unknown[]> =>
  (await lettersOf(queue)).map(({ index, reason, attempts, ...letter }) => [
    index,
    letter.value(),
    reason,
    attempts,
  ]);

onBothDisks('a nack at the last attempt is the death of it, with its reason', async (t, world) => {
  const clock = new MovedClock();
  const options = { clock, maxAttempts: 3, leaseMs: 1000, backoff: { initialMs: 50, jitter: false } };
  const [queue, other] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
  await queue.enqueueMany(['a', 'b']);
  const begun = clock.now();
  for (const attempt of [1, 2, 3]) {
    const delivery = await queue.claim();
    t.match(delivery, { value: 'a', attempt });
    await delivery?.nack({ reason: `no ${attempt}` });
    clock.advance(100);
  }
  for (const one of [queue, other]) {
    t.match(await one.stats(), { waiting: 1, delayed: 0, claimed: 0, dead: 1, length: 2 });
    t.equal(await one.length(), 1);
    t.same(await told(one), [[1, 'a', 'no 3', 3]]);
    const [letter] = await lettersOf(one);
    t.equal(letter?.firstFailedAt.getTime(), begun);
    t.equal(letter?.lastFailedAt.getTime(), begun + 200);
    t.equal(await one.read(1), 'a', 'it keeps its index');
  }
  t.equal((await queue.claim())?.value, 'b');
});

onBothDisks('a last lease that ends: whoever looks next buries it', async (t, world) => {
  const clock = new MovedClock();
  const options = { clock, maxAttempts: 1, leaseMs: 1000 };
  const [queue, other] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
  await queue.enqueueMany(['a', 'b', 'c', 'd', 'e']);
  const looks: (() => Promise<unknown>)[] = [
    async () => t.equal(await other.length(), 4),
    async () => t.match(await other.stats(), { waiting: 3, dead: 2 }),
    async () => t.equal(await other.deadLetters.length(), 3),
    async () => t.same(await other.peekMany(9), ['e']),
    async () => t.equal(await other.claim(), undefined),
  ];
  for (const look of looks) {
    const delivery = await queue.claim();
    clock.advance(1000);
    await look();
    await t.rejects(async () => delivery?.ack(), { code: 'LEASE_LOST' });
  }
  t.same(
    await told(queue),
    ['a', 'b', 'c', 'd', 'e'].map((value, at) => [at + 1, value, 'the lease ended', 1]),
  );
});

onBothDisks('dequeue takes no message that is spent', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<string>({ clock, maxAttempts: 1, leaseMs: 1000 });
  await queue.enqueueMany(['a', 'b', 'c']);
  await queue.claimMany(2);
  clock.advance(1000);
  t.equal(await queue.dequeue(), 'c');
  t.equal(await queue.dequeue(), undefined);
  t.equal(await queue.deadLetters.length(), 2);
});

onBothDisks('who waits is not given what is spent, and buries it', async (t, world) => {
  const clock = new MovedClock();
  const options = { clock, maxAttempts: 1, leaseMs: 1000 };
  const [queue, other] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
  await queue.enqueue('a');
  await queue.claim();
  const heard: unknown[] = [];
  other.on('dead', (event) => heard.push(event));
  const waiting = other.dequeue({ waitMs: Number.POSITIVE_INFINITY });
  await settle();
  clock.advance(1000);
  await until('the death', () => heard.length > 0);
  await queue.enqueue('b');
  t.equal(await waiting, 'b');
  t.same(heard, [{ index: 1, reason: 'the lease ended' }]);
});

onBothDisks('what is held for the last time when its queue is closed is dead', async (t, world) => {
  const options = { maxAttempts: 1 };
  const [queue, other] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
  await queue.enqueueMany(['a', 'b']);
  await queue.claim();
  await queue.close();
  t.same(await told(other), [[1, 'a', 'the queue was closed', 1]]);
  t.equal(await other.dequeue(), 'b');
});

t.test('what a killed holder had for the last time is dead, and the rest comes again', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const clock = new MovedClock();
  const options = { directory: world.directory, clock, maxAttempts: 2 };
  const victim = machine.opener();
  const { openQueueOn } = await import('../../src/queue/queue.js');
  const doomed = await openQueueOn<string>(victim, options);
  const queue = await world.openQueue<string>(options);
  await queue.enqueueMany(['a', 'b']);
  await (await doomed.claim())?.nack();
  const begun = clock.now();
  t.same(
    (await doomed.claimMany(2)).map(({ value, attempt }) => [value, attempt]),
    [
      ['a', 2],
      ['b', 1],
    ],
  );
  machine.kill(victim);
  clock.advance(100);
  t.equal(await queue.length(), 1);
  t.same(await told(queue), [[1, 'a', 'the consumer died', 2]]);
  const [letter] = await lettersOf(queue);
  t.equal(letter?.firstFailedAt.getTime(), begun, 'it failed first when it was given back');
  t.match(await queue.claim(), { value: 'b', attempt: 2 });
});

onBothDisks('each opener judges by its own maxAttempts', async (t, world) => {
  const clock = new MovedClock();
  const patient = await world.openQueue<string>({ clock, maxAttempts: 100 });
  const strict = await world.openQueue<string>({ clock, maxAttempts: 2 });
  await patient.enqueueMany(['a', 'b']);
  for (let n = 1; n <= 3; n++) await (await patient.claim())?.nack();
  t.match(await patient.stats(), { waiting: 2, dead: 0 });
  t.match(await strict.stats(), { waiting: 1, dead: 1 });
  t.match(await patient.stats(), { waiting: 1, dead: 1 }, 'what one has given up is given up');
  t.same(await told(patient), [[1, 'a', 'its last attempt failed', 3]]);
});

onBothDisks(
  'a value that cannot be decoded: each claim is an attempt, the last one its death',
  async (t, world) => {
    const [raw, queue] = [
      await world.openQueue<Uint8Array>({ codec: 'bytes' }),
      await world.openQueue<string>({ maxAttempts: 3 }),
    ];
    await raw.enqueue(Buffer.from('?'));
    await queue.enqueue('b');
    await t.rejects(queue.dequeue(), { code: 'CODEC', index: 1 }, 'no attempt, and it stays');
    for (let n = 1; n <= 2; n++) {
      await t.rejects(queue.claim(), { code: 'CODEC', index: 1, message: /stays where it is/ });
      t.match(await raw.stats(), { waiting: 2, dead: 0 });
    }
    await t.rejects(queue.claim(), {
      code: 'CODEC',
      index: 1,
      message: /claimed 3 times.*among the dead letters now/,
    });
    t.match(await raw.stats(), { waiting: 1, dead: 1 });
    t.equal((await queue.claim())?.value, 'b', 'nobody is kept from what stands behind it');
    const [letter] = await lettersOf(queue);
    t.match(letter, { index: 1, attempts: 3, reason: /codec 'bytes'/ });
    t.throws(() => letter?.value(), { code: 'CODEC', index: 1 });
    t.equal(Buffer.from(letter?.data ?? []).toString(), '?');
    t.equal(Buffer.from((await lettersOf(raw))[0]?.value() ?? []).toString(), '?');
  },
);

onBothDisks('a requeued message has all its attempts again', async (t, world) => {
  const queue = await world.openQueue<string>({ maxAttempts: 2 });
  await queue.enqueueMany(['a', 'b']);
  await (await queue.claim())?.reject();
  t.equal(await queue.deadLetters.requeue(1), 1);
  for (const attempt of [1, 2]) {
    const delivery = await queue.claim();
    t.match(delivery, { value: 'a', attempt }, 'at its place');
    await delivery?.nack();
  }
  t.match(await queue.stats(), { waiting: 1, dead: 1 });
});
