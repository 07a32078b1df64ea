import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, type Operation, onKind, onPath } from '../../src/disk/memory-fault.js';
import type { DeadLetter, Queue } from '../../src/mod.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

async function listed<T>(
  queue: Queue<T>,
  options?: { from?: number; limit?: number },
): Promise<DeadLetter<T>[]> {
  const letters: DeadLetter<T>[] = [];
  for await (const letter of queue.deadLetters.list(options)) letters.push(letter);
  return letters;
}

const indexes = async <T>(queue: Queue<T>, options?: { from?: number; limit?: number }): Promise<number[]> =>
  (await listed(queue, options)).map(({ index }) => index);

/** Rejects those, in that order. */
async function kill(queue: Queue<number>, dead: readonly number[]): Promise<void> {
  const deliveries = await queue.claimMany(Number.POSITIVE_INFINITY);
  for (const index of dead) await deliveries.find((one) => one.index === index)?.reject(`no ${index}`);
  for (const one of deliveries) if (!dead.includes(one.index)) await one.nack();
}

onBothDisks('reject: dead at once, whatever attempts are left', async (t, world) => {
  const clock = new MovedClock();
  const [queue, other] = [await world.openQueue<number>({ clock }), await world.openQueue<number>({ clock })];
  await queue.enqueue(7, { headers: { kind: 'order' } });
  const [delivery] = await queue.claimMany(1);
  t.equal(await delivery?.reject('broken'), undefined);
  for (const one of [queue, other]) {
    const [letter] = await listed(one);
    t.same(
      { ...letter, value: letter?.value(), data: Buffer.from(letter?.data ?? []).toString() },
      {
        index: 1,
        value: 7,
        data: '7',
        headers: { kind: 'order' },
        reason: 'broken',
        attempts: 1,
        firstFailedAt: new Date(clock.now()),
        lastFailedAt: new Date(clock.now()),
      },
    );
    t.equal(await one.read(1), 7);
    t.equal(await one.length(), 0);
    t.match(await one.stats(), { waiting: 0, claimed: 0, delayed: 0, dead: 1, length: 1 });
    t.equal(await one.claim(), undefined);
  }
  for (const call of [
    () => delivery?.ack(),
    () => delivery?.nack(),
    () => delivery?.extend(),
    () => delivery?.reject(),
    () => delivery?.progress(1),
  ])
    await t.rejects(async () => call(), { code: 'LEASE_LOST' }, 'once');
  t.equal(await queue.deadLetters.purge(1), 1);
  await t.rejects(async () => delivery?.ack(), { code: 'LEASE_LOST' }, 'not ours to end, purged or not');
});

onBothDisks('a default reason; a long one is cut; a wrong one is INVALID_OPTION', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany(range(1, 3));
  const [one, two, three] = await queue.claimMany(3);
  await one?.reject();
  await two?.reject('ä'.repeat(501));
  await t.rejects(async () => three?.reject(3 as unknown as string), { code: 'INVALID_OPTION' });
  t.same(
    (await listed(queue)).map(({ reason }) => reason),
    ['rejected', 'ä'.repeat(500)],
  );
});

onBothDisks(
  'list: by index, from one on, so many; what is not dead any more is left out',
  async (t, world) => {
    const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
    await queue.enqueueMany(range(1, 8));
    await kill(queue, [7, 2, 5, 3]);
    t.same(await indexes(other), [2, 3, 5, 7]);
    t.same(await indexes(other, { from: 3 }), [3, 5, 7], 'from is inclusive');
    t.same(await indexes(other, { from: 4, limit: 1 }), [5]);
    t.same(await indexes(other, { limit: 2 }), [2, 3]);
    t.same(await indexes(other, { limit: 0 }), []);
    t.same(await indexes(other, { limit: Number.POSITIVE_INFINITY }), [2, 3, 5, 7]);
    t.same(await indexes(other, { from: 8 }), []);
    const seen: number[] = [];
    for await (const { index } of other.deadLetters.list()) {
      seen.push(index);
      if (index === 2) await queue.deadLetters.requeue(3);
      if (index === 5) await queue.deadLetters.purge(7);
    }
    t.same(seen, [2, 5]);
    for (const wrong of [{ from: 0 }, { from: 1.5 }, { limit: -1 }, { form: 1 }])
      await t.rejects(indexes(other, wrong as object), { code: 'INVALID_OPTION' });
  },
);

