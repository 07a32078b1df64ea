/** What is not a segment's header, where one should be. */
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openStoreOn } from '../../src/store/store.js';
import { bytes, contents, fileOf, range } from './records.js';
import { memoryWorld, type World } from './world.js';

const dataFile = (first: number): string => `duro_${String(first).padStart(20, '0')}.dat`;
const SIZE = 100;
const options = { maxFileSize: fileOf(2, SIZE), durability: 'written', indexer: false } as const;

/** Five records in three segments by a process that is killed, so many of them on the device. */
async function five(t: Test, synced: number) {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const opener = machine.opener();
  const store = await openStoreOn(opener, { directory: world.directory, ...options });
  for (const n of range(1, 5)) {
    await store.write(bytes(String(n).padEnd(SIZE)));
    if (n === synced) await store.sync();
  }
  machine.kill(opener);
  return { machine, world };
}

const everything = (world: World): Map<string, Buffer> =>
  new Map(world.files(/\.(dat|fate\.\d+)$|cut/).map((name) => [name, world.bytes(name)]));

t.test('a header is damaged, and none of its records was safe: set aside, begun anew', async (t) => {
  const { machine, world } = await five(t, 4);
  world.flip(dataFile(5), 3);
  const before = world.bytes(dataFile(5));
  const store = await world.openStore(options);
  t.same(
    (await contents(store)).map(([index]) => index),
    [1, 2, 3, 4],
  );
  t.equal(await store.nextIndex(), 5);
  const [side] = world.files(/\.cut\./);
  t.ok(world.bytes(side ?? '').equals(before), 'every byte is kept beside');
  t.match(await store.stats(), { cuts: 1, lost: 0 });
  t.equal(await store.write(bytes('five again')), 5);
  await store.close();
  machine.powerCut({ writes: 'lose', names: 'lose' });
  t.same((await contents(await world.openStore(options))).at(-1), [5, 'five again']);
});

t.test('in the middle: what it held is lost, and told', async (t) => {
  const { world } = await five(t, 2);
  world.flip(dataFile(3), 3);
  const store = await world.openStore(options);
  t.same(
    (await contents(store)).map(([index]) => index),
    [1, 2, 5],
  );
  t.match(await store.stats(), { cuts: 1, lost: 2, nextIndex: 6 });
});

t.test(
  'a header is damaged, and a record of its segment was safe: CORRUPT, and nothing is touched',
  async (t) => {
    for (const [first, synced] of [
      [1, 2],
      [1, 1],
      [3, 4],
      [3, 3],
    ] as const) {
      const { world } = await five(t, synced);
      world.flip(dataFile(first), 3);
      const before = everything(world);
      await t.rejects(world.openStore(options), { code: 'CORRUPT' }, `segment ${first}`);
      const after = everything(world);
      t.same([...after.keys()], [...before.keys()]);
      for (const [name, content] of before) t.ok(after.get(name)?.equals(content), name);
    }
  },
);

t.test('a header that was never wholly written is completed', async (t) => {
  for (const length of [0, 1, 31]) {
    const { world } = await five(t, 4);
    const whole = world.bytes(dataFile(5));
    world.put(dataFile(5), whole.subarray(0, length));
    const store = await world.openStore(options);
    t.equal(await store.write(bytes('five again')), 5, `${length} bytes of it`);
    t.match(await store.stats(), { cuts: 0 });
    await store.close();
  }
});

t.test('also in the middle, and its segment is empty', async (t) => {
  for (const length of [0, 1, 31]) {
    const { world } = await five(t, 2);
    world.put(dataFile(3), world.bytes(dataFile(3)).subarray(0, length));
    const store = await world.openStore(options);
    t.same(
      (await contents(store)).map(([index]) => index),
      [1, 2, 5],
      `${length} bytes of it`,
    );
    t.match(await store.stats(), { cuts: 0, lost: 2, nextIndex: 6 });
  }
});
