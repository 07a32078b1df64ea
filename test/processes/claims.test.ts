import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { type Program, startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { ClaimsOrders } from './claims-child.js';

const FREE_WITHIN_MS = 5_000;
const TEN_MINUTES = 600_000;
const HELD = 100;

interface Claimed {
  readonly claimed: readonly { readonly value: string; readonly attempt: number }[];
}
const isClaimed = (message: unknown): message is Claimed =>
  typeof message === 'object' && message !== null && 'claimed' in message;
const isOpened = (message: unknown): message is { opened: true } =>
  typeof message === 'object' && message !== null && 'opened' in message;

const isOutcomes = (message: unknown): message is { outcomes: string[] } =>
  typeof message === 'object' && message !== null && 'outcomes' in message;

const values = Array.from({ length: HELD }, (_, n) => `message-${n}`);
const attempts = (attempt: number): Claimed['claimed'] => values.map((value) => ({ value, attempt }));

t.test('what a killed process held under a long lease is with another one soon', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, durability: 'written' });
  await queue.enqueueMany(values);
  await queue.close();
  const orders: ClaimsOrders = {
    directory,
    options: { durability: 'written' },
    count: HELD,
    leaseMs: TEN_MINUTES,
  };
  const start = (): Program =>
    startProgram(t, 'test/processes/claims-child.js', { args: [JSON.stringify(orders)] });

  const first = start();
  t.strictSame((await first.message(isClaimed)).claimed, attempts(1));
  const second = start();
  await second.message(isOpened);
  await first.kill();
  t.strictSame((await second.message(isClaimed, FREE_WITHIN_MS)).claimed, attempts(2), 'all, in order');

  const third = start();
  await third.message(isOpened);
  const fourth = start();
  await fourth.message(isOpened);
  second.pause();
  await t.rejects(third.message(isClaimed, 300), /waited/, 'a holder that stands still keeps its own');
  second.resume();
  await third.kill();
  await second.kill();
  t.strictSame((await fourth.message(isClaimed, FREE_WITHIN_MS)).claimed, attempts(3));
});

t.test(
  'with lock files, what a killed process held is with another one when its lease has ended',
  async (t) => {
    const LEASE_MS = 3_000;
    const directory = await temporaryDirectory(t);
    const options = { durability: 'written', locking: 'lockfile' } as const;
    const queue = await openQueue<string>({ directory, ...options });
    await queue.enqueueMany(values);
    await queue.close();
    const orders: ClaimsOrders = { directory, options, count: HELD, leaseMs: LEASE_MS };
    const start = (): Program =>
      startProgram(t, 'test/processes/claims-child.js', { args: [JSON.stringify(orders)] });

    const first = start();
    t.strictSame((await first.message(isClaimed)).claimed, attempts(1));
    const claimedBy = performance.now();
    const second = start();
    await second.message(isOpened);
    await first.kill();
    t.strictSame(
      (await second.message(isClaimed, LEASE_MS + FREE_WITHIN_MS)).claimed,
      attempts(2),
      'all, in order',
    );
    const waited = performance.now() - claimedBy;
    t.ok(waited > LEASE_MS / 2, `not before, for nobody can tell that it is dead: ${Math.round(waited)} ms`);
    second.send('ack');
    t.strictSame(
      (await second.message(isOutcomes)).outcomes,
      values.map(() => 'done'),
    );
    await second.kill();
    const after = await openQueue<string>({ directory, ...options });
    t.teardown(() => after.close());
    t.equal(await after.store.length(), 0);
  },
);

t.test('who comes after the death of the holder has its messages at once', async (t) => {
  const directory = await temporaryDirectory(t);
  const open = () => openQueue<string>({ directory, durability: 'written' });
  const before = await open();
  await before.enqueueMany(values);
  await before.close();
  const orders: ClaimsOrders = { directory, options: {}, count: HELD, leaseMs: TEN_MINUTES };
  const holder = startProgram(t, 'test/processes/claims-child.js', { args: [JSON.stringify(orders)] });
  await holder.message(isClaimed);
  await holder.kill();
  const queue = await open();
  const deliveries = await queue.claimMany(HELD);
  t.strictSame(
    deliveries.map(({ value, attempt }) => ({ value, attempt })),
    attempts(2),
  );
  t.equal(await queue.length(), 0);
  await queue.close();
});

