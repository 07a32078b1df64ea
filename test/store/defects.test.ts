/** What goes wrong in the stores that this one follows, and does not here. `test/ported.md` says which is which. */
import t from 'tap';
import { osDisk } from '../../src/disk/os.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { startProgram } from '../support/processes.js';
import { until } from '../support/until.js';
import { bytes, contents, fileOf, range, text } from './records.js';
import { onBothDisks, osWorld } from './world.js';

const small = { maxFileSize: fileOf(2, 200), maxFiles: 2 };
const record = (n: number): Uint8Array => new Uint8Array(200).fill(n);

onBothDisks("C1: the prefixes 't' and 't2' share a directory", async (t, world) => {
  const prefixes = ['t', 't2', 't-', 't_1', 't_00000000000000000001'];
  for (const filePrefix of prefixes) {
    const store = await world.openStore({ filePrefix, ...small });
    t.equal(await store.write(bytes(filePrefix)), 1);
    for (const n of range(2, 4)) await store.write(record(n));
    await store.close();
  }
  for (const filePrefix of prefixes) {
    const store = await world.openStore({ filePrefix, ...small });
    t.equal(text(await store.read(1)), filePrefix);
    t.equal(await store.nextIndex(), 5);
    await store.prune();
    t.equal(await store.length(), 0);
    await store.close();
    const others = prefixes.slice(prefixes.indexOf(filePrefix) + 1);
    for (const other of others) {
      const untouched = await world.openStore({ filePrefix: other, ...small });
      t.equal(await untouched.length(), 4, `${other} after ${filePrefix} was pruned`);
      await untouched.close();
    }
  }
});

onBothDisks('C2: a restart never reuses an index', async (t, world) => {
  const expected: [number, string][] = [];
  for (const n of range(1, 20)) {
    const store = await world.openStore();
    expected.push([n, `${n}`]);
    t.equal(await store.write(bytes(`${n}`)), n);
    t.same(await contents(store), expected);
    await store.close();
  }
});

onBothDisks('C3: STORE_FULL leaves nothing behind: a batch whole or not at all', async (t, world) => {
  const store = await world.openStore({ ...small, maxFileSize: fileOf(5, 200) });
  await store.writeMany(range(1, 5).map(record));
  await store.writeMany(range(6, 8).map(record));
  const before = new Map(world.files(/\.(dat|idx)$/).map((name) => [name, world.bytes(name)]));
  await t.rejects(store.writeMany(range(9, 11).map(record)), { code: 'STORE_FULL' });
  for (const [name, content] of before) t.ok(content.equals(world.bytes(name)), `${name} is untouched`);
  t.equal(world.files(/\.(dat|idx)$/).length, before.size);
  t.same(await store.writeMany([record(9), record(10)]), [9, 10], 'what fits goes where the other did not');
  await store.close();
  const again = await world.openStore(small);
  t.same(
    (await contents(again)).map(([index]) => index),
    range(1, 10),
  );
});

onBothDisks('C4: files are freed one by one, while records live', async (t, world) => {
  const store = await world.openStore(small);
  for (const n of range(1, 4)) await store.write(record(n));
  await store.delete([1, 2]);
  await until('the first file is gone', () => world.files(/\.dat$/).length === 1);
  t.same(await store.writeMany([record(5)]), [5], 'and there is room again');
  await store.prune(5);
  t.same(
    (await contents(store)).map(([index]) => index),
    [5],
  );
  t.same(world.files(/\.dat$/), ['duro_00000000000000000005.dat']);
});

onBothDisks(
  'C5: draining what one knows deletes nothing that others have written since',
  async (t, world) => {
    const [producer, consumer] = [await world.openStore(small), await world.openStore(small)];
    await producer.writeMany([record(1), record(2)]);
    await consumer.refresh();
    await producer.writeMany([record(3), record(4)]);
    t.equal(await consumer.delete([1, 2]), 2);
    t.equal(await consumer.length(), 2);
    t.same(await consumer.read(), record(3));
    t.same(await producer.read(4), record(4));
  },
);

onBothDisks('C6: a deletion strikes the record it names, whichever file it is in', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(4, 200) });
  for (const n of range(1, 19)) await store.write(record(n));
  const gone = [2, 5, 6, 11, 16, 17];
  for (const index of gone) t.equal(await store.delete(index), 1);
  const left = range(1, 19).filter((n) => !gone.includes(n));
  const check = async (opener: typeof store): Promise<void> => {
    const found = await contents(opener);
    t.same(
      found.map(([index]) => index),
      left,
    );
    for (const index of left) t.same(await opener.read(index), record(index));
    for (const index of gone) t.equal(await opener.read(index), undefined);
  };
  await check(store);
  await store.close();
  const again = await world.openStore();
  await check(again);
  for (const index of gone) t.equal(await again.delete(index), 0, 'nor does it come back');
});

