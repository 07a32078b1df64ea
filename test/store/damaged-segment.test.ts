/** A segment with damage is kept, sealed and followed by another one: nobody appends to it. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Store } from '../../src/store/contract.js';
import { openStoreOn } from '../../src/store/store.js';
import { checkDirectoryOn } from '../support/consistency.js';
import { bytes, fileOf, range, text } from './records.js';
import { memoryWorld, type World } from './world.js';

const dataFile = (first: number): string => `duro_${String(first).padStart(20, '0')}.dat`;
const entriesFile = (first: number): string => dataFile(first).replace('.dat', '.idx');
const record = (index: number): string => `record number ${index}, and so on: some more bytes`;
const options = { indexer: false } as const;

/** Where a byte of a record's payload stands in its segment. */
const positionOf = (world: World, first: number, index: number): number =>
  world.bytes(dataFile(first)).indexOf(record(index));

/** Records, the first `synced` of them on the device, by a process that is killed. */
async function written(
  t: Test,
  count: number,
  synced: number,
  maxFileSize?: number,
): Promise<{ machine: MemoryDisk; world: World }> {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const opener = machine.opener();
  const store = await openStoreOn(opener, {
    directory: world.directory,
    durability: 'written',
    ...options,
    ...(maxFileSize === undefined ? {} : { maxFileSize }),
  });
  for (const index of range(1, count)) {
    await store.write(bytes(record(index)));
    if (index === synced) await store.sync();
  }
  machine.kill(opener);
  return { machine, world };
}

async function readable(t: Test, store: Store, indexes: readonly number[], what: string): Promise<void> {
  for (const index of indexes) t.equal(text(await store.read(index)), record(index), `${what}: ${index}`);
}

const segments = (world: World): string[] => world.files(/\.dat$/);

t.test('damage below what is safe, met by the first opener', async (t) => {
  for (const damaged of [[3], [8], [1], [2, 5, 6]]) {
    const { machine, world } = await written(t, 10, 8);
    for (const index of damaged) world.flip(dataFile(1), positionOf(world, 1, index));
    world.remove(entriesFile(1));
    const before = world.bytes(dataFile(1));
    const whole = range(1, 10).filter((index) => !damaged.includes(index));
    const store = await world.openStore(options);
    t.same(segments(world), [dataFile(1), dataFile(11)], `${damaged}: sealed, and followed by the next`);
    const kept = world.bytes(dataFile(1));
    t.ok(kept.subarray(0, before.length).equals(before), 'not a byte of it was changed');
    await readable(t, store, whole, 'before');
    for (const index of damaged) await t.rejects(store.read(index), { code: 'CORRUPT' });
    t.match(await store.stats(), { lost: 0, cuts: 0, length: 10 });
    t.equal(await store.write(bytes(record(11))), 11);
    t.ok(world.bytes(dataFile(1)).equals(kept), 'nothing was appended to it');
    await store.close();
    for (const round of range(1, 3)) {
      const opener = machine.opener();
      const again = await openStoreOn(opener, { directory: world.directory, ...options });
      t.same(segments(world), [dataFile(1), dataFile(11)], `opening ${round} rolls no more`);
      await readable(t, again, [...whole, 11], `opening ${round}`);
      for (const index of damaged) await t.rejects(again.read(index), { code: 'CORRUPT' });
      if (round === 1) await again.close();
      else machine.kill(opener);
    }
    const last = await world.openStore(options);
    t.equal(await last.write(bytes(record(12))), 12);
    await last.close();
    t.same(segments(world), [dataFile(1), dataFile(11)]);
  }
});

t.test('an unfinished batch behind damage is cut, and the seal stands in its place', async (t) => {
  const { world } = await written(t, 10, 8);
  world.flip(dataFile(1), positionOf(world, 1, 4));
  world.flip(dataFile(1), positionOf(world, 1, 10));
  world.remove(entriesFile(1));
  const store = await world.openStore(options);
  t.same(segments(world), [dataFile(1), dataFile(10)]);
  await readable(t, store, [1, 2, 3, 5, 6, 7, 8, 9], 'what is whole');
  await t.rejects(store.read(4), { code: 'CORRUPT' });
  t.equal(await store.nextIndex(), 10, 'the tenth was only written');
  t.match(await store.stats(), { lost: 0, cuts: 1 });
  t.equal(await store.write(bytes(record(10))), 10);
  const [cut] = world.files(/\.cut\./);
  t.ok(world.bytes(cut ?? '').includes(record(10).slice(1)), 'its bytes are set aside');
});

