/**
 * The tests of immuta, commitlog, estore, voik and Uroboros that say something of streams, by behaviour. `test/ported.md` says which is
 * which. What they address by position in a file or by time, we address by index or by time.
 */
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Store } from '../../src/store/contract.js';
import type { Entry } from '../../src/store/entries.js';
import { random } from '../support/random.js';
import { until } from '../support/until.js';
import { MovedClock } from './moved-clock.js';
import { bytes, contents, fileOf, range, text } from './records.js';
import { memoryWorld, onBothDisks, type World } from './world.js';

const written = { durability: 'written' } as const;
const record = (n: number, size = 100): Uint8Array => new Uint8Array(size).fill(n);

async function indexes(entries: AsyncIterable<Entry>): Promise<number[]> {
  const found: number[] = [];
  for await (const { index } of entries) found.push(index);
  return found;
}

/** Files of ten records of 100 bytes. */
const tens = { ...written, maxFileSize: fileOf(10, 100) };

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (const n of range(from, to)) await store.write(record(n));
}

onBothDisks('immuta: ten records, a restart, and all ten are read', async (t, world) => {
  const first = await world.openStore(written);
  for (const n of range(1, 10)) await first.write(bytes(`record ${n}`));
  await first.close();
  const again = await world.openStore(written);
  t.same(
    await contents(again),
    range(1, 10).map((n) => [n, `record ${n}`]),
  );
});

// They skip a number of records; here reading begins at an index, which is the same as long as nothing is gone.
onBothDisks('immuta: reading begins n records further on', async (t, world) => {
  const store = await world.openStore(tens);
  await fill(store, 1, 25);
  for (const skipped of range(0, 26))
    t.same(await indexes(store.entries({ from: skipped + 1 })), range(skipped + 1, 25), `${skipped} skipped`);
});

onBothDisks('immuta: from the latest on, only what comes', async (t, world) => {
  const store = await world.openStore(written);
  await fill(store, 1, 10);
  const entries = store.entries({ from: 'next', follow: true, limit: 2 });
  await fill(store, 11, 12);
  t.same(await indexes(entries), [11, 12]);
});

for (const readers of [1, 5])
  onBothDisks(`immuta: closing wakes ${readers} that wait for the next`, async (t, world) => {
    const store = await world.openStore(written);
    await store.write(record(1));
    const waiting = range(1, readers).map(async () => {
      const entries = store.entries({ from: 'next', follow: true });
      await t.rejects(entries.next(), { code: 'CLOSED' });
      t.same(await entries.next(), { value: undefined, done: true });
    });
    await store.close();
    await Promise.all(waiting);
  });

/*
 * They have a pool of descriptors that readers wait for. Here a reader has none of its own, so there is nothing to wait for: all of them
 * are at work at once, whatever the others hold.
 */
for (const [readers, held] of [
  [20, 2],
  [10, 3],
] as const)
  onBothDisks(`immuta: ${readers} readers while ${held} stand still in the midst`, async (t, world) => {
    const store = await world.openStore(tens);
    await fill(store, 1, 25);
    const still = range(1, held).map(() => store.entries());
    for (const reader of still) t.equal((await reader.next()).value?.index, 1);
    const all = range(1, readers).map(() => indexes(store.entries({ follow: true, limit: 30 })));
    await fill(store, 26, 30);
    for (const seen of await Promise.all(all)) t.same(seen, range(1, 30));
    for (const reader of still) t.same(await indexes(reader), range(2, 30));
  });

onBothDisks('immuta: what is rolled back is never seen, and what comes later is', async (t, world) => {
  const [writer, reader] = [await world.openStore(written), await world.openStore(written)];
  await writer.write(bytes('before'));
  const seen = (async () => {
    const found: (string | undefined)[] = [];
    for await (const { data } of reader.entries({ follow: true, limit: 2 })) found.push(text(data));
    return found;
  })();
  const mine = new Error('rolled back');
  const failing = writer.transaction((tx) => {
    for (const n of range(1, 5)) tx.write(bytes(`half ${n}`));
    throw mine;
  });
  await t.rejects(failing, mine);
  t.equal(await writer.write(bytes('behind')), 2);
  t.same(await seen, ['before', 'behind']);
});

