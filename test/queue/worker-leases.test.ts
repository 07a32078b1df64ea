import t from 'tap';
import type { Clock, Delivery } from '../../src/mod.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld } from '../store/world.js';
import { until } from '../support/until.js';
import { deferred, errorsOf, Gates, noneUnhandled } from './gates.js';
import { settle } from './settle.js';

t.test('a lease is renewed while its handler runs, and no longer', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const [queue, other] = [await world.openQueue<number>({ clock }), await world.openQueue<number>({ clock })];
  await queue.enqueueMany([1, 2]);
  const gates = new Gates<number>();
  const worker = queue.process(gates.handler, { leaseMs: 900, concurrency: 2 });
  await until('both have begun', () => gates.begun.length === 2);
  for (let third = 0; third < 30; third++) {
    clock.advance(300);
    await settle();
    t.equal(await other.claim(), undefined);
  }
  t.equal(gates.begun[0]?.signal.aborted, false);
  gates.open(0);
  gates.fail(1, new Error('no'));
  await until('it comes again', () => gates.begun.length === 3);
  t.equal(worker.stats().done, 1);
  t.same(
    gates.begun.map(({ attempt }) => attempt),
    [1, 1, 2],
  );
  gates.open(2);
  await worker.close();
  clock.advance(10_000);
  await settle();
  t.equal(await queue.store.length(), 0);
});

t.test('two renewals may come to nothing before a lease ends', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const [queue, other] = [await world.openQueue<number>({ clock }), await world.openQueue<number>({ clock })];
  await queue.enqueue(1);
  const gates = new Gates<number>();
  const worker = queue.process(gates.handler, { leaseMs: 900 });
  await until('it has begun', () => gates.begun.length === 1);
  // The loop is blocked while two thirds pass.
  clock.advance(899);
  await settle();
  clock.advance(600);
  await settle();
  t.equal(await other.claim(), undefined);
  gates.open(0);
  await worker.close();
  t.equal(worker.stats().done, 1);
});

t.test('a lease that was lost is told: the signal aborts, and an error comes', async (t) => {
  noneUnhandled(t);
  for (const how of ['returns', 'throws'] as const) {
    const clock = new MovedClock();
    const world = memoryWorld(t);
    const [queue, other] = [
      await world.openQueue<number>({ clock }),
      await world.openQueue<number>({ clock }),
    ];
    const errors = errorsOf(queue as never);
    await queue.enqueue(1);
    const gates = new Gates<number>();
    const worker = queue.process(gates.handler, { leaseMs: 300 });
    await until('it has begun', () => gates.begun.length === 1);
    t.equal(gates.begun[0]?.signal.aborted, false);
    // Nothing else runs meanwhile, as if the handler had blocked the loop.
    clock.advance(300);
    const again = await other.claim();
    t.equal(again?.attempt, 2);
    await until('the signal aborts', () => gates.begun[0]?.signal.aborted);
    t.match(gates.begun[0]?.signal.reason, { code: 'LEASE_LOST' });
    if (how === 'returns') gates.open(0);
    else gates.fail(0, new Error('too late'));
    await until('the error', () => errors.length > 0);
    await worker.close();
    t.match(errors, [{ code: 'LEASE_LOST', message: /message 1, attempt 1/ }], how);
    t.equal(errors.length, 1, 'one for each message');
    t.same(worker.stats(), { running: 0, done: 0, failed: 1, paused: false });
    await again?.ack();
    t.equal(await queue.store.length(), 0);
  }
});

/** A clock on which the time goes on while the loop is blocked, and no timer fires. */
class BlockedClock implements Clock {
  readonly #moved = new MovedClock();
  #blockedMs = 0;

  now(): number {
    return this.#moved.now() + this.#blockedMs;
  }

  monotonic(): number {
    return this.#moved.monotonic() + this.#blockedMs;
  }

  setTimer(at: number, run: () => void): () => void {
    return this.#moved.setTimer(at - this.#blockedMs, run);
  }

  block(ms: number): void {
    this.#blockedMs += ms;
  }
}

