import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { Enqueued, ManyOrders, Took } from './many-openers-child.js';

const DEADLINE_MS = 120_000;
const has =
  <T extends object>(key: keyof T) =>
  (message: unknown): message is T =>
    typeof message === 'object' && message !== null && key in message;

for (const { locking, processes, openers, each } of [
  { locking: 'os', processes: 8, openers: 8, each: 10 },
  // One after the other, and about 12 ms for each of the others that are busy.
  { locking: 'lockfile', processes: 4, openers: 4, each: 10 },
] as const) {
  const total = processes * openers * each;
  t.test(`${processes * openers} openers in ${processes} processes: ${locking}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const options = { durability: 'written', locking, maxFileSize: 4096 } as const;
    const programs = Array.from({ length: processes }, (_, n) => {
      const orders: ManyOrders = { directory, options, name: `${n}`, openers, each };
      return startProgram(t, 'test/processes/many-openers-child.js', { args: [JSON.stringify(orders)] });
    });
    for (const program of programs) await program.message(has('opened'), DEADLINE_MS);
    for (const program of programs) program.send('enqueue');
    const enqueued: (readonly [number, string])[] = [];
    for (const program of programs)
      enqueued.push(...(await program.message(has<Enqueued>('enqueued'), DEADLINE_MS)).enqueued);
    for (const program of programs) program.send('look');
    for (const program of programs) await program.message(has('looked'), DEADLINE_MS);
    for (const program of programs) program.send('take');
    const reports: Took[] = [];
    for (const program of programs) reports.push(await program.message(has<Took>('took'), DEADLINE_MS));
    for (const program of programs) t.same(await program.ended(), { code: 0, signal: null });

    const byIndex = [...enqueued].sort(([a], [b]) => a - b);
    t.same(
      byIndex.map(([index]) => index),
      Array.from({ length: total }, (_, n) => n + 1),
      'each index once',
    );
    t.equal(new Set(enqueued.map(([, value]) => value)).size, total);
    t.same(
      reports.flatMap(({ lengths }) => lengths),
      Array.from({ length: processes * openers }, () => total),
      'everybody saw all of them',
    );
    t.same(
      reports.flatMap(({ took }) => took).sort(([a], [b]) => a - b),
      byIndex.map(([index, value]) => [index, value, 1]),
      'each was had once, and is what was enqueued',
    );
    const queue = await openQueue<string>({ ...options, directory });
    t.match(await queue.stats(), { waiting: 0, claimed: 0, files: 1, lost: 0, nextIndex: total + 1 });
    await queue.close();
  });
}
