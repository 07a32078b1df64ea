import { readdirSync } from 'node:fs';
import t from 'tap';
import { osDisk } from '../../src/disk/os.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { range } from '../store/records.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';

const SEGMENTS = 100;
const DEAD = 1000;
const PAYLOAD = 'x'.repeat(1000);
/** Some hundred messages a segment. */
const MAX_FILE_SIZE = 128 * 1024;
const COMPACTION = { leastBytes: 0, everyMs: 1, retryMs: 1 };

t.test(
  'dead letters spread over many segments keep about what they hold',
  { timeout: 120_000 },
  async (t) => {
    const directory = await temporaryDirectory(t);
    const options = { directory, durability: 'written', maxFileSize: MAX_FILE_SIZE, indexer: false } as const;
    const queue = await openQueueOn<{ at: number; payload: string }>(osDisk, options, undefined, {
      compaction: COMPACTION,
    });
    const dead: number[] = [];
    let index = 0;
    while ((await queue.stats()).files <= SEGMENTS) {
      const values = range(1, 120).map((at) => ({ at: index + at, payload: PAYLOAD }));
      await queue.enqueueMany(values);
      index += values.length;
    }
    const total = index;
    const every = Math.floor(total / DEAD);
    const before = await queue.size();
    for (;;) {
      const deliveries = await queue.claimMany(1000);
      if (deliveries.length === 0) break;
      await Promise.all(
        deliveries.map((delivery) => {
          if (delivery.index % every !== 0) return delivery.ack();
          dead.push(delivery.index);
          return delivery.reject('on purpose');
        }),
      );
    }
    t.ok(dead.length >= DEAD, `${dead.length} dead letters`);
    const held = dead.length * PAYLOAD.length;
    // Beside them: heads, marks and entries, the last segment, and the journal with its reserve.
    const most = 1.3 * held + MAX_FILE_SIZE + 1024 * 1024;
    const size = await until(
      'the disk to be given back',
      async () => {
        const now = await queue.size();
        return now < most && now;
      },
      60_000,
    );
    t.comment(
      `found: ${before} bytes before, ${size} after, ${held} of them values; ${readdirSync(directory).length} files`,
    );
    const found: number[] = [];
    for await (const letter of queue.deadLetters.list()) {
      t.equal(letter.value().at, letter.index);
      found.push(letter.index);
    }
    t.same(
      found,
      dead.sort((a, b) => a - b),
    );
    t.equal(
      (await queue.stats()).pinnedBy.every(({ why }) => why === 'dead'),
      true,
    );
    t.equal(await queue.deadLetters.requeue(), dead.length);
    t.same(
      (await queue.flush()).map(({ at }) => at),
      found,
    );
    await queue.close();
  },
);
