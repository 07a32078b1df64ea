/**
 * What goes wrong in the logs that this one follows (Uroboros, immuta with solid, voik, commitlog), and does not here. `test/ported.md`
 * says which is which, and where else a row is shown.
 */
import { existsSync, readdirSync } from 'node:fs';
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { HEAD_BYTES } from '../../src/frame/frame.js';
import { compress, verify } from '../../src/mod.js';
import type { Store } from '../../src/store/contract.js';
import type { Entry } from '../../src/store/entries.js';
import { until } from '../support/until.js';
import { MovedClock } from './moved-clock.js';
import { bytes, contents, fileOf, range, text } from './records.js';
import { memoryWorld, onBothDisks, osWorld } from './world.js';

const written = { durability: 'written' } as const;
const tens = { ...written, maxFileSize: fileOf(10, 100) };
const DATA = 'duro_00000000000000000001.dat';
const ENTRIES = 'duro_00000000000000000001.idx';
const record = (n: number, size = 100): Uint8Array => new Uint8Array(size).fill(n);

async function indexes(entries: AsyncIterable<Entry>): Promise<number[]> {
  const found: number[] = [];
  for await (const { index } of entries) found.push(index);
  return found;
}

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (const n of range(from, to)) await store.write(record(n));
}

const FDS = '/proc/self/fd';
const noDescriptors = !existsSync(FDS) && 'nothing here tells how many descriptors are in use';
const descriptors = (): number => readdirSync(FDS).length;

// Uroboros

onBothDisks('Uroboros: sizes of 8 bits and times of 32: neither is so small here', async (t, world) => {
  const clock = new MovedClock();
  // 2150: more than 32 bits of milliseconds, and of seconds.
  clock.setWall(Date.UTC(2150, 0, 1));
  const store = await world.openStore({ ...written, clock });
  await store.writeMany(range(1, 300).map((n) => record(n, n)));
  const found: [number, number][] = [];
  for await (const { index, size, time, data } of store.entries()) {
    t.ok(Buffer.compare(data, record(index, index)) === 0);
    found.push([size, time.getTime()]);
  }
  t.same(
    found,
    range(1, 300).map((n) => [n, Date.UTC(2150, 0, 1)]),
  );
  t.equal(await store.indexAt(Date.UTC(2150, 0, 1)), 1);
});

onBothDisks('Uroboros: an index that is never loaded: here it is, in every opener', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ ...tens, clock });
  for (const n of range(1, 45)) {
    await store.write(record(n));
    clock.advance(1000);
  }
  await store.close();
  const again = await world.openStore(tens);
  for (const n of range(1, 45)) t.same(await again.read(n), record(n));
  t.equal(await again.indexAt(clock.now() - 20_000), 26);
});

onBothDisks(
  'Uroboros: a torn index ends reading without a word: here nothing is left out',
  async (t, world) => {
    for (const torn of [1, 16, 33, 300]) {
      const filePrefix = `torn${torn}`;
      const store = await world.openStore({ ...tens, filePrefix });
      await fill(store, 1, 10);
      await store.close();
      const name = ENTRIES.replace('duro', filePrefix);
      const whole = world.bytes(name);
      world.put(name, whole.subarray(0, whole.length - torn));
      const again = await world.openStore({ ...tens, filePrefix });
      t.same(await indexes(again.entries()), range(1, 10));
      t.same(await indexes(again.entries({ from: new Date(0) })), range(1, 10));
      await again.close();
    }
  },
);

onBothDisks('Uroboros: the end of a range is said nowhere: here it is exclusive', async (t, world) => {
  const store = await world.openStore(tens);
  await fill(store, 1, 25);
  t.same(await indexes(store.entries({ from: 5, to: 8 })), [5, 6, 7]);
  t.same(await indexes(store.entries({ from: 5, to: 5 })), []);
  t.same(await indexes(store.entries({ from: 20, to: 1000 })), range(20, 25));
});

