import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

onBothDisks('progress is heard in every process, with its value', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const heard = { queue: [] as unknown[], other: [] as unknown[] };
  queue.on('progress', (event) => heard.queue.push(event));
  other.on('progress', (event) => heard.other.push(event));
  await queue.enqueueMany([1, 2]);
  const deliveries = await queue.claimMany(2);
  for (const value of [50, null, 'half', { done: [1, 2], of: 3 }, 'ä'.repeat(32 * 1024 - 1)]) {
    for (const one of deliveries) {
      t.equal(await one.progress(value), undefined);
      const wanted = { index: one.index, value };
      await until('both to hear', () =>
        [heard.queue, heard.other].every((all) => JSON.stringify(all.at(-1)) === JSON.stringify(wanted)),
      );
    }
  }
  t.equal(heard.queue.length, 10);
});

onBothDisks(
  'what has no JSON form is CODEC, what is too long RECORD_TOO_LARGE; the claim stays',
  async (t, world) => {
    const queue = await world.openQueue<number>();
    await queue.enqueue(1);
    const delivery = await queue.claim();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const wrong of [undefined, () => 1, circle, 1n])
      await t.rejects(async () => delivery?.progress(wrong), { code: 'CODEC' });
    await t.rejects(async () => delivery?.progress('a'.repeat(65_535)), { code: 'RECORD_TOO_LARGE' });
    await delivery?.progress('a'.repeat(65_534));
    await delivery?.ack();
    await t.rejects(async () => delivery?.progress(1), { code: 'LEASE_LOST' });
  },
);

onBothDisks('who has lost the message tells nothing of it', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const heard: unknown[] = [];
  other.on('progress', (event) => heard.push(event));
  await queue.enqueueMany([1, 2]);
  const [one, two] = await queue.claimMany(2);
  await one?.nack();
  await other.cancel(2);
  for (const lost of [one, two]) await t.rejects(async () => lost?.progress(1), { code: 'LEASE_LOST' });
  await settle();
  t.same(heard, []);
});

const SHORT: JournalLimits = {
  reserveBytes: 1024,
  leastReserveBytes: 256,
  leastGainBytes: 64,
  shortenFromBytes: 400,
  shortenFactor: 2,
};

t.test(
  'who missed a journal hears of what was told last, and of who died, and of nothing twice',
  async (t) => {
    // Its timers stand still: the sleeper looks when it is told to.
    const clock = new MovedClock();
    const machine = new MemoryDisk();
    const { directory, files } = memoryWorld(t, machine);
    const busy = await openQueueOn<number>(machine.opener(), { directory, clock }, SHORT);
    t.teardown(() => busy.close());
    const sleeper = await openQueueOn<number>(
      machine.opener(),
      { directory, clock, indexer: { watch: false } },
      SHORT,
    );
    t.teardown(() => sleeper.close());
    await busy.enqueueMany(range(1, 40));
    const [first, second, third, fourth, ...rest] = await busy.claimMany(40);
    await first?.progress('known before');
    await second?.reject('known before');
    await sleeper.length();
    const heard: unknown[] = [];
    sleeper.on('progress', ({ index, value }) => heard.push([index, value]));
    sleeper.on('dead', ({ index, reason }) => heard.push([index, reason]));
    await third?.progress('told');
    await fourth?.reject('told');
    await sleeper.length();
    await until('the first news', () => heard.length === 2);
    const [fifth, sixth, seventh, ...others] = rest;
    const journal = (): number =>
      Math.max(...files(/fate\.\d+$/).map((name) => Number(name.split('.').at(-1))));
    const before = journal();
    await fifth?.progress(1);
    await sixth?.reject('missed');
    for (let n = 1; n <= 60; n++) await seventh?.progress(n);
    for (const one of others.slice(0, 20)) await one.ack();
    t.ok(journal() > before + 2, 'several journals have come and gone');
    await sleeper.length();
    await until('the news of what was missed', () => heard.length >= 5);
    await settle();
    t.same(heard.slice(0, 2).sort(), [
      [3, 'told'],
      [4, 'told'],
    ]);
    t.same(heard.slice(2).sort(), [
      [5, 1],
      [6, 'missed'],
      [7, 60],
    ]);
    await busy.deadLetters.requeue(4);
    const again = await busy.claim();
    await again?.reject('again');
    await sleeper.length();
    await until('one that died again', () => heard.length === 6);
    t.same(heard[5], [4, 'again']);
  },
);