onBothDisks('requeue: one or all, at their places, with no attempts counted', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany(range(1, 6));
  await kill(queue, [1, 3, 5]);
  t.same(await other.peekMany(9), [2, 4, 6]);
  t.equal(await other.deadLetters.requeue(3), 1);
  t.equal(await queue.deadLetters.requeue(3), 0, 'it is not dead');
  t.equal(await queue.deadLetters.requeue(99), 0, 'it never was');
  t.same(await queue.peekMany(9), [2, 3, 4, 6]);
  t.equal(await queue.deadLetters.requeue(), 2);
  t.equal(await queue.deadLetters.requeue(), 0);
  t.same(
    (await other.claimMany(9)).map(({ value, attempt }) => [value, attempt]),
    [
      [1, 1],
      [2, 2],
      [3, 1],
      [4, 2],
      [5, 1],
      [6, 2],
    ],
  );
  await t.rejects(queue.deadLetters.requeue(1.5), { code: 'INVALID_OPTION' });
});

onBothDisks('who waits gets what is requeued by another', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueue(1);
  await kill(queue, [1]);
  const waiting = other.dequeue({ waitMs: Number.POSITIVE_INFINITY });
  await settle();
  await queue.deadLetters.requeue();
  t.equal(await waiting, 1);
});

onBothDisks('purge: one or all; they are gone, and their files', async (t, world) => {
  const queue = await world.openQueue<number>({ maxFileSize: 256 });
  for (const n of range(1, 30)) await queue.enqueue(n);
  await kill(queue, range(1, 29));
  t.equal(await queue.dequeue(), 30);
  t.equal(await queue.deadLetters.purge(7), 1);
  t.equal(await queue.deadLetters.purge(7), 0);
  t.equal(await queue.deadLetters.purge(30), 0, 'gone is not dead');
  t.equal(await queue.read(7), undefined);
  t.equal(await queue.deadLetters.length(), 28);
  t.ok(world.files(/\.dat$/).length > 3);
  t.match((await queue.stats()).pinnedBy[0], { index: 1, why: 'dead' });
  t.equal(await queue.deadLetters.purge(), 28);
  await until('the files to go', () => world.files(/\.dat$/).length === 1);
  t.match(await queue.stats(), { length: 0, dead: 0, pinnedBy: [] });
  await t.rejects(queue.deadLetters.purge(Number.NaN), { code: 'INVALID_OPTION' });
});

onBothDisks('what keeps a file is told: delayed, dead', async (t, world) => {
  const queue = await world.openQueue<number>({ maxFileSize: 256 });
  for (const n of range(1, 20)) await queue.enqueue(n);
  await (await queue.claim())?.nack({ delayMs: 1_000_000 });
  t.match((await queue.stats()).pinnedBy[0], { index: 1, why: 'delayed' });
  const next = await queue.claim();
  await queue.delete(1);
  t.match((await queue.stats()).pinnedBy[0], { index: 2, why: 'claimed' });
  await next?.reject();
  t.match((await queue.stats()).pinnedBy[0], { index: 2, why: 'dead' });
});

