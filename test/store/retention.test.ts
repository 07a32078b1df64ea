/** What is older, or more, than is to be kept goes: whole segments, the oldest first. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Engine } from '../../src/store/engine.js';
import { EngineStore } from '../../src/store/store.js';
import { until } from '../support/until.js';
import { openEngine } from './engines.js';
import { MovedClock } from './moved-clock.js';
import { fileOf, range } from './records.js';
import { lockFileMachine, memoryWorld, onBothDisks } from './world.js';

const HOUR = 3_600_000;
const record = (index: number): Uint8Array => new Uint8Array(100).fill(index);
/** Ten records a segment. */
const maxFileSize = fileOf(10, 100);
/** What a segment of ten counts for, its entries and their header among them. */
const segment = maxFileSize + 32 + 10 * 32;

async function indexes(store: {
  entries(): AsyncIterable<{ index: number; data: Uint8Array }>;
}): Promise<number[]> {
  const found: number[] = [];
  for await (const { index, data } of store.entries()) {
    t.ok(data.every((byte) => byte === (index & 0xff)));
    found.push(index);
  }
  return found;
}

onBothDisks('never more than so many bytes and the segment that is being written', async (t, world) => {
  const retention = { maxBytes: 3 * segment };
  const store = await world.openStore({ maxFileSize, retention, durability: 'written' });
  for (const index of range(1, 95)) {
    t.equal(await store.write(record(index)), index);
    const oldest = await store.firstIndex();
    t.equal(oldest, Math.max(1, Math.floor((index - 1) / 10) * 10 - 30 + 1), `oldest at ${index}`);
  }
  t.same(await indexes(store), range(61, 95));
  await until('what is gone is unlinked', () => world.files(/\.dat$/).length === 4);
  await store.close();
  const less = await world.openStore({ maxFileSize, retention: { maxBytes: 0 }, durability: 'written' });
  await until('what was there before goes at opening', async () => (await less.firstIndex()) === 91);
  t.same(await indexes(less), range(91, 95));
});

onBothDisks('claimed messages go, too, and their consumers hear of it', async (t, world) => {
  const queue = await world.openQueue<string>({
    codec: 'json',
    maxFileSize: 400,
    retention: { maxBytes: 800 },
    durability: 'written',
  });
  await queue.enqueue('first'.padEnd(100));
  const delivery = await queue.claim();
  while (!(delivery?.signal.aborted ?? true)) await queue.enqueue('more'.padEnd(100));
  await delivery?.ack();
  t.not(await queue.store.firstIndex(), 1);
});

/** A store of 35 records, of which those of each segment are an hour younger than those before. */
async function aged(
  t: Test,
  retention: { maxAgeMs: number },
  machine = new MemoryDisk(),
): Promise<{ clock: MovedClock; engine: Engine; store: EngineStore }> {
  const clock = new MovedClock();
  const engine = await openEngine(t, machine, {
    clock,
    maxFileSize,
    retention,
    durability: 'written',
  });
  const store = new EngineStore(engine);
  for (const index of range(1, 35)) {
    await store.write(record(index));
    if (index % 10 === 0) clock.advance(HOUR);
  }
  return { clock, engine, store };
}

/** Lets minutes pass, one after the other, and what comes of each be done. */
async function pass(clock: MovedClock, engine: Engine, minutes: number): Promise<void> {
  for (const _ of range(1, minutes)) {
    clock.advance(60_000);
    await engine.retention.idle();
  }
}

t.test('whole segments that are too old go, within two minutes', async (t) => {
  const { clock, engine, store } = await aged(t, { maxAgeMs: 3.5 * HOUR });
  await pass(clock, engine, 30);
  t.equal(await store.firstIndex(), 1, 'the first is three and a half hours old');
  await pass(clock, engine, 2);
  t.equal(await store.firstIndex(), 11);
  await pass(clock, engine, 58);
  t.equal(await store.firstIndex(), 11);
  await pass(clock, engine, 2);
  t.equal(await store.firstIndex(), 21);
  t.same(await indexes(store), range(21, 35));
});

for (const machine of [new MemoryDisk(), lockFileMachine()])
  t.test('a segment that nobody writes to any more goes as well, and indexes go on', async (t) => {
    const { clock, engine, store } = await aged(t, { maxAgeMs: HOUR }, machine);
    await pass(clock, engine, 70);
    t.equal(await store.length(), 0);
    t.equal(await store.write(record(36)), 36);
    t.same(await indexes(store), [36]);
  });

t.test('a damaged segment is neither in the way nor kept for ever', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const { clock } = await aged(t, { maxAgeMs: 1000 * HOUR }, machine);
  // Who comes first looks at all headers, and would be told.
  world.flip('duro_00000000000000000001.dat', 3);
  world.flip('duro_00000000000000000011.idx', 3);
  const retention = { maxAgeMs: 2.5 * HOUR, maxBytes: 10 * segment };
  const later = await openEngine(t, machine, { clock, maxFileSize, retention, durability: 'written' });
  const store = new EngineStore(later);
  for (const index of range(36, 55)) t.equal(await store.write(record(index)), index);
  t.equal(await store.indexAt(clock.now()), 31);
  await pass(clock, later, 3);
  t.equal(await store.firstIndex(), 1, 'what comes behind it says how old it is at least');
  clock.advance(HOUR);
  await pass(clock, later, 3);
  t.equal(await store.firstIndex(), 21);
});

t.test('a wall clock that was set makes nothing old', async (t) => {
  const { clock, engine, store } = await aged(t, { maxAgeMs: 24 * HOUR });
  clock.setWall(clock.now() + 10_000 * HOUR);
  clock.advance(60_000);
  await engine.retention.idle();
  t.equal(await store.firstIndex(), 1, 'the two looks do not agree');
  clock.setWall(clock.now() - 10_000 * HOUR);
  await pass(clock, engine, 3);
  t.equal(await store.firstIndex(), 1);
  clock.advance(25 * HOUR);
  await pass(clock, engine, 3);
  t.equal(await store.length(), 0);
});

t.test('readers are told of what they missed, and see no wrong byte', async (t) => {
  const world = memoryWorld(t, new MemoryDisk());
  const store = await world.openStore({
    maxFileSize,
    retention: { maxBytes: 2 * segment },
    durability: 'written',
  });
  const readers = await Promise.all(
    range(1, 8).map(async (reader) => {
      const opened = await world.openStore({ maxFileSize, durability: 'written' });
      const seen: number[] = [];
      const missed: number[] = [];
      const walk = opened.entries({
        from: 1,
        to: 401,
        follow: true,
        onGap: ({ from, to }) => missed.push(...range(from, to - 1)),
      });
      return async () => {
        for await (const { index, data } of walk) {
          t.ok(data.length === 100 && data.every((byte) => byte === (index & 0xff)), `${index}`);
          seen.push(index);
          // Some are slower than the writer.
          for (let turn = 0; turn < reader - 1; turn++) await new Promise((resolve) => setImmediate(resolve));
        }
        return [...seen, ...missed].sort((a, b) => a - b);
      };
    }),
  );
  const reading = readers.map((read) => read());
  for (const index of range(1, 400)) {
    await store.write(record(index));
    if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const all of await Promise.all(reading)) t.same(all, range(1, 400));
});
