import type { Queue } from '../../src/mod.js';
import { messageOf, NEVER } from './soak-plan.js';
import type { Workplace } from './soak-workplace.js';

interface Batch {
  /** The number of its first message in this life. */
  readonly from: number;
  readonly count: number;
}

/**
 * Enqueues all the time. Notes `try`, number of the first message, how many, when, before each call; then `ok`, the same, the
 * first index, when; or `lost` or `maybe`.
 */
export async function produce(at: Workplace): Promise<void> {
  const { chance, notes, plan, signal } = at;
  const { batch, atOnce = 1 } = plan.producers;
  let next = 0;
  for (let calls = 1; !signal.aborted; calls++) {
    const queue = await at.queue();
    const batches: Batch[] = [];
    const together = chance.chance(0.2) ? chance.integer(1, atOnce) : 1;
    while (batches.length < together) {
      const count = chance.integer(1, batch);
      batches.push({ from: next, count });
      next += count;
    }
    const begun = at.now();
    notes.write(batches.map(({ from, count }) => ['try', from, count, begun]));
    const told = await Promise.all(batches.map((one) => enqueue(at, queue, one)));
    if (told.includes('maybe') || calls % (plan.reopenEvery ?? NEVER) === 0) await at.close();
  }
  await at.close();
}

async function enqueue(
  at: Workplace,
  queue: Queue<string>,
  { from, count }: Batch,
): Promise<'ok' | 'lost' | 'maybe'> {
  const messages = Array.from({ length: count }, (_, n) => messageOf(at.life, from + n));
  const [message = ''] = messages;
  const durability = at.plan.producers.mixed ? at.chance.pick(['written', 'synced'] as const) : undefined;
  let indexes: number[];
  try {
    indexes =
      count === 1
        ? [await queue.enqueue(message, { durability })]
        : await queue.enqueueMany(messages, { durability });
  } catch (error) {
    const word = at.excuse(error);
    at.notes.write([[word, from, count]]);
    return word;
  }
  const [first = 0] = indexes;
  if (indexes.length !== count || indexes.some((index, n) => index !== first + n))
    at.odd(`a batch of ${count} at ${indexes}`);
  at.notes.write([['ok', from, count, first, at.now()]]);
  return 'ok';
}