t.test('a handler that returns before it could be told is told all the same', async (t) => {
  const clock = new BlockedClock();
  const queue = await memoryWorld(t).openQueue<number>({ clock });
  const errors = errorsOf(queue as never);
  await queue.enqueue(1);
  const signals: AbortSignal[] = [];
  const worker = queue.process(
    async (delivery) => {
      signals.push(delivery.signal);
      if (delivery.attempt === 1) clock.block(300);
    },
    { leaseMs: 300 },
  );
  await until('it comes again, and is done', () => worker.stats().done === 1);
  await worker.close();
  t.same(worker.stats(), { running: 0, done: 1, failed: 1, paused: false });
  t.match(errors, [{ code: 'LEASE_LOST', message: /attempt 1/ }]);
  t.same(
    signals.map(({ aborted, reason }) => [aborted, reason?.code]),
    [
      [true, 'LEASE_LOST'],
      [false, undefined],
    ],
  );
});

t.test(
  'messages that are claimed together keep their leases while the first handlers hold the loop',
  async (t) => {
    for (const { blockMs, attempts } of [
      { blockMs: 400, attempts: [1, 1, 1] },
      { blockMs: 500, attempts: [1, 1, 2] },
    ]) {
      const clock = new BlockedClock();
      const queue = await memoryWorld(t).openQueue<number>({ clock });
      const errors = errorsOf(queue as never);
      await queue.enqueueMany([1, 2, 3]);
      const seen: [number, number][] = [];
      const worker = queue.process(
        ({ value, attempt }) => {
          seen.push([value, attempt]);
          clock.block(blockMs);
        },
        { leaseMs: 1000, concurrency: 3 },
      );
      await until('all are done', () => worker.stats().done === 3);
      await worker.close();
      t.same(
        seen,
        attempts.map((attempt, at) => [at + 1, attempt]),
      );
      const lost = attempts.filter((attempt) => attempt > 1).length;
      t.same(
        errors.map(({ code }) => code),
        Array(lost).fill('LEASE_LOST'),
        'who has lost it already is not begun, and that is told',
      );
      t.equal(worker.stats().failed, lost);
    }
  },
);

t.test('what was deleted under its handler is over, and no error', async (t) => {
  for (const how of ['returns', 'throws'] as const) {
    const world = memoryWorld(t);
    const queue = await world.openQueue<number>();
    const errors = errorsOf(queue as never);
    await queue.enqueueMany([1, 2]);
    const gates = new Gates<number>();
    const worker = queue.process(gates.handler);
    await until('it has begun', () => gates.begun.length === 1);
    const { signal } = gates.begun[0] ?? { signal: undefined };
    t.equal(await queue.delete(1), 1);
    await until('the signal aborts', () => signal?.aborted);
    if (how === 'returns') gates.open(0);
    else gates.fail(0, signal?.reason);
    await until('the next has begun', () => gates.begun.length === 2);
    gates.open(1);
    await worker.close();
    await settle();
    t.same(errors, [], how);
  }
});

t.test('a handler that settles its message itself has done so', async (t) => {
  noneUnhandled(t);
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>();
  const errors = errorsOf(queue as never);
  const deeds: Record<string, (delivery: Delivery<string>) => unknown> = {
    'ack, awaited': (delivery) => delivery.ack(),
    'ack, forgotten': (delivery) => void delivery.ack(),
    'ack, twice': async (delivery) => {
      await delivery.ack();
      void delivery.ack();
    },
    'ack, then a throw': async (delivery) => {
      await delivery.ack();
      throw new Error('afterwards');
    },
    'ack, then calls that nobody awaits': async (delivery) => {
      await delivery.ack();
      void delivery.nack();
      void delivery.extend();
      void delivery.progress(1);
    },
  };
  for (const [name, deed] of Object.entries(deeds)) {
    await queue.enqueue(name);
    const worker = queue.process(deed);
    await until(`${name}: it ends`, () => worker.stats().done + worker.stats().failed > 0);
    await worker.close();
    t.equal(worker.stats().done, name.includes('throw') ? 0 : 1, name);
    t.equal(await queue.store.length(), 0, name);
  }
  await queue.enqueue('nack');
  const attempts: number[] = [];
  const worker = queue.process(async (delivery) => {
    attempts.push(delivery.attempt);
    if (delivery.attempt < 3) void delivery.nack({ reason: 'not today' });
  });
  await until('it is done', () => worker.stats().done === 1);
  await worker.close();
  t.same(attempts, [1, 2, 3], 'given back, though the handler returned');
  t.equal(worker.stats().failed, 2);
  await settle();
  t.same(errors, []);
});

t.test('a message that a handler could not settle is neither done nor lost', async (t) => {
  noneUnhandled(t);
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>();
  await queue.enqueue('a');
  const attempts: number[] = [];
  const worker = queue.process(async (delivery) => {
    attempts.push(delivery.attempt);
    if (delivery.attempt === 1) void delivery.nack({ delay: 1 } as object);
  });
  await until('it is done', () => worker.stats().done === 1);
  await worker.close();
  t.same(attempts, [1, 2]);
});

