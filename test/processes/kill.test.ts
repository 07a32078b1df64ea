import t from 'tap';
import { givenTwice, type SoakPlan, soak, unjustified, unseen } from './soak.js';

/** Small files that are soon full, so that everybody rolls, removes and waits for room all the time. */
const bounded = { maxFileSize: 16 * 1024, maxFiles: 8, whenFull: 'wait' } as const;

const claims: readonly { readonly name: string; readonly plan: SoakPlan }[] = [
  {
    name: 'written',
    plan: {
      options: { durability: 'written', ...bounded },
      producers: { count: 3, batch: 1 },
      consumers: { count: 3, batch: 5, how: 'claim' },
      blows: ['kill'],
      forMs: 8_000,
    },
  },
  {
    name: 'synced',
    plan: {
      options: { durability: 'synced', ...bounded },
      producers: { count: 3, batch: 4 },
      consumers: { count: 3, batch: 5, how: 'claim' },
      blows: ['kill'],
      forMs: 8_000,
    },
  },
  {
    name: 'written, some of them stopped and continued',
    plan: {
      options: { durability: 'written', ...bounded },
      producers: { count: 3, batch: 3 },
      consumers: { count: 3, batch: 5, how: 'claim' },
      blows: ['stop', 'kill'],
      forMs: 6_000,
    },
  },
  {
    name: 'everybody opens and closes all the time, and gives some back',
    plan: {
      options: { durability: 'written', ...bounded },
      producers: { count: 3, batch: 2 },
      consumers: { count: 3, batch: 5, how: 'claim', nackOneIn: 10 },
      reopenEvery: 20,
      blows: ['kill'],
      forMs: 7_000,
    },
  },
  {
    // Who is killed over the lock keeps everybody out until that is stale, so a lease is longer.
    name: 'with lock files',
    plan: {
      options: { durability: 'written', locking: 'lockfile', ...bounded },
      producers: { count: 2, batch: 3 },
      consumers: { count: 2, batch: 5, how: 'claim', leaseMs: 10_000 },
      blows: ['kill'],
      forMs: 7_000,
    },
  },
];

for (const { name, plan } of claims) {
  t.test(`producers and consumers are killed at random: ${name}`, async (t) => {
    const result = await soak(t, plan);
    t.ok(result.acknowledged.length > 0 && result.kills > 0, 'there was something to see');
    t.strictSame(unseen(result), [], 'nothing that was acknowledged is lost');
    t.strictSame(givenTwice(result), [], 'no index is given twice');
    t.strictSame(unjustified(result), [], 'twice only what a consumer held that was killed, and soon');
  });
}

t.test('stopped and continued at random, nothing comes twice', async (t) => {
  const result = await soak(t, {
    options: { durability: 'written', ...bounded },
    producers: { count: 2, batch: 1 },
    consumers: { count: 2, batch: 5, how: 'claim' },
    blows: ['stop'],
    forMs: 4_000,
  });
  t.ok(result.acknowledged.length > 0);
  t.strictSame(unseen(result), []);
  t.strictSame(givenTwice(result), []);
  t.equal(result.witnessed.length, result.acknowledged.length, 'each once');
});

for (const { name, locking } of [
  { name: '', locking: 'os' },
  { name: ', with lock files', locking: 'lockfile' },
] as const) {
  t.test(`consumers that dequeue are killed at random${name}`, async (t) => {
    const batch = 5;
    const result = await soak(t, {
      options: { durability: 'written', locking, ...bounded },
      producers: { count: 2, batch: 1 },
      consumers: { count: 3, batch, how: 'dequeue' },
      blows: ['kill'],
      forMs: 6_000,
    });
    t.ok(result.acknowledged.length > 0 && result.kills > 0);
    const ids = result.witnessed.map(({ id }) => id);
    t.equal(new Set(ids).size, ids.length, 'each at most once');
    const gone = unseen(result).length;
    const most = result.killedConsumers * batch;
    t.ok(gone <= most, `at most what killed consumers had just taken: ${gone} of ${most}`);
  });
}
