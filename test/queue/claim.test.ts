import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openEngine } from '../store/engines.js';
import { MovedClock } from '../store/moved-clock.js';
import { fileOf, range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { settle } from './settle.js';

onBothDisks('a claim carries value, index and attempt, and hides the message', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueueMany(['a', 'b']);
  const delivery = await queue.claim();
  t.equal(delivery?.value, 'a');
  t.equal(delivery?.index, 1);
  t.equal(delivery?.attempt, 1);
  t.equal(delivery?.signal.aborted, false);
  t.equal(await queue.length(), 1);
  t.equal(await queue.peek(), 'b');
  t.equal((await queue.claim())?.value, 'b');
  t.equal(await queue.claim(), undefined);
  t.equal(await queue.dequeue(), undefined);
  t.equal(await queue.read(1), 'a', 'by index it is still there');
});

onBothDisks('ack: the message is gone', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany([1, 2]);
  const delivery = await queue.claim();
  t.equal(await delivery?.ack(), undefined);
  t.equal(await other.read(1), undefined);
  t.equal(await other.length(), 1);
  t.equal(await delivery?.ack(), undefined, 'again, while the lease would run: done is done');
  await t.rejects(async () => delivery?.nack(), { code: 'LEASE_LOST' });
  await t.rejects(async () => delivery?.extend(), { code: 'LEASE_LOST' });
});

onBothDisks('nack: the message is back at its place, its attempts counted', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany(range(1, 3));
  const [one, two] = await queue.claimMany(2);
  t.equal(await one?.nack({ reason: 'not today' }), undefined);
  t.same(await other.peekMany(5), [1, 3]);
  const again = await other.claim();
  t.equal(again?.value, 1);
  t.equal(again?.attempt, 2);
  await two?.nack();
  t.equal((await queue.claim())?.attempt, 2);
  for (const call of [() => one?.ack(), () => one?.nack(), () => one?.extend()])
    await t.rejects(async () => call(), { code: 'LEASE_LOST' }, 'it is in other hands now');
  await again?.ack();
  t.equal(await other.read(1), undefined);
});

onBothDisks('nack refuses what it cannot do', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueue(1);
  const delivery = await queue.claim();
  await t.rejects(async () => delivery?.nack({ delayMs: -1 }), { code: 'INVALID_OPTION' });
  await t.rejects(async () => delivery?.nack({ delayMs: 1.5 }), { code: 'INVALID_OPTION' });
  await t.rejects(async () => delivery?.nack({ reason: 1 } as object), { code: 'INVALID_OPTION' });
  await t.rejects(async () => delivery?.nack(null as unknown as object), { code: 'INVALID_OPTION' });
  await t.rejects(async () => delivery?.nack({ delay: 1 } as object), { code: 'INVALID_OPTION' });
  await t.rejects(async () => delivery?.extend(0), { code: 'INVALID_OPTION' });
  await t.rejects(async () => delivery?.extend('5' as unknown as number), { code: 'INVALID_OPTION' });
  t.equal(await delivery?.ack(), undefined, 'and the claim still holds');
});

onBothDisks(
  'a lease that ends frees the message, for everybody and not a moment sooner',
  async (t, world) => {
    const clock = new MovedClock();
    const [queue, other] = [
      await world.openQueue<number>({ clock, leaseMs: 1000 }),
      await world.openQueue<number>({ clock }),
    ];
    await queue.enqueue(1);
    const first = await queue.claim();
    clock.advance(999);
    t.equal(await other.claim(), undefined);
    t.equal(await queue.length(), 0);
    clock.advance(1);
    t.equal(await queue.length(), 1, 'what an ended lease freed counts as waiting');
    const second = await other.claim();
    t.equal(second?.value, 1);
    t.equal(second?.attempt, 2);
    await t.rejects(async () => first?.ack(), { code: 'LEASE_LOST' });
    t.equal(await second?.ack(), undefined);
    t.equal(await queue.length(), 0);
  },
);

onBothDisks(
  'after its lease has ended a claim is lost, though nobody else took the message',
  async (t, world) => {
    const clock = new MovedClock();
    const queue = await world.openQueue<number>({ clock, leaseMs: 1000 });
    await queue.enqueue(1);
    const delivery = await queue.claim();
    clock.advance(1000);
    for (const call of [() => delivery?.ack(), () => delivery?.nack(), () => delivery?.extend(5000)])
      await t.rejects(async () => call(), { code: 'LEASE_LOST', message: /message 1, attempt 1/ });
    t.equal((await queue.claim())?.attempt, 2);
  },
);

onBothDisks(
  'after its lease has ended a claim is lost, also where somebody else has finished the message',
  async (t, world) => {
    const clock = new MovedClock();
    const [queue, other] = [
      await world.openQueue<number>({ clock }),
      await world.openQueue<number>({ clock }),
    ];
    await queue.enqueue(1);
    const first = await queue.claim({ leaseMs: 1000 });
    clock.advance(1000);
    await (await other.claim())?.ack();
    await t.rejects(async () => first?.ack(), { code: 'LEASE_LOST' });
  },
);