t.test('what a handler extends by counts, and is renewed after that', async (t) => {
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const [queue, other] = [
    await world.openQueue<number>({ clock, leaseMs: 60_000 }),
    await world.openQueue<number>({ clock }),
  ];
  await queue.enqueue(1);
  const extended = deferred();
  const gate = deferred();
  let calls = 0;
  const worker = queue.process(
    async (delivery) => {
      const extend = delivery.extend.bind(delivery);
      await extend(10_000);
      extended.resolve();
      calls += 1;
      await gate.promise;
    },
    { leaseMs: 900 },
  );
  await extended.promise;
  clock.advance(300);
  await settle();
  // At once, so that no renewal comes in time on the way.
  clock.advance(9099);
  t.equal(await other.claim(), undefined, 'it was not shortened to 900 ms');
  await settle();
  for (const _ of range(1, 10)) {
    clock.advance(300);
    await settle();
    t.equal(await other.claim(), undefined);
  }
  gate.resolve();
  await worker.close();
  t.equal(calls, 1);
});

t.test('who takes too long is told, has failed, and keeps nobody from anything', async (t) => {
  noneUnhandled(t);
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const queue = await world.openQueue<string>({ clock });
  const errors = errorsOf(queue as never);
  await queue.enqueueMany(['slow', 'next']);
  const gates = new Gates<string>();
  const worker = queue.process(gates.handler, { timeoutMs: 1000, leaseMs: 600 });
  await until('it has begun', () => gates.begun.length === 1);
  const [slow] = gates.begun;
  for (const _ of range(1, 9)) {
    clock.advance(100);
    await settle();
  }
  clock.advance(99);
  await settle();
  t.equal(slow?.signal.aborted, false);
  clock.advance(1);
  t.equal(slow?.signal.aborted, true);
  t.ok(slow?.signal.reason instanceof Error);
  t.match(slow?.signal.reason, { name: 'TimeoutError', message: 'timed out after 1000 ms' });
  await until('it comes again', () => gates.begun.length === 2);
  t.equal(gates.begun[1]?.value, 'slow');
  t.equal(gates.begun[1]?.attempt, 2);
  t.same(worker.stats(), { running: 1, done: 0, failed: 1, paused: false });
  for (const call of [
    () => slow?.ack(),
    () => slow?.nack(),
    () => slow?.extend(),
    () => slow?.reject(),
    () => slow?.progress(1),
  ])
    await t.rejects(async () => call(), { code: 'LEASE_LOST', message: /timed out after 1000 ms/ });
  gates.open(1);
  await until('the next has begun', () => gates.begun.length === 3);
  t.equal(gates.begun[2]?.value, 'next');
  gates.open(2);
  await until('two are done', () => worker.stats().done === 2);
  await worker.close();
  t.equal(await queue.store.length(), 0, 'and close did not wait for the first');
  gates.fail(0, new Error('at last'));
  await settle();
  t.same(errors, []);
  t.same(worker.stats(), { running: 0, done: 2, failed: 1, paused: false });
});

t.test('a signal that is first looked at after the time has aborted', async (t) => {
  const clock = new MovedClock();
  const queue = await memoryWorld(t).openQueue<string>({ clock });
  await queue.enqueue('a');
  const gates = new Gates<string>();
  const worker = queue.process(gates.handler, { timeoutMs: 10 });
  await until('it has begun', () => gates.begun.length === 1);
  worker.pause();
  clock.advance(10);
  await settle();
  t.match(gates.begun[0]?.signal.reason, { name: 'TimeoutError' });
  await worker.close();
  t.equal(await queue.length(), 1);
});

t.test('who has settled its message keeps it settled when the time is over', async (t) => {
  const clock = new MovedClock();
  const queue = await memoryWorld(t).openQueue<string>({ clock });
  await queue.enqueue('a');
  const acknowledged = deferred();
  const worker = queue.process(
    async (delivery) => {
      await delivery.ack();
      acknowledged.resolve();
      await deferred().promise;
    },
    { timeoutMs: 10 },
  );
  await acknowledged.promise;
  clock.advance(10);
  await until('it has ended', () => worker.stats().running === 0);
  await worker.close();
  t.equal(await queue.store.length(), 0);
  t.same(worker.stats(), { running: 0, done: 1, failed: 0, paused: false });
});