t.test('a death between the seal and the next segment, and a power cut that takes the seal', async (t) => {
  for (const cut of [false, true]) {
    const { machine, world } = await written(t, 10, 8);
    machine
      .opener()
      .open(`/store/${dataFile(1)}`, 'write')
      ?.syncNow();
    world.flip(dataFile(1), positionOf(world, 1, 3));
    world.remove(entriesFile(1));
    machine.opener().syncDirectoryNow('/store');
    const dying = machine.opener('dying');
    machine.onOperation = ({ kind, path }) =>
      kind === 'create' && path.endsWith(dataFile(11)) ? 'die' : undefined;
    await t.rejects(openStoreOn(dying, { directory: world.directory, ...options }));
    t.ok(dying.dead);
    machine.onOperation = undefined;
    t.same(segments(world), [dataFile(1)]);
    if (cut) machine.powerCut({ writes: 'lose', names: 'lose' });
    const store = await world.openStore(options);
    t.same(segments(world), [dataFile(1), dataFile(11)]);
    await readable(t, store, [1, 2, 4, 5, 6, 7, 8, 9, 10], 'as before');
    await t.rejects(store.read(3), { code: 'CORRUPT' });
    t.match(await store.stats(), { lost: 0, cuts: 0 });
  }
});

t.test('who meets it while others are in the directory seals and rolls, and they follow', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const [writer, other, reader] = [
    await world.openStore(options),
    await world.openStore(options),
    await world.openStore(options),
  ];
  for (const index of range(1, 6)) await writer.write(bytes(record(index)));
  world.flip(dataFile(1), positionOf(world, 1, 4));
  t.equal(await other.write(bytes(record(7))), 7, 'it knew of none of the six');
  t.same(segments(world), [dataFile(1), dataFile(7)]);
  for (const store of [reader, writer, other]) {
    await t.rejects(store.read(4), { code: 'CORRUPT' });
    await readable(t, store, [1, 2, 3, 5, 6, 7], 'everybody');
  }
  t.equal(await reader.write(bytes(record(8))), 8);
  t.equal(await writer.write(bytes(record(9))), 9);
  t.same(segments(world), [dataFile(1), dataFile(7)], 'once is enough');
  for (const store of [writer, other, reader]) await readable(t, store, [7, 8, 9], 'everybody');
});

t.test('who lags passes damage that others have sealed, without entries too', async (t) => {
  for (const damaged of ['record', 'seal', 'both'] as const) {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const small = { ...options, maxFileSize: fileOf(4, record(1).length) };
    const [writer, reader, lagging] = [
      await world.openStore(small),
      await world.openStore(small),
      await world.openStore(small),
    ];
    for (const index of range(1, 6)) await writer.write(bytes(record(index)));
    t.same(segments(world), [dataFile(1), dataFile(5)]);
    if (damaged !== 'seal') world.flip(dataFile(1), positionOf(world, 1, 3));
    if (damaged !== 'record') world.flip(dataFile(1), small.maxFileSize - 1);
    world.remove(entriesFile(1));
    t.equal(await reader.nextIndex(), 7, damaged);
    const whole = damaged === 'seal' ? [1, 2, 3, 4, 5, 6] : [1, 2, 4, 5, 6];
    await readable(t, reader, whole, damaged);
    if (damaged !== 'seal') await t.rejects(reader.read(3), { code: 'CORRUPT' });
    t.equal(await lagging.write(bytes(record(7))), 7, 'nor does it write where it lags');
    await readable(t, writer, [5, 6, 7], damaged);
    t.same(segments(world), [dataFile(1), dataFile(5)]);
  }
});

t.test('a full disk keeps nobody from opening, and is not a reason to append', async (t) => {
  for (const room of [0, 50, 100, 500]) {
    const { machine, world } = await written(t, 10, 8);
    world.flip(dataFile(1), positionOf(world, 1, 3));
    world.remove(entriesFile(1));
    machine.capacityBytes = machine.usedBytes + room;
    const size = world.bytes(dataFile(1)).length;
    const store = await world.openStore(options);
    await readable(t, store, [1, 2, 4, 5, 6, 7, 8, 9, 10], `${room} bytes left`);
    await t.rejects(store.read(3), { code: 'CORRUPT' });
    const large = new Uint8Array(1000);
    await t.rejects(store.write(large), { code: 'DISK_FULL' });
    t.ok(world.bytes(dataFile(1)).length <= size + 76, 'nothing but a seal was appended');
    t.equal(await store.delete([1, 2]), 2, 'it can be emptied');
    await store.close();
    machine.capacityBytes = Number.POSITIVE_INFINITY;
    const again = await world.openStore(options);
    t.equal(await again.write(bytes(record(11))), 11);
    t.same(segments(world), [dataFile(1), dataFile(11)]);
    await readable(t, again, [4, 10, 11], 'with room');
  }
});