onBothDisks("leaseMs of the claim goes before the queue's, the default is 30 s", async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock });
  await queue.enqueueMany([1, 2]);
  await queue.claim({ leaseMs: 5000 });
  await queue.claim();
  clock.advance(4999);
  t.equal(await queue.length(), 0);
  clock.advance(1);
  t.same(await queue.peekMany(5), [1]);
  clock.advance(24_999);
  t.same(await queue.peekMany(5), [1]);
  clock.advance(1);
  t.same(await queue.peekMany(5), [1, 2]);
});

onBothDisks('extend: the lease ends so much later from now, or sooner', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock, leaseMs: 1000 });
  await queue.enqueue(1);
  const delivery = await queue.claim();
  clock.advance(900);
  t.equal(await delivery?.extend(), undefined);
  clock.advance(900);
  t.equal(await queue.length(), 0);
  await delivery?.extend(5000);
  clock.advance(4999);
  t.equal(await queue.length(), 0);
  await delivery?.extend(10);
  clock.advance(10);
  t.equal(await queue.length(), 1);
  await t.rejects(async () => delivery?.ack(), { code: 'LEASE_LOST' });
});

onBothDisks('a waiting consumer gets what an ended lease frees, in every opener', async (t, world) => {
  const clock = new MovedClock();
  const [queue, other] = [
    await world.openQueue<number>({ clock, leaseMs: 1000 }),
    await world.openQueue<number>({ clock }),
  ];
  await queue.enqueue(1);
  await queue.claim();
  for (const consumer of [other, queue]) {
    const waiting = consumer.claim({ waitMs: Number.POSITIVE_INFINITY, leaseMs: 1000 });
    await settle();
    clock.advance(1000);
    t.equal((await waiting)?.value, 1);
  }
});

onBothDisks(
  'attempts are counted when claimed: nack, an ended lease and close keep the count',
  async (t, world) => {
    const clock = new MovedClock();
    const options = { clock, leaseMs: 1000 };
    const [first, observer] = [
      await world.openQueue<number>(options),
      await world.openQueue<number>(options),
    ];
    await first.enqueue(1);
    t.equal((await first.claim())?.attempt, 1);
    clock.advance(1000);
    const second = await first.claim();
    t.equal(second?.attempt, 2, 'after an ended lease');
    await second?.nack();
    t.equal((await first.claim())?.attempt, 3, 'after a nack');
    await first.close();
    const fourth = await observer.claim();
    t.equal(fourth?.attempt, 4, 'after close');
    await fourth?.nack();
    await observer.close();
    const last = await world.openQueue<number>(options);
    t.equal((await last.claim())?.attempt, 5, 'after everybody was gone');
  },
);

onBothDisks('close frees what was claimed; ack is CLOSED', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await queue.enqueueMany(range(1, 3));
  const deliveries = await queue.claimMany(2);
  const waiting = other.claimMany(5, { waitMs: Number.POSITIVE_INFINITY });
  t.same(
    (await waiting).map(({ index }) => index),
    [3],
  );
  const next = other.claimMany(5, { waitMs: Number.POSITIVE_INFINITY });
  await settle();
  const closing = queue.close();
  for (const delivery of deliveries) {
    for (const call of [() => delivery.ack(), () => delivery.nack(), () => delivery.extend()])
      await t.rejects(call(), { code: 'CLOSED' }, 'while it closes');
  }
  await closing;
  for (const delivery of deliveries) await t.rejects(delivery.ack(), { code: 'CLOSED' });
  t.same(
    (await next).map(({ index, attempt }) => [index, attempt]),
    [
      [1, 2],
      [2, 2],
    ],
    'at once, long before the lease ends',
  );
});

onBothDisks('an ack that was called before close is done', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueue(1);
  const delivery = await queue.claim();
  const acking = delivery?.ack();
  await queue.close();
  t.equal(await acking, undefined);
  t.equal(await (await world.openQueue<number>()).length(), 0);
});

for (const how of ['delete', 'clear', 'prune'] as const) {
  onBothDisks(
    `a claimed message that ${how} takes away: ack resolves, the rest is LEASE_LOST`,
    async (t, world) => {
      const clock = new MovedClock();
      const [queue, other] = [
        await world.openQueue<number>({ clock }),
        await world.openQueue<number>({ clock }),
      ];
      await queue.enqueueMany([1, 2]);
      const delivery = await queue.claim();
      const { signal } = delivery ?? {};
      t.equal(signal?.aborted, false);
      const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
      if (how === 'delete') t.equal(await other.delete(1), 1);
      if (how === 'clear') t.equal(await other.clear(), 2);
      if (how === 'prune') await other.store.prune();
      await queue.length();
      await aborted;
      t.match(signal?.reason, { code: 'LEASE_LOST' });
      await t.rejects(async () => delivery?.nack(), { code: 'LEASE_LOST' });
      await t.rejects(async () => delivery?.extend(), { code: 'LEASE_LOST' });
      t.equal(await delivery?.ack(), undefined);
      t.equal(await queue.length(), how === 'delete' ? 1 : 0);
    },
  );
}

