import t from 'tap';
import { openQueue } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A million, or fewer where somebody is in a hurry. */
const COUNT = Number(process.env['DELAYED'] ?? 1_000_000);
const BATCH = 40;
/** So many moments at which messages fall due. */
const MOMENTS = 500;
/** What the messages of all moments may cost in memory, above what a queue with none costs. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What is enqueued at a time is due at a time; every moment has its share, spread over all of the log. */
const momentOf = (index: number): number => 1 + ((Math.floor((index - 1) / BATCH) * 7919) % MOMENTS);

const memory = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

t.test(
  `${COUNT} delayed messages: reopened, and had in order when they are due`,
  { timeout: 300_000 },
  async (t) => {
    const directory = await temporaryDirectory(t);
    const clock = new MovedClock();
    const options = {
      directory,
      clock,
      durability: 'written',
      indexer: false,
      maxFileSize: 16 * 1024 * 1024,
    } as const;
    const writer = await openQueue<number>(options);
    for (let from = 1; from <= COUNT; from += BATCH)
      await writer.enqueueMany(range(from, from + BATCH - 1), { delayMs: momentOf(from) * 1000 });
    await writer.close();

    const before = memory();
    const queue = await openQueue<number>(options);
    t.equal(await queue.length(), 0);
    t.equal((await queue.stats()).delayed, COUNT);
    const used = memory() - before;
    t.comment(`found: ${COUNT} delayed messages take ${(used / 1024 / 1024).toFixed(1)} MiB`);
    t.ok(used < MOST_BYTES, `${used} bytes`);

    let had = 0;
    for (let moment = 1; moment <= MOMENTS; moment++) {
      clock.advance(999);
      if (moment % 100 === 1) t.equal(await queue.dequeue(), undefined, 'not a millisecond before');
      clock.advance(1);
      const due = await queue.flush();
      let index = 0;
      for (const value of due) {
        if (value <= index || momentOf(value) !== moment)
          t.fail(`${value} came at moment ${moment}, behind ${index}`);
        index = value;
      }
      had += due.length;
    }
    t.equal(had, COUNT);
    const { delayed, length } = await queue.stats();
    t.same({ delayed, length }, { delayed: 0, length: 0 });
    await queue.close();
  },
);