onBothDisks('C7: after a restart the head is a record that is there', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(2, 200) });
  for (const n of range(1, 15)) await store.write(record(n));
  await store.delete([1, 2, 4]);
  await store.close();
  const again = await world.openStore();
  t.equal(await again.length(), 12);
  t.equal(await again.firstIndex(), 3);
  t.same(await again.read(), record(3));
  t.equal(await again.deleteFirst(), 3);
  t.same(await again.read(), record(5));
});

onBothDisks('C8: a torn or missing index file is mended, in any segment', async (t, world) => {
  const options = { maxFileSize: fileOf(4, 200) };
  const first = await world.openStore(options);
  for (const n of range(1, 11)) await first.write(record(n));
  await first.close();
  const names = world.files(/\.idx$/);
  t.equal(names.length, 3);
  let next = 12;
  for (const name of names) {
    for (const torn of [10, 1, 31, 40]) {
      const content = world.bytes(name);
      world.put(name, content.subarray(0, Math.max(0, content.length - torn)));
      const store = await world.openStore(options);
      t.equal(await store.write(record(next)), next);
      for (const n of range(1, next)) t.same(await store.read(n), record(n), `${n}, ${name} torn by ${torn}`);
      await store.close();
      next += 1;
    }
  }
});

onBothDisks('C9: a write that fails leaves no entry and no byte', async (t, world) => {
  const store = await world.openStore(small);
  await store.writeMany([record(1), record(2)]);
  await store.write(record(3));
  const before = new Map(world.files(/\.(dat|idx)$/).map((name) => [name, world.bytes(name)]));
  await t.rejects(store.writeMany([record(4), record(5)]), { code: 'STORE_FULL' });
  await t.rejects(store.write(new Uint8Array(5000)), { code: 'RECORD_TOO_LARGE' });
  await t.rejects(store.write('text' as unknown as Uint8Array), { code: 'INVALID_OPTION' });
  for (const [name, content] of before) t.ok(content.equals(world.bytes(name)), name);
});

onBothDisks('C10: the cache evicts and never fails, however small', async (t, world) => {
  const store = await world.openStore({ maxChunk: 10_000 });
  const large = (n: number): Uint8Array => new Uint8Array(7000).fill(n);
  for (const n of range(1, 30)) await store.write(large(n));
  for (const n of [30, 1, 15, 29, 2, 30, 1]) t.same(await store.read(n), large(n));
  t.same((await contents(store)).length, 30);
});

onBothDisks('C11: one deletion over several files is whole', async (t, world) => {
  const store = await world.openStore({ maxFileSize: fileOf(2, 200) });
  for (const n of range(1, 9)) await store.write(record(n));
  t.equal(await store.delete([2, 3, 5, 8, 99]), 4, 'the absent is passed over');
  await store.close();
  const again = await world.openStore();
  t.same(
    (await contents(again)).map(([index]) => index),
    [1, 4, 6, 7, 9],
  );
});

t.test('C12: lock files are never removed, not by prune and not by close', async (t) => {
  const world = await osWorld(t);
  const store = await world.openStore(small);
  const locks = world.files(/\.lock$/);
  t.ok(locks.length >= 4, locks.join());
  const held = locks.map((name) => osDisk.open(`${world.directory}/${name}`, 'write'));
  t.teardown(() => held.forEach((file) => void file?.close()));
  for (const n of range(1, 4)) await store.write(record(n));
  await store.prune();
  await store.close();
  const again = await world.openStore(small);
  const alive = held[locks.indexOf('duro.alive.lock')];
  t.ok(alive !== undefined);
  t.equal(alive?.tryLock('exclusive'), false, 'the file that was there is the one that is locked');
  await again.close();
  t.same(
    world.files(/\.lock$/).filter((name) => locks.includes(name)),
    locks,
  );
});

onBothDisks(
  'C13: what is written after a prune is seen, however small the files have become',
  async (t, world) => {
    const [writer, reader] = [await world.openStore(small), await world.openStore(small)];
    for (const n of range(1, 4)) await writer.write(record(n));
    t.equal(await reader.length(), 4);
    await writer.prune();
    t.equal(await writer.write(bytes('little')), 5);
    await reader.refresh();
    t.equal(await reader.length(), 1);
    t.equal(text(await reader.read()), 'little');
    await writer.delete(5);
    t.equal(await reader.length(), 0, 'and so is a deletion, which changes no size');
    await writer.write(bytes('more'));
    t.equal(text(await reader.read()), 'more');
  },
);

