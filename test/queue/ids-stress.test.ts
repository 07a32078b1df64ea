import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { random } from '../support/random.js';
import { settle } from './settle.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 8);
const COMPACTION = { leastBytes: 100, everyMs: 1, retryMs: 1 };

/** Three openers enqueue the same ids again and again, two consume, and segments come, go and are succeeded all the time. */
async function stress(t: Test, locking: 'os' | 'lockfile', round: number): Promise<void> {
  const draw = random(t);
  const machine = new MemoryDisk({ seed: round });
  const options = {
    directory: '/store',
    durability: 'written',
    maxFileSize: 700,
    maxFiles: 100_000,
    locking,
  } as const;
  const open = (): Promise<Queue<string>> =>
    openQueueOn<string>(machine.opener(), options, undefined, { compaction: COMPACTION });
  const queues = [await open(), await open(), await open()];
  const indexes = new Map<string, Set<number>>();
  const had: string[] = [];
  const produce = async (queue: Queue<string>): Promise<void> => {
    for (let count = 0; count < 120; count++) {
      const id = `id ${draw.integer(0, 100)}`;
      const index = await queue.enqueue(id, { id });
      indexes.set(id, (indexes.get(id) ?? new Set()).add(index));
      if (draw.chance(0.2)) await settle(draw.integer(1, 4));
    }
  };
  const consume = async (queue: Queue<string>): Promise<void> => {
    for (;;) {
      const values = await queue.dequeueMany(3, { waitMs: 60 });
      if (values.length === 0) return;
      had.push(...values);
      if (draw.chance(0.1)) await (await queue.claim())?.nack();
    }
  };
  const [one, two, three] = queues as [Queue<string>, Queue<string>, Queue<string>];
  await Promise.all([...queues.map(produce), consume(one), consume(two)]);
  had.push(...(await three.flush()));
  for (const [id, answers] of indexes) if (answers.size > 1) t.fail(`${id} is ${[...answers].join(' and ')}`);
  t.same(had.sort(), [...indexes.keys()].sort(), `round ${round}: each id once`);
  for (const queue of queues) await queue.close();
}

for (const locking of ['os', 'lockfile'] as const) {
  t.test(`ids are stored once while segments go, with ${locking}`, async (t) => {
    for (let round = 1; round <= ROUNDS; round++) await stress(t, locking, round);
  });
}