onBothDisks('clear and flush leave dead letters; delete, cancel and prune do not', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany(range(1, 12));
  await kill(queue, [2, 3, 5, 7, 11]);
  t.same(await queue.flush(), [1, 4, 6, 8, 9, 10, 12]);
  await queue.enqueueMany(range(13, 16));
  await (await queue.claim())?.nack({ delayMs: 1_000_000 });
  await queue.claim();
  t.equal(await other.clear(), 4, 'delayed and claimed ones, too');
  t.equal(await other.clear(), 0);
  t.match(await queue.stats(), { length: 5, waiting: 0, delayed: 0, claimed: 0, dead: 5 });
  t.same(await indexes(queue), [2, 3, 5, 7, 11]);
  t.equal(await queue.delete([2, 99]), 1);
  t.equal(await queue.cancel(3), true);
  t.same(await indexes(other), [5, 7, 11]);
  await other.store.prune(8);
  t.same(await indexes(queue), [11]);
  t.equal(await queue.deadLetters.requeue(5), 0);
  await queue.store.prune();
  t.equal(await other.deadLetters.length(), 0);
});

onBothDisks('beyond maxCount the oldest are purged, by when they failed last', async (t, world) => {
  const clock = new MovedClock();
  const options = { clock, deadLetters: { maxCount: 3 } };
  const queue = await world.openQueue<number>(options);
  await queue.enqueueMany(range(1, 9));
  const deliveries = await queue.claimMany(9);
  for (const [n, wanted] of [
    [5, [5]],
    [2, [2, 5]],
    [9, [2, 5, 9]],
    [1, [1, 2, 9]],
    [7, [1, 7, 9]],
  ] as const) {
    clock.advance(10);
    await deliveries[n - 1]?.reject();
    t.same(await indexes(queue), wanted, `${n} died`);
    t.equal(await queue.deadLetters.length(), wanted.length);
  }
  t.equal(await queue.read(5), undefined);
  await queue.close();
  const strict = await world.openQueue<number>({ clock, deadLetters: { maxCount: 1 } });
  t.same(await indexes(strict), [7], 'on opening');
  await strict.close();
  const none = await world.openQueue<number>({ clock, deadLetters: { maxCount: 0 } });
  t.equal(await none.store.length(), 4, 'those that close freed');
  const heard: unknown[] = [];
  none.on('dead', ({ index }) => heard.push(index));
  await (await none.claim())?.reject();
  t.equal(await none.deadLetters.length(), 0);
  await until('the event', () => heard.length > 0);
  t.same(heard, [3], 'it died, and was purged at once');
});

onBothDisks('those that die together: the lowest is the oldest', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({
    clock,
    maxAttempts: 1,
    leaseMs: 1000,
    deadLetters: { maxCount: 2 },
  });
  await queue.enqueueMany(range(1, 6));
  await queue.claimMany(5);
  clock.advance(1000);
  t.equal(await queue.length(), 1);
  t.same(await indexes(queue), [4, 5]);
});

onBothDisks(
  'beyond maxAgeMs they are purged: when somebody looks, when another dies, on opening',
  async (t, world) => {
    const clock = new MovedClock();
    const options = { clock, deadLetters: { maxAgeMs: 1000 }, indexer: false } as const;
    const queue = await world.openQueue<number>(options);
    await queue.enqueueMany(range(1, 9));
    const deliveries = await queue.claimMany(9);
    await deliveries[0]?.reject();
    clock.advance(500);
    await deliveries[1]?.reject();
    t.same(await indexes(queue), [1, 2]);
    clock.advance(499);
    t.same(await indexes(queue), [1, 2]);
    clock.advance(1);
    t.same(await indexes(queue), [2]);
    clock.advance(500);
    await deliveries[2]?.reject();
    t.same(await indexes(queue), [3]);
    await queue.close();
    clock.advance(1000);
    const store = await world.openStore({ clock });
    t.equal(await store.length(), 7, 'a store has no bounds for them');
    await store.close();
    await world.openQueue<number>(options);
    const other = await world.openStore({ clock });
    t.equal(await other.length(), 6);
  },
);