onBothDisks(
  "'drop-oldest' drops claimed messages too: their signal aborts, ack resolves",
  async (t, world) => {
    const options = {
      codec: 'bytes',
      maxFileSize: fileOf(2, 200),
      maxFiles: 1,
      whenFull: 'drop-oldest',
    } as const;
    const queue = await world.openQueue<Uint8Array>(options);
    await queue.enqueueMany([new Uint8Array(200), new Uint8Array(200)]);
    const [one, two] = await queue.claimMany(2);
    const aborted = new Promise((resolve) => one?.signal.addEventListener('abort', resolve));
    t.equal(await queue.enqueue(new Uint8Array(200).fill(3)), 3);
    await aborted;
    t.equal(await one?.ack(), undefined);
    await t.rejects(async () => two?.nack(), { code: 'LEASE_LOST' });
    t.same(await queue.dequeueMany(5), [new Uint8Array(200).fill(3)]);
  },
);

onBothDisks('the signal aborts when the lease ends, and extending puts that off', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock, leaseMs: 1000 });
  await queue.enqueueMany([1, 2]);
  const [kept, lost] = await queue.claimMany(2);
  const signals = [kept?.signal, lost?.signal];
  clock.advance(500);
  await kept?.extend();
  clock.advance(500);
  t.same(
    signals.map((signal) => signal?.aborted),
    [false, true],
  );
  t.match(lost?.signal.reason, { code: 'LEASE_LOST' });
  clock.advance(500);
  t.equal(kept?.signal.aborted, true);
});

onBothDisks('the signal of what was settled never aborts; close aborts the others', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock, leaseMs: 1000 });
  await queue.enqueueMany(range(1, 3));
  const [acked, nacked, open] = await queue.claimMany(3);
  const signals = [acked?.signal, nacked?.signal, open?.signal];
  await acked?.ack();
  await nacked?.nack();
  await queue.close();
  clock.advance(10_000);
  t.same(
    signals.map((signal) => signal?.aborted),
    [false, false, true],
  );
  t.match(open?.signal.reason, { code: 'CLOSED' });
});

onBothDisks('claimMany takes what is there, up to max, each under its own claim', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany(range(1, 5));
  const deliveries = await queue.claimMany(3);
  t.same(
    deliveries.map(({ value, index, attempt }) => [value, index, attempt]),
    [
      [1, 1, 1],
      [2, 2, 1],
      [3, 3, 1],
    ],
  );
  await deliveries[1]?.ack();
  await deliveries[0]?.nack();
  t.same(
    (await queue.claimMany(10)).map(({ value, attempt }) => [value, attempt]),
    [
      [1, 2],
      [4, 1],
      [5, 1],
    ],
  );
  t.same(await queue.claimMany(10), []);
});

onBothDisks('claims and dequeues of two openers never give one message twice', async (t, world) => {
  const queues = [await world.openQueue<number>(), await world.openQueue<number>()] as const;
  await queues[0].enqueueMany(range(1, 300));
  const found: number[] = [];
  await Promise.all(
    range(1, 8).map(async (worker) => {
      const queue = queues[worker % 2] ?? queues[0];
      for (;;) {
        if (worker % 4 === 0) {
          const value = await queue.dequeue();
          if (value === undefined) return;
          found.push(value);
        } else {
          const deliveries = await queue.claimMany(worker);
          if (deliveries.length === 0) return;
          for (const { value } of deliveries) found.push(value);
          await Promise.all(deliveries.map((delivery) => delivery.ack()));
        }
      }
    }),
  );
  t.same(
    found.sort((a, b) => a - b),
    range(1, 300),
  );
  t.equal(await queues[0].length(), 0);
});

t.test('a message that was claimed very often can be acknowledged', async (t) => {
  for (const attempts of [65_534, 65_535, 65_536, 1_000_000]) {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const engine = await openEngine(t, machine);
    const queue = await world.openQueue<string>({ maxAttempts: 2 ** 32 - 1 });
    await queue.enqueueMany(['a', 'b']);
    await engine.decider.decide((facts) => facts.attempted(1, attempts), true);
    const delivery = await queue.claim();
    t.equal(delivery?.attempt, attempts + 1);
    t.equal(await delivery?.extend(), undefined);
    t.equal(await delivery?.nack(), undefined);
    const again = await (await world.openQueue<string>({ maxAttempts: 2 ** 32 - 1 })).claim();
    t.equal(again?.attempt, attempts + 2, 'nobody forgets how often');
    t.equal(await again?.ack(), undefined);
    t.same(await queue.peekMany(2), ['b']);
  }
});
