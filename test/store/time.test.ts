/** Records by when they were written. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { HEADER_BYTES } from '../../src/frame/file-header.js';
import { ENTRY_BYTES } from '../../src/segment/entry.js';
import type { Entry } from '../../src/store/entries.js';
import { EngineStore } from '../../src/store/store.js';
import { random } from '../support/random.js';
import { openEngine } from './engines.js';
import { MovedClock } from './moved-clock.js';
import { fileOf, range } from './records.js';
import { memoryWorld, onBothDisks } from './world.js';

const START = Date.UTC(2030, 0, 1);
const record = new Uint8Array(10);

async function indexes(entries: AsyncIterable<Entry>): Promise<number[]> {
  const found: number[] = [];
  for await (const { index } of entries) found.push(index);
  return found;
}

onBothDisks(
  'the first index at or after a time, and ranges by time, are half-open and exact',
  async (t, world) => {
    const clock = new MovedClock();
    const store = await world.openStore({ clock, durability: 'written', maxFileSize: fileOf(4, 10) });
    t.equal(await store.indexAt(0), 1, 'of nothing: the next one');
    for (const _ of range(1, 10)) {
      await store.writeMany([record, record]);
      clock.advance(100);
    }
    t.same(
      await Promise.all([-1, 0, 1, 100, 101, 850, 900, 901].map((ms) => store.indexAt(START + ms))),
      [1, 1, 3, 3, 5, 19, 19, 21],
    );
    t.equal(await store.indexAt(new Date(START + 200)), 5);
    t.equal(await store.indexAt(Number.MAX_VALUE), 21);
    const at = (ms: number): Date => new Date(START + ms);
    t.same(await indexes(store.entries({ from: at(300), to: at(500) })), [7, 8, 9, 10]);
    t.same(await indexes(store.entries({ from: at(301), to: at(301) })), []);
    t.same(await indexes(store.entries({ from: at(850) })), [19, 20]);
    t.same(await indexes(store.entries({ to: at(100) })), [1, 2]);
    t.same(await indexes(store.entries({ from: 4, to: at(200) })), [4]);
    t.same(await indexes(store.entries({ from: at(0), to: 4, limit: 2 })), [1, 2]);
    t.same(await indexes(store.entries({ from: at(5000) })), []);
  },
);

onBothDisks('times never go backwards, also where the clock does', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ clock, durability: 'written' });
  await store.write(record);
  clock.setWall(START - 5000);
  await store.write(record);
  clock.setWall(START + 10);
  await store.write(record);
  t.same(await Promise.all([START - 5000, START, START + 1].map((time) => store.indexAt(time))), [1, 1, 3]);
  t.equal((await store.entry(2))?.time.getTime(), START);
});

t.test('exact against a linear scan: many segments, gaps, missing and damaged entries', async (t) => {
  const { integer } = random(t);
  const below = (end: number): number => integer(0, Math.max(0, end - 1));
  for (const _ of range(1, 12)) {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const clock = new MovedClock();
    const options = { clock, durability: 'written', maxFileSize: fileOf(6 + below(30), 10) } as const;
    const compaction = { leastBytes: 0, everyMs: 2 ** 40, retryMs: 0 };
    const engine = await openEngine(t, machine, options, compaction);
    const written = new EngineStore(engine);
    for (const _ of range(1, 40 + below(60))) {
      await written.writeMany(range(0, below(6)).map(() => record));
      if (below(3) > 0) clock.advance(below(50));
      else if (below(5) === 0) clock.setWall(clock.now() - below(200));
    }
    const next = await written.nextIndex();
    await written.delete(range(1, below(next)).filter(() => below(20) > 0));
    for (const _ of range(1, below(6))) await engine.compactor.run();
    await written.close();
    for (const name of world.files(/\.idx$/)) {
      const content = world.bytes(name);
      if (below(6) === 0) world.remove(name);
      else if (below(3) === 0 && content.length > HEADER_BYTES)
        for (const _ of range(1, 1 + below(20)))
          world.flip(name, HEADER_BYTES + below(content.length - HEADER_BYTES));
      t.ok(content.length % ENTRY_BYTES === 0);
    }
    const store = await world.openStore(options);
    const there: [number, number][] = [];
    for await (const { index, time } of store.entries()) there.push([index, time.getTime()]);
    const last = clock.now();
    for (const time of [
      ...range(1, 200).map(() => START - 50 + below(last - START + 100)),
      ...there.map(([, at]) => at),
    ]) {
      const expected = there.find(([, at]) => at >= time)?.[0] ?? next;
      const found = await store.indexAt(time);
      if (found !== expected) t.equal(found, expected, `at ${time - START} of ${JSON.stringify(there)}`);
    }
    t.ok(there.length > 0 || next > 0);
    await store.close();
  }
});

t.test('exact in a large store: 100,000 records, and one time over several segments', async (t) => {
  const { integer, chance } = random(t);
  const clock = new MovedClock();
  const world = memoryWorld(t);
  const store = await world.openStore({ clock, durability: 'written', maxFileSize: 64 * 1024 });
  const total = 100_000;
  for (let left = total; left > 0; ) {
    const count = Math.min(left, chance(0.5) ? integer(1, 20) : integer(1, 1000));
    await store.writeMany(Array.from({ length: count }, () => record));
    left -= count;
    // A batch never spans files, so one time spans several where it stands still, or goes back, for some batches.
    if (chance(0.7)) clock.advance(chance(0.5) ? 1 : integer(1, 5000));
    else if (chance(0.2)) clock.setWall(clock.now() - integer(1, 10_000));
  }
  const times: number[] = [];
  for await (const { time } of store.entries()) times.push(time.getTime());
  t.equal(times.length, total);
  const begins = world.files(/\.dat$/).map((name) => Number(/_(\d+)\./.exec(name)?.[1]));
  t.ok(begins.length > 60, `${begins.length} segments`);
  t.ok(
    begins.some((first) => first > 1 && times[first - 1] === times[first - 2]),
    'one time on both sides of a border',
  );
  const [earliest = 0, latest = 0] = [times[0], times.at(-1)];
  const samples = [
    ...range(1, 1500).map(() => integer(earliest - 10, latest + 10)),
    ...range(1, 500).map(() => times[integer(0, total - 1)] ?? 0),
    ...begins.flatMap((first) => [-1, 0, 1].map((ms) => (times[first - 1] ?? 0) + ms)),
  ];
  const openers = [store, await world.openStore({ clock, durability: 'written' })];
  for (const time of samples) {
    const place = times.findIndex((at) => at >= time);
    const expected = place < 0 ? total + 1 : place + 1;
    for (const opener of openers) {
      const found = await opener.indexAt(time);
      if (found !== expected) t.equal(found, expected, `at ${time - START}`);
    }
  }
});

onBothDisks('who follows from a time to come, or until one, sees what is between', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ clock, durability: 'written' });
  await store.write(record);
  const at = (ms: number): Date => new Date(START + ms);
  const found = indexes(store.entries({ from: at(100), to: at(300), follow: true }));
  for (const _ of range(1, 5)) {
    clock.advance(60);
    await store.write(record);
  }
  // 60, 120, 180, 240 and 300 ms after the beginning.
  t.same(await found, [3, 4, 5]);
  const quiet = indexes(store.entries({ from: at(300), to: at(1000), follow: true }));
  await store.write(record);
  clock.advance(1000);
  t.same(await quiet, [6, 7], 'the clock ends it');
});

t.test('what is no time is refused', async (t) => {
  const store = await memoryWorld(t).openStore();
  const refused = { code: 'INVALID_OPTION' };
  await t.rejects(store.indexAt(Number.NaN), refused);
  await t.rejects(store.indexAt(new Date('never')), refused);
  await t.rejects(store.indexAt('2030-01-01' as unknown as Date), refused);
  await t.rejects(store.entries({ from: new Date(Number.NaN) }).next(), refused);
  await t.rejects(store.entries({ to: new Date(Number.NaN) }).next(), refused);
});
