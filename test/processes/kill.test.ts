import t, { type Test } from 'tap';
import { random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type SoakResult, soak } from './soak.js';
import type { SoakPlan } from './soak-plan.js';

/** Small files that are soon full, so that everybody rolls, removes and waits for room all the time. */
const bounded = { maxFileSize: 16 * 1024, maxFiles: 8, whenFull: 'wait' } as const;

async function soakAndJudge(t: Test, plan: SoakPlan): Promise<SoakResult> {
  const directory = await temporaryDirectory(t);
  const scratch = await temporaryDirectory(t);
  const result = await soak({ starter: t, chance: random(t), directory, scratch }, plan);
  const { ledger, counts, stats, report } = result;
  t.comment(JSON.stringify({ ...ledger.counts, ...counts, unseen: result.unseen }));
  t.ok(ledger.counts.acknowledged > 0 && ledger.counts.deliveries > 0, 'there was something to see');
  t.same(result.odd, [], 'nobody saw anything odd');
  t.same(result.lost, [], 'nothing that was acknowledged is lost');
  t.same(result.invented, [], 'nothing is invented');
  t.same(result.givenTwice, [], 'no index is given twice');
  t.same(result.unjustified, [], 'twice only what a consumer held that was killed, and soon');
  t.same(result.disorder, [], 'everything in its order');
  t.same(result.halfBatches, [], 'batches are whole');
  t.strictSame(
    { waiting: stats.waiting, claimed: stats.claimed, files: stats.files, lost: stats.lost },
    { waiting: 0, claimed: 0, files: 1, lost: 0 },
    'nothing is left, and nothing was lost',
  );
  t.same({ ok: report.ok, records: report.records }, { ok: true, records: 0 }, 'the directory is whole');
  return result;
}

/** So that a journal is succeeded every few facts. */
const limits = {
  reserveBytes: 4096,
  leastReserveBytes: 1024,
  leastGainBytes: 512,
  shortenFromBytes: 4096,
  shortenFactor: 2,
};

const KILLS = 250;

const kills: readonly { readonly name: string; readonly plan: SoakPlan }[] = [
  {
    name: 'written',
    plan: {
      options: { durability: 'written', ...bounded },
      producers: { count: 3, batch: 1 },
      consumers: { count: 3, batch: 5, deeds: { claim: 1 } },
      killEveryMs: KILLS,
      forMs: 6_000,
    },
  },
  {
    name: 'synced',
    plan: {
      options: { durability: 'synced', ...bounded },
      producers: { count: 3, batch: 4 },
      consumers: { count: 3, batch: 5, deeds: { claim: 1 } },
      killEveryMs: KILLS,
      forMs: 6_000,
    },
  },
  {
    name: 'everybody does everything, and journals are succeeded all the time',
    plan: {
      options: { ...bounded },
      limits,
      producers: { count: 3, batch: 4, atOnce: 3, mixed: true },
      consumers: {
        count: 3,
        batch: 4,
        deeds: { claim: 6, dequeue: 2, delete: 1, read: 2 },
        nackOneIn: 10,
        holdOneIn: 20,
      },
      readers: 1,
      verifiers: 1,
      reopenEvery: 30,
      killEveryMs: KILLS,
      stopEveryMs: 600,
      allOneIn: 10,
      forMs: 8_000,
    },
  },
  {
    // Who is killed over the lock keeps everybody out until that is stale, so a lease is longer.
    name: 'with lock files',
    plan: {
      options: { durability: 'written', locking: 'lockfile', ...bounded },
      limits,
      producers: { count: 2, batch: 3 },
      consumers: {
        count: 2,
        batch: 5,
        deeds: { claim: 6, dequeue: 2, delete: 1, read: 1 },
        nackOneIn: 10,
        leaseMs: 10_000,
      },
      readers: 1,
      reopenEvery: 50,
      killEveryMs: 2_000,
      forMs: 7_000,
    },
  },
  {
    name: 'they dequeue',
    plan: {
      options: { durability: 'written', ...bounded },
      producers: { count: 2, batch: 1 },
      consumers: { count: 3, batch: 5, deeds: { dequeue: 1 } },
      killEveryMs: KILLS,
      forMs: 5_000,
    },
  },
  {
    name: 'they dequeue, with lock files',
    plan: {
      options: { durability: 'written', locking: 'lockfile', ...bounded },
      producers: { count: 2, batch: 1 },
      consumers: { count: 3, batch: 5, deeds: { dequeue: 1 } },
      killEveryMs: 2_000,
      forMs: 6_000,
    },
  },
];

for (const { name, plan } of kills) {
  t.test(`producers and consumers are killed at random: ${name}`, async (t) => {
    const { counts } = await soakAndJudge(t, plan);
    t.ok(counts.kills > 0, 'somebody was killed');
  });
}

t.test('stopped and continued at random, nothing comes twice', async (t) => {
  const { ledger } = await soakAndJudge(t, {
    options: { durability: 'written', ...bounded },
    producers: { count: 2, batch: 1 },
    consumers: { count: 2, batch: 5, deeds: { claim: 1 } },
    stopEveryMs: 250,
    forMs: 4_000,
  });
  t.equal(ledger.counts.deliveries, ledger.counts.acknowledged, 'each once');
});