t.test('the room for the seal is taken on a full disk, as soon as there is some', async (t) => {
  const { machine, world } = await written(t, 10, 8);
  world.flip(dataFile(1), positionOf(world, 1, 3));
  world.remove(entriesFile(1));
  machine.capacityBytes = machine.usedBytes;
  const store = await world.openStore(options);
  await t.rejects(store.write(bytes(record(11))), { code: 'DISK_FULL' });
  machine.capacityBytes = Number.POSITIVE_INFINITY;
  t.equal(await store.write(bytes(record(11))), 11, 'the same store goes on');
  t.same(segments(world), [dataFile(1), dataFile(11)], 'in a segment of its own');
});

const TWO = fileOf(2, record(1).length);

t.test(
  'what was safe and is missing at the end of a segment is damage, not a loss to a power cut',
  async (t) => {
    const { world } = await written(t, 5, 4, TWO);
    t.same(segments(world), [1, 3, 5].map(dataFile));
    const third = world.bytes(dataFile(3));
    world.put(dataFile(3), third.subarray(0, third.indexOf(record(4)) - 36));
    world.remove(entriesFile(3));
    for (const round of [1, 2]) {
      const store = await world.openStore({ ...options, maxFileSize: TWO });
      await t.rejects(store.read(4), { code: 'CORRUPT', indexes: { from: 4, to: 4 } }, `opening ${round}`);
      await readable(t, store, [1, 2, 3, 5], `opening ${round}`);
      t.match(await store.stats(), { lost: 0, length: 5, nextIndex: 6 });
      await store.close();
    }
  },
);

t.test('a segment is missing: lost where it was only written, damage where it was safe', async (t) => {
  for (const synced of [2, 3, 4]) {
    const { world } = await written(t, 5, synced, TWO);
    for (const name of [dataFile(3), entriesFile(3)]) world.remove(name);
    for (const round of [1, 2]) {
      const what = `${synced} were safe, opening ${round}`;
      const store = await world.openStore({ ...options, maxFileSize: TWO });
      await readable(t, store, [1, 2, 5], what);
      for (const index of [3, 4])
        if (index <= synced) await t.rejects(store.read(index), { code: 'CORRUPT' }, what);
        else t.equal(await store.read(index), undefined, what);
      t.match(await store.stats(), { lost: 4 - synced, nextIndex: 6 }, what);
      await store.close();
    }
  }
});

t.test('what is safe is known by frames of later segments too, and behind what is bad there', async (t) => {
  const { world } = await written(t, 6, 4, TWO);
  world.flip(dataFile(3), positionOf(world, 3, 3));
  // The seal of that segment, and the first record of the next: only the sixth says that four are safe.
  world.flip(dataFile(3), fileOf(2, record(1).length) - 1);
  world.flip(dataFile(5), positionOf(world, 5, 5));
  for (const first of [1, 3, 5]) world.remove(entriesFile(first));
  const store = await world.openStore({ ...options, maxFileSize: TWO });
  await t.rejects(store.read(3), { code: 'CORRUPT' });
  await readable(t, store, [1, 2, 4], 'all the others that were safe');
  t.equal(await store.nextIndex(), 5, 'the others were only written');
  t.equal((await store.stats()).cuts, 2, 'what is left of the seal, and of them, is set aside');
  t.equal(await store.write(bytes(record(5))), 5);
});

t.test('a lost seal on a full disk keeps nobody from opening', async (t) => {
  const { machine, world } = await written(t, 5, 2, TWO);
  const third = world.bytes(dataFile(3));
  world.put(dataFile(3), third.subarray(0, third.length - 76));
  machine.capacityBytes = machine.usedBytes;
  const store = await world.openStore({ ...options, maxFileSize: TWO });
  await readable(t, store, [1, 2, 3, 4, 5], 'on the full disk');
  await store.close();
  machine.capacityBytes = Number.POSITIVE_INFINITY;
  const again = await world.openStore({ ...options, maxFileSize: TWO });
  t.equal(await again.write(bytes(record(6))), 6);
  await readable(t, again, [1, 2, 3, 4, 5, 6], 'with room');
  await again.close();
  t.same(
    checkDirectoryOn(machine.opener(), world.directory).filter((problem) => !/not sealed/.test(problem)),
    [],
  );
});
