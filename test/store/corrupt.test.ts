import type { Test } from 'tap';
import type { CorruptError } from '../../src/errors.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { bytes, contents, range, text } from './records.js';
import { onBothDisks, type World } from './world.js';

const FILE = 'duro_00000000000000000001.dat';
const payload = (n: number): string => `payload number ${n}, and some more of it`;

async function fill(world: World): Promise<void> {
  const store = await world.openStore();
  await store.writeMany(range(1, 9).map((n) => bytes(payload(n))));
  await store.close();
}

async function caught(promise: Promise<unknown>): Promise<CorruptError> {
  try {
    await promise;
  } catch (error) {
    return error as CorruptError;
  }
  throw new Error('nothing was thrown');
}

async function onlyFiveIsDamaged(t: Test, world: World, flipped: number): Promise<void> {
  const store = await world.openStore();
  const error = await caught(store.read(5));
  t.match(error, { name: 'CorruptError', code: 'CORRUPT', indexes: { from: 5, to: 5 } });
  t.ok(error.file.endsWith(FILE), error.file);
  t.ok(
    error.position <= flipped && flipped < error.position + error.bytes,
    `byte ${flipped} is among ${error.bytes} from ${error.position}`,
  );
  t.match(error.message, new RegExp(`${FILE.replace('.', '\\.')} at byte ${error.position}`));
  t.equal((await caught(store.entry(5))).code, 'CORRUPT');
  for (const n of [1, 2, 3, 4, 6, 7, 8, 9]) t.equal(text(await store.read(n)), payload(n));
  t.equal(text(await store.read()), payload(1));
  t.equal(await store.length(), 9);
  const before: number[] = [];
  const walk = async (): Promise<void> => {
    for await (const { index } of store.entries()) before.push(index);
  };
  t.equal((await caught(walk())).code, 'CORRUPT', 'a walk says so');
  t.same(before, [1, 2, 3, 4]);
  const after: number[] = [];
  for await (const { index } of store.entries({ from: 6 })) after.push(index);
  t.same(after, [6, 7, 8, 9], 'and goes on behind it');
  t.equal(await store.write(bytes('next')), 10, 'appending goes on');
  t.equal(text(await store.read(10)), 'next');
  t.equal(await store.delete(5), 1, 'deleting it is the way out');
  t.equal(await store.read(5), undefined);
  t.equal((await contents(store)).length, 9);
}

for (const [where, offset] of [
  ['payload', 0],
  ['head', -36],
  ["head's checksum", -4],
] as const) {
  onBothDisks(
    `a byte flipped in a record's ${where}: that one is CORRUPT, all else goes on`,
    async (t, world) => {
      await fill(world);
      const flipped = world.bytes(FILE).indexOf(payload(5)) + offset;
      world.flip(FILE, flipped);
      await onlyFiveIsDamaged(t, world, flipped);
      damagedOnPurpose(world.directory);
    },
  );
}

onBothDisks('the same without the entries file', async (t, world) => {
  await fill(world);
  const flipped = world.bytes(FILE).indexOf(payload(5));
  world.flip(FILE, flipped);
  world.put(FILE.replace('dat', 'idx'), new Uint8Array(0));
  await onlyFiveIsDamaged(t, world, flipped);
  damagedOnPurpose(world.directory);
});

onBothDisks('damage found while others have the store open is theirs to see as well', async (t, world) => {
  await fill(world);
  const [one, two] = [await world.openStore({ maxChunk: 0 }), await world.openStore({ maxChunk: 0 })];
  world.flip(FILE, world.bytes(FILE).indexOf(payload(2)));
  t.equal((await caught(one.read(2))).code, 'CORRUPT');
  t.equal((await caught(two.read(2))).code, 'CORRUPT');
  t.equal(await two.write(bytes('next')), 10);
  t.equal(text(await one.read(10)), 'next');
  damagedOnPurpose(world.directory);
});

onBothDisks('damaged entries cost nothing but a look into the data', async (t, world) => {
  await fill(world);
  const entries = FILE.replace('dat', 'idx');
  for (let at = 32; at < world.bytes(entries).length; at += 7) world.flip(entries, at);
  const store = await world.openStore();
  for (const n of [9, 1, 5, 2, 8]) t.equal(text(await store.read(n)), payload(n));
  t.equal(await store.write(bytes('next')), 10);
  damagedOnPurpose(world.directory);
});

onBothDisks('a journal that is missing is no new store, however few segments there are', async (t, world) => {
  await fill(world);
  const store = await world.openStore();
  await store.delete([1, 2]);
  await store.close();
  t.same(world.files(/\.dat$/), [FILE]);
  for (const name of world.files(/\.fate\.\d+$/)) world.remove(name);
  const error = await caught(world.openStore());
  t.match(error, { code: 'CORRUPT', message: /the journal of fates is missing/ });
  t.same(world.files(/\.fate\.\d+$/), [], 'and none is begun');
  damagedOnPurpose(world.directory);
});

onBothDisks('who opens beside others meets a damaged fact at once', async (t, world) => {
  await fill(world);
  const store = await world.openStore();
  for (const n of range(1, 3)) await store.delete(n);
  // A journal's header has 32 bytes; the first fact's frame is behind it.
  world.flip('duro.fate.1', 32 + 40);
  t.match(await caught(world.openStore()), { code: 'CORRUPT', message: /a fact is damaged/ });
  t.equal(await store.length(), 6, 'who has folded it goes on');
  damagedOnPurpose(world.directory);
});