onBothDisks('… and by a timer, while nobody looks', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({
    clock,
    deadLetters: { maxAgeMs: 3_600_000 },
    indexer: false,
  });
  const store = await world.openStore({ clock });
  await queue.enqueueMany([1, 2]);
  await (await queue.claim())?.reject();
  clock.advance(1_800_000);
  await settle();
  await (await queue.claim())?.reject();
  clock.advance(1_799_999);
  await settle();
  t.equal(await store.length(), 2);
  clock.advance(1);
  await until('the first to go', async () => (await store.length()) === 1);
  clock.advance(1_800_000);
  await until('the second to go', async () => (await store.length()) === 0);
});

onBothDisks('a wall clock that was set ahead is seen within a minute', async (_, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock, deadLetters: { maxAgeMs: 1e9 }, indexer: false });
  const store = await world.openStore({ clock });
  await queue.enqueue(1);
  await (await queue.claim())?.reject();
  clock.setWall(clock.now() + 1e9);
  clock.advance(60_000);
  await until('it to go', async () => (await store.length()) === 0);
});

t.test('a purge that fails is tried again after a minute, and not all the time', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock, deadLetters: { maxAgeMs: 1000 }, indexer: false });
  const store = await world.openStore({ clock });
  await queue.enqueue(1);
  await (await queue.claim())?.reject();
  let refused = 0;
  const fault = inject({ error: 'ENOSPC' }, onKind('write'), onPath(/fate/));
  machine.onOperation = (operation: Operation) => {
    const refusal = fault(operation);
    if (refusal !== undefined) refused += 1;
    return refusal;
  };
  clock.advance(1000);
  await until('the first try', () => refused > 0);
  await settle(50);
  const tries = refused;
  await settle(50);
  t.equal(refused, tries);
  machine.onOperation = undefined;
  t.equal(await store.length(), 1);
  clock.advance(60_000);
  await until('it to go', async () => (await store.length()) === 0);
});

onBothDisks('a dead letter outlives everybody who knew of it', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock });
  await queue.enqueueMany(range(1, 3));
  await kill(queue, [2]);
  const before = JSON.stringify(await listed(queue));
  await queue.close();
  clock.advance(10_000);
  const next = await world.openQueue<number>({ clock });
  t.equal(JSON.stringify(await listed(next)), before);
  t.same(await next.flush(), [1, 3]);
});

onBothDisks('after close all of it is CLOSED', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2]);
  await kill(queue, [1, 2]);
  const { deadLetters } = queue;
  const list = deadLetters.list();
  t.equal((await list.next()).value?.index, 1);
  await queue.close();
  await t.rejects(list.next(), { code: 'CLOSED' });
  await t.rejects(deadLetters.list().next(), { code: 'CLOSED' });
  const calls: (() => Promise<unknown>)[] = [
    () => deadLetters.length(),
    () => deadLetters.requeue(),
    () => deadLetters.purge(),
    () => queue.cancel(1),
  ];
  for (const call of calls) await t.rejects(call(), { code: 'CLOSED' });
});

t.test(
  'reject, requeue, purge and cancel are on the device when they resolve; nack and progress are not waited for',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const queue = await world.openQueue<number>({ maxAttempts: 2 });
    await queue.enqueueMany(range(1, 5));
    let syncs = 0;
    machine.onOperation = (operation: Operation) => {
      if (operation.kind === 'sync') syncs += 1;
      return undefined;
    };
    const [one, two, three] = await queue.claimMany(3);
    const counted = async (call: () => Promise<unknown> | undefined): Promise<number> => {
      const before = syncs;
      await call();
      return syncs - before;
    };
    t.equal(await counted(() => three?.progress(1)), 0);
    t.equal(await counted(() => three?.nack({ delayMs: 1 })), 0);
    t.ok((await counted(() => one?.reject())) > 0, 'reject');
    t.ok((await counted(() => queue.deadLetters.requeue(1))) > 0, 'requeue');
    t.ok((await counted(() => queue.cancel(2))) > 0, 'cancel');
    t.equal(await counted(() => two?.ack()), 0);
    await kill(queue, [1]);
    t.ok((await counted(() => queue.deadLetters.purge(1))) > 0, 'purge');
    machine.onOperation = undefined;
  },
);