for (const { name, locking } of [
  { name: '', locking: 'os' },
  { name: ', with lock files', locking: 'lockfile' },
] as const) {
  t.test(`who stands still past its lease has lost it, and is told${name}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const queue = await openQueue<string>({ directory, durability: 'written', locking });
    t.teardown(() => queue.close());
    await queue.enqueueMany(values);
    const orders: ClaimsOrders = { directory, options: {}, count: HELD, leaseMs: 300 };
    const holder = startProgram(t, 'test/processes/claims-child.js', { args: [JSON.stringify(orders)] });
    await holder.message(isClaimed);
    holder.pause();
    const taken = await queue.claimMany(HELD, { waitMs: FREE_WITHIN_MS });
    t.strictSame(
      taken.map(({ value, attempt }) => ({ value, attempt })),
      attempts(2),
    );
    const [first, ...others] = taken;
    await first?.ack();
    holder.resume();
    holder.send('ack');
    t.strictSame(
      (await holder.message(isOutcomes)).outcomes,
      values.map(() => 'LEASE_LOST'),
      'of those that another one holds, and of the one that it finished',
    );
    for (const delivery of others) await delivery.ack();
    t.equal(await queue.store.length(), 0);
  });
}

t.test('many openers in one process are as many processes', async (t) => {
  const directory = await temporaryDirectory(t);
  const queues = await Promise.all(
    Array.from({ length: 12 }, () => openQueue<string>({ directory, durability: 'written' })),
  );
  const sent = await Promise.all(
    queues.map(async (queue, opener) => {
      const own = Array.from({ length: 50 }, (_, n) => `${opener}-${n}`);
      for (const value of own) await queue.enqueue(value);
      return own;
    }),
  );
  for (const queue of queues) t.equal(await queue.length(), 600);
  const [holder, ...others] = queues;
  const held = (await holder?.claimMany(100)) ?? [];
  t.equal(held.length, 100);
  const rest = await Promise.all(
    others.map(async (queue) => {
      const got: string[] = [];
      for (let value = await queue.dequeue(); value !== undefined; value = await queue.dequeue())
        got.push(value);
      return got;
    }),
  );
  t.equal(rest.flat().length, 500);
  await holder?.close();
  const back = (await others[0]?.dequeueMany(600)) ?? [];
  t.strictSame(
    back,
    held.map(({ value }) => value),
    'what a closed one held is free, in its order',
  );
  t.strictSame([...rest.flat(), ...back].sort(), sent.flat().sort(), 'each once');
  for (const queue of others) await queue.close();
});

t.test('worker threads are openers too, and one that is terminated frees what it held', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, durability: 'written' });
  t.teardown(() => queue.close());
  await queue.enqueueMany(values);
  const share = HELD / 4;
  const orders: ClaimsOrders = {
    directory,
    options: { durability: 'written' },
    count: share,
    leaseMs: TEN_MINUTES,
  };
  const workers = Array.from(
    { length: 4 },
    () => new Worker(new URL('./claims-child.js', import.meta.url), { workerData: orders, execArgv: [] }),
  );
  t.teardown(() => Promise.all(workers.map((worker) => worker.terminate())));
  const held = await Promise.all(workers.map(claimsOf));
  t.strictSame(held.flatMap((claimed) => claimed.map(({ value }) => value)).sort(), [...values].sort());
  t.same(await queue.claimMany(HELD), [], 'all of them are held');

  const [first = [], ...others] = held;
  await workers[0]?.terminate();
  const freed = await until('the claims of the dead worker', async () => {
    const claimed = await queue.claimMany(HELD);
    return claimed.length > 0 && claimed;
  });
  t.strictSame(
    freed.map(({ value, attempt }) => ({ value, attempt })),
    first.map(({ value }) => ({ value, attempt: 2 })),
    'all of its, and none of the others',
  );

  // In the middle of claiming: some are there to be had, and more are asked for.
  const greedy = new Worker(new URL('./claims-child.js', import.meta.url), {
    workerData: { ...orders, count: 2 * HELD },
    execArgv: [],
  });
  t.teardown(() => greedy.terminate());
  await openedBy(greedy);
  for (const delivery of freed) await delivery.nack();
  await until('it has them', async () => (await queue.stats()).claimed === HELD);
  await Promise.all([greedy, ...workers].map((worker) => worker.terminate()));
  await until('everything is free', async () => (await queue.length()) === HELD, FREE_WITHIN_MS);
  t.strictSame(await queue.flush(), values, 'in order');
  t.equal(others.length, 3);
});

async function claimsOf(worker: Worker): Promise<Claimed['claimed']> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [unknown];
    if (isClaimed(message)) return message.claimed;
  }
}

async function openedBy(worker: Worker): Promise<void> {
  const [message] = (await once(worker, 'message')) as [unknown];
  if (!isOpened(message)) throw new Error('a worker said something else than that it is open');
}