onBothDisks('immuta: many appends, one commit: all at once', async (t, world) => {
  const [writer, reader] = [await world.openStore(written), await world.openStore(written)];
  const lengths = new Set<number>();
  const watching = (async () => {
    for (;;) {
      lengths.add(await reader.length());
      if ((await reader.length()) > 0) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const committed = await writer.transaction((tx) => {
    for (const n of range(1, 50)) tx.write(record(n));
  });
  t.same(committed, range(1, 50));
  await watching;
  t.ok(
    [...lengths].every((length) => length === 0 || length === 50),
    `${[...lengths]}`,
  );
});

onBothDisks('immuta: who waits gets nothing before the commit, and all of it then', async (t, world) => {
  const store = await world.openStore(written);
  const entries = store.entries({ follow: true });
  const first = entries.next();
  let isThere = false;
  void first.then(() => {
    isThere = true;
  });
  let wasThere = false;
  await store.transaction((tx) => {
    tx.write(bytes('one'));
    tx.write(bytes('two'));
    wasThere = isThere;
  });
  t.equal(wasThere, false);
  t.equal(text((await first).value?.data), 'one');
  t.equal(text((await entries.next()).value?.data), 'two');
});

onBothDisks('commitlog: files roll, and are named after their first record', async (t, world) => {
  const store = await world.openStore(tens);
  await fill(store, 1, 35);
  const names = [1, 11, 21, 31].map((first) => `duro_${`${first}`.padStart(20, '0')}`);
  t.same(
    world.files(/\.dat$/),
    names.map((name) => `${name}.dat`),
  );
  t.same(
    world.files(/\.idx$/),
    names.map((name) => `${name}.idx`),
  );
});

onBothDisks('commitlog: reading at, before and behind each border of files', async (t, world) => {
  const store = await world.openStore(tens);
  await fill(store, 1, 40);
  for (const border of [1, 11, 21, 31])
    for (const from of [border - 1, border, border + 1].filter((index) => index > 0)) {
      t.same(await store.read(from), record(from));
      t.same(await indexes(store.entries({ from, to: from + 11 })), range(from, Math.min(40, from + 10)));
    }
  t.equal(await store.read(41), undefined);
  t.same(await indexes(store.entries({ from: 41 })), []);
});

for (const count of [0, 1, 99])
  onBothDisks(`commitlog: opened again with ${count} records, and written on`, async (t, world) => {
    const first = await world.openStore(tens);
    await fill(first, 1, count);
    await first.close();
    for (const opened of range(1, 3)) {
      const store = await world.openStore(tens);
      t.equal(await store.nextIndex(), count + opened);
      t.equal(await store.write(record(count + opened)), count + opened);
      t.same(await indexes(store.entries()), range(1, count + opened));
      await store.close();
    }
  });

onBothDisks(
  'commitlog: too large is refused, alone and in a batch, and nothing is written',
  async (t, world) => {
    const store = await world.openStore({ ...tens, maxRecordSize: 150 });
    const refused = { code: 'RECORD_TOO_LARGE' };
    await t.rejects(store.write(record(1, 151)), refused);
    await t.rejects(store.writeMany([record(1), record(2, 151)]), refused);
    // A batch never spans files.
    await t.rejects(store.writeMany(range(1, 11).map((n) => record(n))), refused);
    t.equal(await store.nextIndex(), 1);
    t.same(await store.writeMany(range(1, 10).map((n) => record(n))), range(1, 10));
    t.equal(await store.write(record(11, 150)), 11);
  },
);

// Their truncation, which takes away the newest, is no such feature: what was written stays until it is deleted.
onBothDisks('commitlog: the newest can be deleted, and their indexes do not come again', async (t, world) => {
  for (const [before, gone] of [
    [0, []],
    [25, range(21, 25)],
    [25, [25]],
    [25, range(1, 25)],
  ] as const) {
    const filePrefix = `p${before}-${gone.length}`;
    const store = await world.openStore({ ...tens, filePrefix });
    await fill(store, 1, before);
    t.equal(await store.delete([...gone, 1000]), gone.length);
    t.equal(await store.write(record(99)), before + 1);
    await store.close();
    const again = await world.openStore({ ...tens, filePrefix });
    const left = range(1, before).filter((n) => !(gone as readonly number[]).includes(n));
    t.same(await indexes(again.entries()), [...left, before + 1]);
  }
});

// Theirs goes by whole files; here every record below is gone at once, and files when all of theirs are.
t.test('commitlog: trimmed before each index from 0 to 20', async (t) => {
  const world = memoryWorld(t);
  for (const before of range(0, 20)) {
    const filePrefix = `trim${before}`;
    const store = await world.openStore({ ...written, filePrefix, maxFileSize: fileOf(4, 100) });
    await fill(store, 1, 18);
    if (before === 0) await t.rejects(store.prune(before), { code: 'INVALID_OPTION' });
    else await store.prune(before);
    const first = Math.min(19, Math.max(1, before));
    t.equal(await store.firstIndex(), first);
    t.same(await indexes(store.entries()), range(first, 18));
    const files = new RegExp(`^${filePrefix}_\\d+\\.dat$`);
    // 1 to 4, 5 to 8 and so on; the last one stays, whatever becomes of its records.
    t.equal(world.files(files).length, 5 - Math.min(4, Math.floor((first - 1) / 4)));
    await store.close();
    const again = await world.openStore({ ...written, filePrefix });
    t.same(await indexes(again.entries()), range(first, 18));
    t.equal(await again.nextIndex(), 19);
    await again.close();
  }
});

onBothDisks('commitlog: all goes but the file that is being written', async (t, world) => {
  const store = await world.openStore(tens);
  await fill(store, 1, 35);
  await store.prune(31);
  await until('the others are gone', () => world.files(/\.dat$/).length === 1);
  t.same(await indexes(store.entries()), range(31, 35));
  await store.prune();
  t.same(world.files(/\.dat$/), ['duro_00000000000000000031.dat']);
  t.equal(await store.write(record(36)), 36);
});

t.test('commitlog: a checksum that does not match, and a payload that is too short', async (t) => {
  const data = 'duro_00000000000000000001.dat';
  const made = async (t: Test): Promise<World> => {
    const world = memoryWorld(t);
    const store = await world.openStore();
    await fill(store, 1, 3);
    await store.close();
    return world;
  };
  const flipped = await made(t);
  flipped.flip(data, flipped.bytes(data).lastIndexOf(record(2)));
  const store = await flipped.openStore();
  await t.rejects(store.read(2), { code: 'CORRUPT', indexes: { from: 2, to: 2 } });
  t.same([await store.read(1), await store.read(3)], [record(1), record(3)]);
  const short = memoryWorld(t);
  const writer = await short.openStore(tens);
  await fill(writer, 1, 25);
  await writer.close();
  const whole = short.bytes(data);
  short.put(data, whole.subarray(0, whole.indexOf(record(7)) + 50));
  const cut = await short.openStore(tens);
  for (const n of range(7, 10)) await t.rejects(cut.read(n), { code: 'CORRUPT' }, `${n}`);
  t.same(await indexes(cut.entries({ to: 7 })), range(1, 6));
  t.same(await indexes(cut.entries({ from: 11 })), range(11, 25));
  await cut.close();
  // Where nothing comes behind it, a short payload is what a crash leaves, and no record.
  const last = 'duro_00000000000000000021.dat';
  const end = short.bytes(last);
  short.put(last, end.subarray(0, end.indexOf(record(25)) + 50));
  const again = await short.openStore(tens);
  t.same(await indexes(again.entries({ from: 11 })), range(11, 24));
});

t.test('estore: appended and opened again at random, as a model says: ranges by time, and all', async (t) => {
  const { integer, chance } = random(t);
  for (const _ of range(1, 20)) {
    const world = memoryWorld(t, new MemoryDisk());
    const clock = new MovedClock();
    const open = (): Promise<Store> =>
      world.openStore({ ...written, clock, maxFileSize: fileOf(integer(2, 8), 100) });
    const model: { index: number; time: number }[] = [];
    const begun = clock.now();
    let store = await open();
    for (const _ of range(1, integer(1, 60))) {
      for (const index of await store.writeMany(range(1, integer(0, 2)).map((n) => record(n))))
        model.push({ index, time: clock.now() });
      if (chance(0.6)) clock.advance(integer(0, 20));
      if (chance(0.1)) {
        await store.close();
        store = await open();
      }
    }
    const all: typeof model = [];
    for await (const { index, time } of store.entries()) all.push({ index, time: time.getTime() });
    t.same(all, model, 'all of them');
    for (const _ of range(1, 30)) {
      const [from, to] = [integer(-10, 700), integer(-10, 700)].map((ms) => begun + ms) as [number, number];
      // Half-open, where theirs has both ends.
      const expected = model.filter(({ time }) => time >= from && time < to).map(({ index }) => index);
      t.same(await indexes(store.entries({ from: new Date(from), to: new Date(to) })), expected);
    }
    // Wherever a range is split, its parts are the whole: half-open parts neither overlap nor leave anything out.
    const borders = [
      begun - 1,
      ...range(1, 5)
        .map(() => begun + integer(0, 700))
        .sort((a, b) => a - b),
      begun + 10_000,
    ];
    const parts: number[] = [];
    for (const [at, from] of borders.slice(0, -1).entries())
      parts.push(
        ...(await indexes(store.entries({ from: new Date(from), to: new Date(borders[at + 1] ?? 0) }))),
      );
    t.same(
      parts,
      model.map(({ index }) => index),
    );
    await store.close();
  }
});

t.test('voik: 10,000 random records over many files, their sums before and after', async (t) => {
  const world = memoryWorld(t);
  const { fork } = random(t);
  const store = await world.openStore({ ...written, maxFileSize: 256 * 1024 });
  const source = fork();
  const base = source.bytes(64 * 1024);
  const sums: number[] = [];
  for (const _ of range(1, 100)) {
    const batch = range(1, 100).map(() => {
      const at = source.integer(0, base.length - 1024);
      const one = base.slice(at, at + 1024);
      one[source.integer(0, 1023)] = source.integer(0, 255);
      return one;
    });
    sums.push(...batch.map((one) => crc32(one)));
    await store.writeMany(batch);
  }
  t.ok(world.files(/\.dat$/).length > 40);
  const again = await world.openStore(written);
  for (const reader of [store, again]) {
    const read: number[] = [];
    for await (const { data } of reader.entries()) read.push(crc32(data));
    t.same(read, sums);
  }
  for (const _ of range(1, 500)) {
    const index = source.integer(1, 10_000);
    if (crc32((await again.read(index)) ?? bytes('')) !== sums[index - 1]) t.fail(`record ${index}`);
  }
});

onBothDisks(
  'Uroboros: what goes in comes out, whatever its length, one behind the other',
  async (t, world) => {
    const { bytes: some } = random(t);
    // Theirs holds no more than 255 bytes in an entry, and misreads what has.
    const all = [0, 1, 19, 20, 242, 243, 255, 256, 257, 300, 65_535, 65_536, 70_000].map((size) =>
      some(size),
    );
    const store = await world.openStore(written);
    t.same(
      await store.writeMany(all),
      all.map((_, at) => at + 1),
    );
    for (const one of all) await store.write(one);
    for (const opener of [store, await world.openStore(written)]) {
      const found: number[] = [];
      for await (const { data } of opener.entries()) found.push(data.length, crc32(data));
      t.same(
        found,
        [...all, ...all].flatMap((one) => [one.length, crc32(one)]),
      );
    }
  },
);

t.test('Uroboros: garbage is an error, and never a record', async (t) => {
  const chance = random(t);
  for (const _ of range(1, 50)) {
    const world = memoryWorld(t);
    const name = 'duro_00000000000000000001.dat';
    const store = await world.openStore(written);
    await fill(store, 1, 5);
    await store.close();
    const whole = world.bytes(name);
    const from = chance.integer(0, whole.length - 1);
    const garbage = chance.bytes(chance.integer(1, whole.length - from));
    world.put(name, Buffer.concat([whole.subarray(0, from), garbage, whole.subarray(from + garbage.length)]));
    let opened: Store;
    try {
      opened = await world.openStore(written);
    } catch (error) {
      t.match(error, { code: /CORRUPT|UNSUPPORTED_VERSION/ });
      continue;
    }
    for (const n of range(1, 5)) {
      try {
        const found = await opened.read(n);
        t.ok(found === undefined || Buffer.compare(found, record(n)) === 0, `record ${n}`);
      } catch (error) {
        t.match(error, { code: 'CORRUPT' });
      }
    }
  }
});

onBothDisks('Uroboros: places are found by index after each restart, and go on', async (t, world) => {
  for (const round of range(1, 5)) {
    const store = await world.openStore(tens);
    await fill(store, 7 * (round - 1) + 1, 7 * round);
    for (const n of range(1, 7 * round).reverse()) t.same(await store.read(n), record(n));
    t.equal(await store.read(7 * round + 1), undefined);
    await store.close();
  }
});
