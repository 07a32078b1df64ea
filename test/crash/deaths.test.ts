/**
 * Every crash point: each program of programs.ts dies at each of its operations, in the midst of its writes, and the power
 * with it. Programs run in threads side by side.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import PQueue from 'p-queue';
import t from 'tap';
import { random } from '../support/random.js';
import type { WorkerOrders, WorkerReport } from './deaths-worker.js';
import { programs } from './programs.js';

/** What this is for: fewer, and something is not looked at any more. */
const LEAST_STATES = 100_000;

const numbers = random(t);
const threads = new PQueue({ concurrency: availableParallelism() });
let distinct = 0;
let visited = 0;

const explore = (orders: WorkerOrders): Promise<WorkerReport> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./deaths-worker.js', import.meta.url), { workerData: orders });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) =>
      reject(new Error(`${orders.program}: ended with ${code}, and told nothing`)),
    );
  });

const reports = programs.map(({ name }) => {
  const orders = { program: name, seed: numbers.integer(0, 2 ** 31) };
  return { name, report: threads.add(() => explore(orders)) };
});

for (const { name, report } of reports)
  t.test(name, async (t) => {
    const found = await report;
    distinct += found.distinct;
    visited += found.visited;
    for (const { where, found: problems } of found.failures) t.fail(where, { found: problems });
    t.equal(found.bad, 0, `${found.distinct} distinct states of ${found.visited}`);
  });

t.test('enough was looked at', async (t) => {
  t.comment(`found: ${distinct} distinct crash states, of ${visited} that came up`);
  t.ok(distinct >= LEAST_STATES, `${distinct} distinct crash states, of ${LEAST_STATES} at the least`);
});
