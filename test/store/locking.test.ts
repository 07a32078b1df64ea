import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openStoreOn } from '../../src/store/store.js';
import { bytes, contents, range } from './records.js';
import { onBothDisks } from './world.js';

const choosesItself = { notWithLockFiles: 'it says itself which locks it wants' };

onBothDisks(
  "locking: 'none' tells a second opener LOCK_UNAVAILABLE",
  async (t, world) => {
    const store = await world.openStore({ locking: 'none' });
    await store.write(bytes('a'));
    await t.rejects(world.openStore({ locking: 'none' }), { code: 'LOCK_UNAVAILABLE' });
    await t.rejects(world.openQueue({ locking: 'none' }), { code: 'LOCK_UNAVAILABLE' });
    await t.rejects(world.openStore(), { code: 'LOCK_UNAVAILABLE' }, "'auto' takes the directory's");
    t.equal(await store.write(bytes('b')), 2, 'which does the first one no harm');
    await store.close();
    const second = await world.openStore();
    t.equal(await second.length(), 2);
  },
  choosesItself,
);

onBothDisks(
  "another locking than the directory's is MISMATCH",
  async (t, world) => {
    await (await world.openStore({ locking: 'os' })).close();
    await t.rejects(world.openStore({ locking: 'none' }), { code: 'MISMATCH', message: /'os'.*'none'/ });
    await t.rejects(world.openStore({ locking: 'lockfile' }), { code: 'MISMATCH' });
    await (await world.openStore({ locking: 'auto' })).close();
    await (await world.openStore({ locking: 'none', filePrefix: 'other' })).close();
    await t.rejects(world.openStore({ locking: 'os', filePrefix: 'other' }), { code: 'MISMATCH' });
  },
  choosesItself,
);

onBothDisks('nothing but locking can be MISMATCH', async (t, world) => {
  const store = await world.openStore({ maxFiles: 3, maxFileSize: 1000, durability: 'written' });
  await store.write(new Uint8Array(500));
  const other = await world.openStore({
    maxFiles: 1,
    maxFileSize: 300,
    maxChunk: 0,
    whenFull: 'drop-oldest',
  });
  t.equal((await other.read(1))?.length, 500);
});

t.test(
  'locks that cannot be had are LOCK_UNAVAILABLE, and the directory stays free for others',
  async (t) => {
    const machine = new MemoryDisk({ canLock: false });
    const open = (locking: 'auto' | 'os' | 'lockfile' | 'none') =>
      openStoreOn(machine.opener(), { directory: '/store', locking });
    await t.rejects(open('os'), { code: 'LOCK_UNAVAILABLE' });
    const store = await open('none');
    t.equal(await store.write(bytes('x')), 1);
    await store.close();
    const byFile = await openStoreOn(machine.opener(), { directory: '/other' });
    t.equal(await byFile.write(bytes('x')), 1, "'auto' takes lock files where nothing else is there");
    await t.rejects(openStoreOn(machine.opener(), { directory: '/other', locking: 'none' }), {
      code: 'MISMATCH',
      message: /'lockfile'/,
    });
    await byFile.close();
  },
);

onBothDisks('openers in one process see each other, and each other only once', async (t, world) => {
  const stores = [await world.openStore(), await world.openStore(), await world.openStore()];
  const written = await Promise.all(
    range(1, 300).map(async (n) => {
      const index = (await stores[n % 3]?.write(bytes(`${n}`))) ?? 0;
      return [index, `${n}`] as const;
    }),
  );
  const expected = [...written].sort(([a], [b]) => a - b);
  t.same(
    expected.map(([index]) => index),
    range(1, 300),
  );
  for (const store of stores) t.same(await contents(store), expected);
});