onBothDisks('Uroboros: who reads for a consumer is stopped by itself, and alone', async (t, world) => {
  const store = await world.openStore(written);
  await fill(store, 1, 3);
  const [mail, audit] = [await store.consumer('mail'), await store.consumer('audit')];
  t.equal((await mail.nextMany(9)).length, 3);
  t.equal((await audit.nextMany(9)).length, 3);
  const waitMs = Number.POSITIVE_INFINITY;
  const stopped = t.rejects(mail.next({ waitMs }), { code: 'CLOSED' });
  const goesOn = audit.next({ waitMs });
  await mail.close();
  await stopped;
  await store.write(record(4));
  t.equal((await goesOn)?.index, 4);
});

// immuta

onBothDisks('immuta: a name leaves the directory: here none does', async (t, world) => {
  const log = await world.openLog(written);
  const store = await world.openStore(written);
  const there = world.files(/./);
  for (const name of ['../x', '..', '.', 'a/b', 'a\\b', '/x', '', ' x', 'x\0', '.x', '-x', 'x.'.repeat(51)]) {
    await t.rejects(log.topic(name), { code: 'INVALID_OPTION' }, `topic ${name}`);
    await t.rejects(store.consumer(name), { code: 'INVALID_OPTION' }, `consumer ${name}`);
    await t.rejects(world.openStore({ filePrefix: name }), { code: 'INVALID_OPTION' }, `prefix ${name}`);
  }
  t.same(await log.topics(), []);
  t.same(world.files(/./), there);
});

onBothDisks('immuta: namespaces are fixed at opening: here topics come and go', async (t, world) => {
  const log = await world.openLog({ ...written, partitions: 2 });
  for (const name of ['one', 'two']) {
    const topic = await log.topic(name);
    await topic.append(bytes(name), { key: name });
  }
  t.same(await log.topics(), ['one', 'two']);
  t.equal(await log.removeTopic('one'), true);
  t.same(await log.topics(), ['two']);
  await t.rejects(
    (await log.topic('two')).partition(2),
    { code: 'INVALID_OPTION' },
    'and an unknown one is told',
  );
});

onBothDisks('immuta: two openers corrupt the file: here both write', async (t, world) => {
  const stores = [await world.openStore(tens), await world.openStore(tens)];
  const all = await Promise.all(range(0, 99).map((n) => stores[n % 2]?.write(bytes(`${n}`.padEnd(100)))));
  t.same(
    [...all].sort((a, b) => Number(a) - Number(b)),
    range(1, 100),
  );
  for (const [n, index] of all.entries())
    for (const store of stores) t.equal(text(await store.read(index)), `${n}`.padEnd(100));
});

onBothDisks('immuta: one file that grows for ever: here files roll, and go', async (t, world) => {
  const store = await world.openStore({ ...tens, retention: { maxBytes: 0 } });
  await fill(store, 1, 95);
  await until('old ones are gone', () => world.files(/\.dat$/).length === 1);
  t.same(await indexes(store.entries()), range(91, 95));
});

onBothDisks(
  'immuta: an error while appending is swallowed: here it is told, and nothing is left',
  async (t, world) => {
    const store = await world.openStore(written);
    const mine = new Error('the source is broken');
    async function* source(): AsyncGenerator<Uint8Array, void> {
      yield record(1);
      await null;
      throw mine;
    }
    const before = await store.size();
    await t.rejects(store.writeStream(source()), mine);
    t.equal(await store.size(), before);
    t.equal(await store.nextIndex(), 1);
    t.equal(await store.write(record(1)), 1);
  },
);

onBothDisks('immuta: what is handed in to end a call is not looked at: here it is', async (t, world) => {
  const store = await world.openStore(written);
  const mine = new Error('enough');
  await t.rejects(store.write(record(1), { signal: AbortSignal.abort(mine) }), mine);
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      yield record(1);
    }
  }
  const stop = new AbortController();
  const writing = t.rejects(store.writeStream(endless(), { signal: stop.signal }), mine);
  stop.abort(mine);
  await writing;
  t.equal(await store.nextIndex(), 1);
});

onBothDisks(
  'immuta: what failed first is not rolled back, and is read later: here nothing is left',
  async (t, world) => {
    const store = await world.openStore(tens);
    const mine = new Error('mine');
    const failing = store.transaction((tx) => {
      tx.write(record(1));
      throw mine;
    });
    await t.rejects(failing, mine);
    await t.rejects(store.writeMany([record(1), record(2, 10_000)]), { code: 'RECORD_TOO_LARGE' });
    await store.close();
    const again = await world.openStore(tens);
    t.equal(await again.length(), 0);
    t.equal(await again.write(record(7)), 1);
    t.same(await indexes(again.entries()), [1]);
  },
);

