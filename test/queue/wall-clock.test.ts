import { MovedClock } from '../store/moved-clock.js';
import { onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const JUMPS = [YEAR_MS, -2 * YEAR_MS, DAY_MS, -DAY_MS, 1, -1];

onBothDisks('whatever the wall clock does, times of records never go back', async (t, world) => {
  const clock = new MovedClock();
  const other = new MovedClock();
  let queue = await world.openQueue<number>({ clock, maxFileSize: 600 });
  const begun = clock.now();
  let greatest = 0;
  const wanted: number[] = [];
  for (let n = 0; n < 24; n++) {
    // Two processes, whose clocks differ, and neither of which is right.
    other.setWall(clock.now() - 3_600_000);
    const another = n % 3 === 0 ? await world.openQueue<number>({ clock: other, maxFileSize: 600 }) : queue;
    await another.enqueue(n);
    greatest = Math.max(greatest, (another === queue ? clock : other).now());
    wanted.push(greatest);
    if (another !== queue) await another.close();
    clock.setWall(clock.now() + (JUMPS[n % JUMPS.length] ?? 0));
    if (n % 7 !== 6) continue;
    await queue.close();
    queue = await world.openQueue<number>({ clock, maxFileSize: 600 });
  }
  const entries = [];
  for await (const { index, time } of queue.store.entries()) entries.push([index, time.getTime()]);
  t.same(
    entries,
    wanted.map((time, n) => [n + 1, time]),
    'each the greatest that anybody had seen',
  );
  t.equal(await queue.length(), 24);
  clock.setWall(begun - YEAR_MS);
  t.equal((await queue.stats()).oldestAgeMs, 0, 'what is of the future is no older than now');
  t.same(await queue.flush(), [...wanted.keys()]);
});

onBothDisks('leases are as long as they are, whatever the wall clock does', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<string>({ clock, leaseMs: 10_000 });
  const other = await world.openQueue<string>({ clock, leaseMs: 10_000 });
  await queue.enqueueMany(['a', 'b', 'c']);
  const [a, b, c] = await queue.claimMany(3);
  t.notOk(b?.signal.aborted);
  for (const jump of JUMPS) {
    clock.setWall(clock.now() + jump);
    await settle();
    t.equal(await other.claim(), undefined, `${jump}: nobody has lost anything`);
    t.match(await other.stats(), { waiting: 0, claimed: 3 });
    t.notOk(b?.signal.aborted);
  }
  clock.advance(9_999);
  await a?.ack();
  t.equal(await other.claim(), undefined, 'to the last millisecond');
  await c?.extend(20_000);
  clock.setWall(clock.now() - YEAR_MS);
  clock.advance(1);
  await until('the lease has ended', () => b?.signal.aborted);
  await t.rejects(b?.ack() ?? Promise.resolve(), { code: 'LEASE_LOST' });
  t.match(await other.stats(), { waiting: 1, claimed: 1 });
  t.match(await other.claim(), { value: 'b', attempt: 2 });
  clock.setWall(clock.now() + 2 * YEAR_MS);
  await c?.ack();
  t.match(await queue.stats(), { waiting: 0, claimed: 1 });
});

onBothDisks('waits are as long as they are, whatever the wall clock does', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<string>({ clock, durability: 'written', syncIntervalMs: 60_000 });
  const ended: string[] = [];
  const dequeued = queue.dequeue({ waitMs: 5000 }).finally(() => ended.push('dequeue'));
  const followed = (async () => {
    const seen: number[] = [];
    for await (const { index } of queue.store.entries({ follow: true, waitMs: 7000 })) seen.push(index);
    return seen;
  })().finally(() => ended.push('follow'));
  await settle();
  for (const jump of JUMPS) {
    clock.setWall(clock.now() + jump);
    await settle();
    t.same(ended, [], `${jump}: both wait`);
  }
  clock.advance(4999);
  await settle();
  t.same(ended, []);
  clock.advance(1);
  t.equal(await dequeued, undefined);
  t.same(ended, ['dequeue']);
  clock.setWall(clock.now() - YEAR_MS);
  clock.advance(2000);
  t.same(await followed, []);

  await queue.enqueue('written');
  t.equal((await queue.store.stats()).syncedIndex, 0);
  clock.setWall(clock.now() - YEAR_MS);
  clock.advance(59_999);
  await settle();
  t.equal((await queue.store.stats()).syncedIndex, 0, 'not before its time');
  clock.advance(1);
  await until('it is synced in the background', async () => (await queue.store.stats()).syncedIndex === 1);
});
