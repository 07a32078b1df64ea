import t from 'tap';
import { backoffMs } from '../../src/queue/backoff.js';
import { MovedClock } from '../store/moved-clock.js';
import { onBothDisks } from '../store/world.js';
import { random } from '../support/random.js';
import { settle } from './settle.js';

const plain = { initialMs: 100, factor: 2, maxMs: 1000, jitter: false };

t.test('it doubles after each failure, up to the most', async (t) => {
  const waits = [1, 2, 3, 4, 5, 6, 100, 10_000, 2 ** 32 - 1].map((attempt) => backoffMs(plain, attempt));
  t.same(waits, [100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000]);
  t.same(
    [1, 2, 3].map((attempt) => backoffMs({ ...plain, factor: 1 }, attempt)),
    [100, 100, 100],
  );
  t.same(
    [1, 2, 3].map((attempt) => backoffMs({ ...plain, factor: 1.5, maxMs: 1e9 }, attempt)),
    [100, 150, 225],
  );
  t.equal(backoffMs({ ...plain, initialMs: 5000 }, 1), 1000, 'never more than the most');
  t.equal(backoffMs({ ...plain, initialMs: 0 }, 2 ** 32 - 1), 0, 'nothing stays nothing');
});

t.test('jitter takes off up to half, evenly', async (t) => {
  const jittered = { ...plain, jitter: true };
  t.equal(
    backoffMs(jittered, 2, () => 0),
    200,
  );
  t.equal(
    backoffMs(jittered, 2, () => 1),
    100,
  );
  t.equal(
    backoffMs(jittered, 2, () => 0.5),
    150,
  );
  const { next } = random(t);
  const waits = Array.from({ length: 10_000 }, () => backoffMs({ ...jittered, maxMs: 1e6 }, 4, next));
  t.ok(waits.every((wait) => wait >= 400 && wait <= 800));
  const quarters = [0, 1, 2, 3].map((n) =>
    waits.filter((w) => Math.min(3, Math.floor((w - 400) / 100)) === n),
  );
  t.ok(
    quarters.every(({ length }) => length > 2200 && length < 2800),
    `${quarters.map(({ length }) => length)}`,
  );
});

onBothDisks(
  'what is given back waits as long as the backoff says, and comes back at its place',
  async (t, world) => {
    const clock = new MovedClock();
    const options = { clock, backoff: plain, leaseMs: 100_000 };
    const [queue, other] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
    await queue.enqueueMany(['a', 'b', 'c']);
    for (const wait of [100, 200, 400, 800]) {
      const a = await queue.claim();
      t.equal(a?.value, 'a');
      await a?.nack();
      for (const one of [queue, other]) {
        t.match(await one.stats(), { waiting: 2, delayed: 1, claimed: 0, dead: 0 });
        t.same(await one.peekMany(5), ['b', 'c']);
      }
      clock.advance(wait - 1);
      t.same(await other.peekMany(5), ['b', 'c'], `not before ${wait}`);
      clock.advance(1);
      t.same(await other.peekMany(5), ['a', 'b', 'c'], `after ${wait}, before those behind it`);
      t.match(await queue.stats(), { waiting: 3, delayed: 0 });
    }
  },
);

onBothDisks("nack's own delay goes before the backoff, also none", async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<string>({ clock, backoff: plain, leaseMs: 100_000 });
  await queue.enqueue('a');
  await (await queue.claim())?.nack({ delayMs: 5000 });
  clock.advance(4999);
  t.equal(await queue.length(), 0);
  clock.advance(1);
  await (await queue.claim())?.nack({ delayMs: 0 });
  t.equal(await queue.length(), 1, 'at once');
});

onBothDisks('an ended lease and a closed holder are no reason to wait', async (t, world) => {
  const clock = new MovedClock();
  const options = { clock, backoff: plain, leaseMs: 1000 };
  const [queue, other] = [await world.openQueue<string>(options), await world.openQueue<string>(options)];
  await queue.enqueue('a');
  await queue.claim();
  clock.advance(1000);
  t.equal((await queue.claim())?.attempt, 2);
  await queue.close();
  t.equal((await other.claim())?.attempt, 3);
});

onBothDisks('who waits gets what is due, in every opener, and without any other change', async (t, world) => {
  const clock = new MovedClock();
  const [queue, other] = [
    await world.openQueue<string>({ clock, leaseMs: 100_000 }),
    await world.openQueue<string>({ clock }),
  ];
  await queue.enqueue('a');
  await (await queue.claim())?.nack({ delayMs: 2500 });
  const waiting = other.claim({ waitMs: Number.POSITIVE_INFINITY });
  let isThere = false;
  void waiting.then(() => {
    isThere = true;
  });
  for (let waited = 0; waited < 2400; waited += 100) {
    await settle();
    t.notOk(isThere, `after ${waited} ms`);
    clock.advance(100);
  }
  clock.advance(100);
  t.equal((await waiting)?.attempt, 2);
});

onBothDisks('the wall clock may jump: who waits looks at it once a second', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<string>({ clock, indexer: false, leaseMs: 100_000 });
  await queue.enqueue('a');
  const dayMs = 86_400_000;
  await (await queue.claim())?.nack({ delayMs: 365 * dayMs });
  const waiting = queue.claim({ waitMs: Number.POSITIVE_INFINITY });
  await settle();
  clock.setWall(clock.now() + 365 * dayMs);
  await settle();
  clock.advance(1000);
  t.equal((await waiting)?.attempt, 2);
  await (await waiting)?.nack({ delayMs: dayMs });
  clock.setWall(clock.now() - 365 * dayMs);
  t.match(await queue.stats(), { waiting: 0, delayed: 1 }, 'set back, it waits for longer');
  clock.setWall(clock.now() + 366 * dayMs);
  t.match(await queue.stats(), { waiting: 1, delayed: 0 });
});

onBothDisks('a delay outlives everybody who knew of it', async (t, world) => {
  const clock = new MovedClock();
  const options = { clock, leaseMs: 100_000 };
  const queue = await world.openQueue<string>(options);
  await queue.enqueueMany(['a', 'b']);
  await (await queue.claim())?.nack({ delayMs: 5000 });
  await queue.close();
  const next = await world.openQueue<string>(options);
  t.match(await next.stats(), { waiting: 1, delayed: 1 });
  t.same(await next.peekMany(5), ['b']);
  clock.advance(5000);
  t.same(await next.peekMany(5), ['a', 'b']);
});