onBothDisks(
  'immuta: without another call nobody sees what was appended: here everybody does',
  async (t, world) => {
    const [writer, reader] = [await world.openStore(written), await world.openStore(written)];
    const next = reader.entries({ follow: true }).next();
    await writer.write(bytes('one'));
    t.equal(text((await next).value?.data), 'one');
  },
);

t.test(
  'immuta: after a crash before the commit the next record is lost, and what was not committed read',
  async (t) => {
    // A transaction of three, cut at each byte of it, and then "two".
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const store = await world.openStore(written);
    await store.write(bytes('one'));
    const size = HEAD_BYTES + 3;
    const whole = (name: string): Buffer => world.bytes(name);
    const from = whole(DATA).indexOf('one') + 3;
    await store.transaction((tx) => {
      for (const value of ['a', 'b', 'c']) tx.write(bytes(value.repeat(3)));
    });
    await store.close();
    const [data, entries] = [whole(DATA), whole(ENTRIES)];
    for (let cut = 0; cut < 3 * size; cut += 1) {
      const other = memoryWorld(t);
      const made = await other.openStore(written);
      await made.close();
      for (const name of world.files(/\./)) other.put(name, world.bytes(name));
      other.put(DATA, data.subarray(0, from + cut));
      other.put(ENTRIES, cut % 2 === 0 ? entries.subarray(0, 64) : entries);
      const opened = await other.openStore(written);
      t.equal(await opened.write(bytes('two')), 2, `cut at ${cut}`);
      t.same(await contents(opened), [
        [1, 'one'],
        [2, 'two'],
      ]);
      await opened.close();
    }
  },
);

// Theirs counts messages; here it is an index, and one that is not there yet is waited for.
onBothDisks('immuta: beginning beyond the end gives what comes from there on', async (t, world) => {
  const store = await world.openStore(written);
  await fill(store, 1, 3);
  t.same(await indexes(store.entries({ from: 100 })), []);
  const entries = indexes(store.entries({ from: 6, follow: true, limit: 2 }));
  await fill(store, 4, 8);
  t.same(await entries, [6, 7]);
});

onBothDisks(
  "immuta: 'from now on' skips what came before the first look: here it does not",
  async (t, world) => {
    const store = await world.openStore(written);
    await fill(store, 1, 3);
    const entries = store.entries({ from: 'next', follow: true, limit: 2 });
    const consumer = await store.consumer('mail', { from: 'next' });
    await store.write(record(4));
    await store.write(record(5));
    t.same(await indexes(entries), [4, 5]);
    t.same(
      (await consumer.nextMany(9)).map(({ index }) => index),
      [4, 5],
    );
  },
);

t.test(
  'immuta: readers hold descriptors, and wait for each other: here none has one',
  { skip: noDescriptors },
  async (t) => {
    const world = await osWorld(t);
    const store = await world.openStore(tens);
    await fill(store, 1, 25);
    await store.read(1);
    const before = descriptors();
    const aborts = range(1, 200).map(() => new AbortController());
    const idle = range(1, 200).map(() => store.entries({ follow: true }));
    for (const entries of idle) t.equal((await entries.next()).value?.index, 1, 'left in the midst');
    const waiting = aborts.map(({ signal }) => {
      const entries = store.entries({ from: 'next', follow: true, signal });
      return t.rejects(entries.next(), { name: 'AbortError' });
    });
    t.ok(
      descriptors() <= before + 8,
      `${descriptors()} descriptors after ${before}: at most those of the files`,
    );
    for (const abort of aborts) abort.abort();
    await Promise.all(waiting);
    await store.write(record(26));
    t.same(await indexes(store.entries({ from: 26 })), [26]);
  },
);

onBothDisks('immuta: calls at once repeat and skip: here each gets its own', async (t, world) => {
  const store = await world.openStore(written);
  await fill(store, 1, 5);
  const entries = store.entries();
  const all = await Promise.all(range(1, 7).map(() => entries.next()));
  t.same(
    all.map(({ value }) => value?.index),
    [1, 2, 3, 4, 5, undefined, undefined],
  );
});