onBothDisks('C14: a truncated data file never gives zeros for a record', async (t, world) => {
  const store = await world.openStore();
  for (const n of range(1, 5)) await store.write(record(n));
  await store.close();
  damagedOnPurpose(world.directory);
  const name = 'duro_00000000000000000001.dat';
  const content = world.bytes(name);
  world.put(name, content.subarray(0, content.indexOf(record(4)) + 100));
  const again = await world.openStore();
  for (const n of range(1, 3)) t.same(await again.read(n), record(n));
  const four = await again.read(4).catch((error: { code: string }) => error.code);
  t.ok(four === undefined || four === 'CORRUPT', 'gone and counted, or CORRUPT');
  const next = await again.write(bytes('next'));
  t.equal(text(await again.read(next)), 'next', 'and the store goes on');
});

onBothDisks('C14: a missing data file is told, and the other files are read', async (t, world) => {
  const options = { maxFileSize: fileOf(2, 200) };
  const store = await world.openStore(options);
  for (const n of range(1, 6)) await store.write(record(n));
  await store.close();
  damagedOnPurpose(world.directory);
  const [first = ''] = world.files(/\.dat$/);
  t.equal(first, 'duro_00000000000000000001.dat');
  world.remove(first);
  const again = await world.openStore(options);
  for (const n of range(3, 6)) t.same(await again.read(n), record(n));
  await t.rejects(again.read(2), { code: 'CORRUPT', indexes: { from: 2, to: 2 } });
  await t.rejects(again.read(), { code: 'CORRUPT', indexes: { from: 1, to: 1 } });
  t.equal(await again.write(record(7)), 7);
  await again.prune(3);
  t.same(await again.read(), record(3), 'deleting what is missing is the way out');
});

onBothDisks('C15: indexes go on after everything was drained, and after a restart', async (t, world) => {
  let next = 1;
  for (const how of ['delete', 'deleteFirst', 'prune', 'delete'] as const) {
    const store = await world.openStore(small);
    t.equal(await store.firstIndex(), next);
    t.same(await store.writeMany([record(next), record(next + 1)]), [next, next + 1]);
    if (how === 'prune') await store.prune();
    else if (how === 'delete') t.equal(await store.delete([next, next + 1]), 2);
    else {
      t.equal(await store.deleteFirst(), next);
      t.equal(await store.deleteFirst(), next + 1);
    }
    t.equal(await store.length(), 0);
    t.equal(await store.write(record(next + 2)), next + 2);
    await store.delete(next + 2);
    next += 3;
    await store.close();
  }
});

t.test('C5, C13: a process that drains gets every record of one that writes', async (t) => {
  const world = await osWorld(t);
  const consumer = await world.openStore({ durability: 'written' });
  const count = 2000;
  const writer = startProgram(t, 'test/store/writer-child.js', { args: [world.directory, `${count}`] });
  const found: [number, string | undefined][] = [];
  for await (const { index, data } of consumer.entries({ follow: true, limit: count, waitMs: 20_000 })) {
    found.push([index, text(data)]);
    t.equal(await consumer.delete(index), 1);
    if (index % 100 === 0) t.equal(await consumer.read(index), undefined);
  }
  t.same(
    found,
    range(1, count).map((n) => [n, `${n}`]),
    'each once, in order',
  );
  t.same(await writer.ended(), { code: 0, signal: null });
  t.equal(await consumer.length(), 0);
  t.equal(await consumer.nextIndex(), count + 1);
  await until('one file is left', () => world.files(/\.dat$/).length === 1);
});

t.test('two processes that write lose nothing and share no index', async (t) => {
  const world = await osWorld(t);
  const args = [world.directory, '1000'];
  const writers = range(1, 2).map(() => startProgram(t, 'test/store/writer-child.js', { args }));
  for (const writer of writers) t.same(await writer.ended(), { code: 0, signal: null });
  const store = await world.openStore();
  const found = await contents(store);
  t.same(
    found.map(([index]) => index),
    range(1, 2000),
  );
  const values = found.map(([, value]) => Number(value)).sort((a, b) => a - b);
  t.same(
    values,
    range(1, 1000).flatMap((n) => [n, n]),
    'each of both, once',
  );
});