onBothDisks('immuta: what is given back twice spoils it for others: here it is nothing', async (t, world) => {
  const store = await world.openStore(written);
  await fill(store, 1, 5);
  const [left, other] = [store.entries(), store.entries()];
  t.equal((await left.next()).value?.index, 1);
  for (const _ of range(1, 3)) t.same(await left.return?.(), { value: undefined, done: true });
  t.same(await left.next(), { value: undefined, done: true });
  t.same(await indexes(other), range(1, 5));
  const consumer = await store.consumer('mail');
  await consumer.close();
  await consumer.close();
  t.match(await store.consumers(), [{ name: 'mail', holders: 0 }]);
});

onBothDisks(
  'immuta: the size is that of what is stored: here it is that of what was written',
  async (t, world) => {
    const store = await world.openStore({ ...written, transforms: [compress()] });
    await store.write(record(7, 10_000));
    t.match(await store.entry(1), { size: 10_000 });
    t.ok((await store.size()) < 2000);
    const without = await world.openStore(written);
    await t.rejects(without.read(1), { code: 'CODEC', index: 1 }, 'nor is it ever given out as it is stored');
  },
);

t.test(
  'immuta: verifying with what has ended spoils the store: here it is refused, and no more',
  async (t) => {
    const world = await osWorld(t);
    const { directory } = world;
    const store = await world.openStore(tens);
    await fill(store, 1, 25);
    const mine = new Error('enough');
    await t.rejects(verify({ directory, signal: AbortSignal.abort(mine) }), mine);
    t.match(await verify({ directory }), { ok: true, records: 25, findings: [] });
    t.same(await indexes(store.entries()), range(1, 25));
  },
);

onBothDisks(
  'immuta: closing races with who reads: here what is under way ends, and the rest is CLOSED',
  async (t, world) => {
    const store = await world.openStore(tens);
    await fill(store, 1, 25);
    const walking = range(1, 20).map(async () => {
      const seen: number[] = [];
      try {
        for await (const { index } of store.entries({ follow: true })) {
          seen.push(index);
          if (index % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      } catch (error) {
        t.match(error, { code: 'CLOSED' });
      }
      t.same(seen, range(1, seen.length));
    });
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([store.close(), store.close(), ...walking]);
    await t.rejects(store.entries().next(), { code: 'CLOSED' });
    await store.close();
  },
);

// solid

onBothDisks('solid: each who waits hears of each, and none is run together', async (t, world) => {
  const [writer, reader] = [await world.openStore(written), await world.openStore(written)];
  await writer.writeMany(range(1, 5).map((n) => record(n)));
  // Theirs: 0, -1 and n of what was before.
  const beginnings = { next: [], first: range(1, 5), '-2': [4, 5] } as const;
  const waiting = Object.entries(beginnings).map(async ([from, before]) => {
    const begin = from === '-2' ? -2 : (from as 'first' | 'next');
    const seen = await indexes(reader.entries({ from: begin, follow: true, limit: before.length + 50 }));
    t.same(seen, [...before, ...range(6, 55)], from);
  });
  for (const n of range(6, 55)) await writer.write(record(n));
  await Promise.all(waiting);
});

onBothDisks('solid: between looking and waiting a notice may be lost: here none is', async (t, world) => {
  const [one, other] = [await world.openStore(written), await world.openStore(written)];
  // Each answers the other, and every one of them has to wake up for it.
  const answer = async (store: Store, isOdd: boolean): Promise<void> => {
    for await (const { index } of store.entries({ follow: true, limit: 300 }))
      if (index % 2 === (isOdd ? 1 : 0) && index < 300) await store.write(record(index));
  };
  const both = Promise.all([answer(one, true), answer(other, false)]);
  await one.write(record(0));
  await both;
  t.equal(await one.length(), 300);
});

// voik

onBothDisks(
  'voik: after a restart it begins anew and writes over what was there: here it goes on',
  async (t, world) => {
    for (const round of range(1, 4)) {
      // Smaller files than before change nothing of what is there.
      const store = await world.openStore({ ...written, maxFileSize: fileOf(12 - 2 * round, 100) });
      await fill(store, 15 * (round - 1) + 1, 15 * round);
      await store.close();
    }
    const again = await world.openStore(written);
    t.same(await indexes(again.entries()), range(1, 60));
    for (const n of range(1, 60)) t.same(await again.read(n), record(n));
    t.equal(await again.write(record(61)), 61, 'and says where it stands');
  },
);

onBothDisks('voik: the last record of a full file is not to be read: here it is', async (t, world) => {
  const store = await world.openStore(tens);
  await fill(store, 1, 30);
  for (const last of [10, 20, 30]) {
    t.same(await store.read(last), record(last));
    t.same(await indexes(store.entries({ from: last, to: last + 1 })), [last]);
  }
  await store.close();
  const again = await world.openStore(tens);
  t.same(await again.read(30), record(30));
  t.equal(await again.write(record(31)), 31, 'commitlog: nor does it fail to go on when all is full');
  t.same(await indexes(again.entries({ from: 29 })), [29, 30, 31]);
});

onBothDisks(
  'voik: a write that does not fit adds an empty segment, each time: here nothing',
  async (t, world) => {
    const store = await world.openStore(tens);
    await fill(store, 1, 10);
    const files = world.files(/\.(dat|idx)$/);
    for (const _ of range(1, 5))
      await t.rejects(store.write(record(1, 10_000)), { code: 'RECORD_TOO_LARGE' });
    t.same(world.files(/\.(dat|idx)$/), files);
    t.equal(await store.write(record(11)), 11);
  },
);

onBothDisks('voik: records are taken for text: here they are bytes', async (t, world) => {
  const store = await world.openStore(written);
  const all = range(0, 255).map((n) => Uint8Array.from([n, 0, 255 - n, 0xff, 0xc0, n]));
  await store.writeMany(all);
  for (const [at, one] of all.entries()) t.same(await store.read(at + 1), one);
});

onBothDisks(
  'voik: a reader walks from file to file by hand, while nobody writes: here both go on',
  async (t, world) => {
    const [writer, reader] = [await world.openStore(tens), await world.openStore(tens)];
    const reading = range(1, 3).map(() => indexes(reader.entries({ follow: true, limit: 95 })));
    await fill(writer, 1, 95);
    for (const seen of await Promise.all(reading)) t.same(seen, range(1, 95));
  },
);

t.test('voik: all segments stay open: here few do', { skip: noDescriptors }, async (t) => {
  const world = await osWorld(t);
  const before = descriptors();
  const store = await world.openStore({ ...written, maxFileSize: fileOf(2, 100) });
  await fill(store, 1, 600);
  t.equal(world.files(/\.dat$/).length, 300);
  t.same((await indexes(store.entries())).length, 600);
  for (const n of range(1, 600)) await store.read(n);
  const most = descriptors() - before;
  t.ok(most < 150, `${most} descriptors for 300 segments`);
  await store.close();
  await until('none is left', () => descriptors() <= before);
});

// commitlog

onBothDisks(
  'commitlog: a batch of half of all there is room for panics: here it is written',
  async (t, world) => {
    for (const count of [5, 6, 9, 10]) {
      const store = await world.openStore({ ...tens, filePrefix: `b${count}` });
      t.same(await store.writeMany(range(1, count).map((n) => record(n))), range(1, count));
      t.same(await indexes(store.entries()), range(1, count));
    }
  },
);

onBothDisks(
  'commitlog: a batch that is too large while nothing is written spoils the log: here not',
  async (t, world) => {
    const store = await world.openStore(tens);
    for (const _ of range(1, 3))
      await t.rejects(store.writeMany(range(1, 11).map((n) => record(n))), { code: 'RECORD_TOO_LARGE' });
    t.same(await store.writeMany([]), [], 'and nothing is nothing');
    await fill(store, 1, 12);
    t.same(await indexes(store.entries()), range(1, 12));
  },
);

onBothDisks(
  'commitlog: reading before the oldest jumps without a word: here the gap is told',
  async (t, world) => {
    const store = await world.openStore(tens);
    await fill(store, 1, 25);
    await store.prune(11);
    const gaps: unknown[] = [];
    t.same(await indexes(store.entries({ from: 1, onGap: (gap) => gaps.push(gap) })), range(11, 25));
    t.same(gaps, [{ from: 1, to: 11 }]);
  },
);

onBothDisks(
  'commitlog: what is larger than is read at once is an error: here it is read',
  async (t, world) => {
    const store = await world.openStore({ ...written, maxChunk: 100 });
    const large = record(7, 300_000);
    await store.writeMany([record(1), large, record(3)]);
    t.ok(Buffer.compare((await store.read(2)) ?? bytes(''), large) === 0);
    const found: number[] = [];
    for await (const { size } of store.entries()) found.push(size);
    t.same(found, [100, 300_000, 100]);
  },
);

onBothDisks('commitlog: taking away from an empty log panics: here it is nothing', async (t, world) => {
  const store = await world.openStore(tens);
  await store.prune();
  await store.prune(100);
  t.equal(await store.deleteFirst(), undefined);
  t.equal(await store.delete([1, 2]), 0);
  t.equal(await store.write(record(1)), 1);
  await store.prune();
  await store.prune();
  t.equal(await store.write(record(2)), 2);
});

onBothDisks(
  'commitlog: a lost index makes offsets come again, or nobody can open it: here neither',
  async (t, world) => {
    const first = await world.openStore(tens);
    await fill(first, 1, 25);
    await first.close();
    for (const name of world.files(/\.idx$/)) world.remove(name);
    const store = await world.openStore(tens);
    t.equal(await store.write(record(26)), 26);
    for (const n of range(1, 26)) t.same(await store.read(n), record(n));
    await store.close();
    const [last = ''] = world.files(/\.idx$/).slice(-1);
    world.put(last, world.bytes(last).subarray(0, 64));
    const again = await world.openStore(tens);
    t.equal(await again.write(record(27)), 27);
    t.same(await indexes(again.entries()), range(1, 27));
  },
);

onBothDisks(
  'commitlog: appending behind a torn end spoils what was there: here it is cut first',
  async (t, world) => {
    const store = await world.openStore(written);
    await fill(store, 1, 3);
    await store.close();
    const whole = world.bytes(DATA);
    world.put(DATA, whole.subarray(0, whole.indexOf(record(3)) + 20));
    const again = await world.openStore(written);
    t.equal(await again.write(record(4)), 3);
    t.same(
      [await again.read(1), await again.read(2), await again.read(3)],
      [record(1), record(2), record(4)],
    );
  },
);

t.test('commitlog: flushing leaves it to the system: here what is synced survives a power cut', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore(tens);
  for (const n of range(1, 25)) await store.write(record(n), { durability: 'written' });
  await store.sync();
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const again = await memoryWorld(t, machine).openStore(tens);
  t.same(await indexes(again.entries()), range(1, 25));
});

t.test('commitlog: the sum leaves the head out: here every byte of a record counts', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore(written);
  await store.writeMany([record(1), record(2, 20), record(3)], { headers: { name: 'value' } });
  await store.close();
  const whole = world.bytes(DATA);
  const [from, to] = [whole.indexOf(record(1)) + 100, whole.indexOf(record(2, 20)) + 20];
  for (let at = from; at < to; at++) {
    const other = memoryWorld(t);
    await (await other.openStore(written)).close();
    for (const name of world.files(/\./)) other.put(name, world.bytes(name));
    other.flip(DATA, at);
    const damaged = await other.openStore(written);
    await t.rejects(damaged.entry(2), { code: 'CORRUPT', indexes: { from: 2, to: 2 } }, `byte ${at - from}`);
    t.same([await damaged.read(1), await damaged.read(3)], [record(1), record(3)]);
    await damaged.close();
  }
});

onBothDisks(
  'commitlog: what goes with a record has a bound: here it is told, and nothing written',
  async (t, world) => {
    const store = await world.openStore(written);
    const headers = { long: 'x'.repeat(60_000) };
    await store.write(record(1), { headers });
    t.same((await store.entry(1))?.headers, headers);
    await t.rejects(store.write(record(2), { headers: { long: 'x'.repeat(70_000) } }), {
      code: 'INVALID_OPTION',
    });
    t.equal(await store.nextIndex(), 2);
  },
);
