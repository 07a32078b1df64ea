/** Topics in a directory, and their partitions. */
import t from 'tap';
import type { Disk } from '../../src/disk/disk.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Topic } from '../../src/stream/contract.js';
import { openLogOn } from '../../src/stream/log.js';
import { partitionOfKey } from '../../src/stream/partition-of-key.js';
import { quota } from '../../src/stream/quota.js';
import { bytes, contents, range } from '../store/records.js';
import { lockFileMachine, memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';

const written = { durability: 'written' } as const;

const partitions = async (topic: Topic): Promise<[index: number, text: string][][]> =>
  Promise.all(range(0, topic.partitions - 1).map(async (n) => contents(await topic.partition(n))));

onBothDisks('a key’s records are in one partition, in their order, for every opener', async (t, world) => {
  const log = await world.openLog({ ...written, partitions: 4 });
  const topic = await log.topic('orders');
  t.equal(topic.name, 'orders');
  t.equal(topic.partitions, 4);
  t.equal(await log.topic('orders'), topic);
  const other = await (await world.openLog({ ...written, partitions: 99 })).topic('orders');
  t.equal(other.partitions, 4, 'what it has is what counts');
  const expected: [number, string][][] = [[], [], [], []];
  for (const n of range(1, 40)) {
    const key = `customer ${n % 7}`;
    const at = await (n % 2 === 0 ? topic : other).append(bytes(`${key}: ${n}`), { key });
    t.equal(at.partition, partitionOfKey(key, 4));
    const into = expected[at.partition] as [number, string][];
    into.push([at.index, `${key}: ${n}`]);
    t.equal(at.index, into.length);
  }
  t.same(await partitions(topic), expected);
  t.same(await partitions(other), expected);
});

t.test('the hash of a key is the CRC-32 of its UTF-8', (t) => {
  t.equal(partitionOfKey('123456789', 2 ** 32), 0xcbf43926);
  t.equal(partitionOfKey('größe', 2 ** 32), 0x5bd3a989);
  t.same(
    ['ada', 'grace', 'edsger', 'barbara'].map((key) => partitionOfKey(key, 8)),
    [0, 3, 2, 7],
  );
  t.end();
});

t.test('the shares of a group are all partitions, and differ by one at most', (t) => {
  for (const count of range(1, 40))
    for (const members of range(1, 20)) {
      const shares = range(0, members - 1).map((place) => quota(count, members, place));
      t.equal(
        shares.reduce((sum, share) => sum + share, 0),
        count,
      );
      t.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }
  t.end();
});

onBothDisks('without a key the partitions take turns', async (t, world) => {
  const topic = await (await world.openLog(written)).topic('t', { partitions: 3 });
  const found: number[] = [];
  for (const n of range(1, 9)) found.push((await topic.append(bytes(`${n}`))).partition);
  t.same(
    found,
    found.map((_, at) => ((found[0] as number) + at) % 3),
  );
  t.same(
    (await partitions(topic)).map((one) => one.length),
    [3, 3, 3],
  );
});

onBothDisks('topics are listed, opened again and removed', async (t, world) => {
  const log = await world.openLog({ ...written, partitions: 2 });
  t.same(await log.topics(), []);
  await (await log.topic('b')).append(bytes('1'), { key: 'k', headers: { h: '1' } });
  await log.topic('a');
  await log.topic('A-1.x');
  t.same(await log.topics(), ['A-1.x', 'a', 'b']);
  await log.close();
  await log.close();
  await t.rejects(log.topics(), { code: 'CLOSED' });
  await t.rejects(log.topic('a'), { code: 'CLOSED' });
  const again = await world.openLog({ ...written, partitions: 7 });
  const topic = await again.topic('b');
  t.equal(topic.partitions, 2);
  const at = partitionOfKey('k', 2);
  t.match(await (await topic.partition(at)).entry(1), { headers: { h: '1' } });
  t.equal(await again.removeTopic('b'), true);
  t.equal(await again.removeTopic('b'), false);
  await t.rejects(topic.append(bytes('2')), { code: 'CLOSED' });
  t.same(await again.topics(), ['A-1.x', 'a']);
  const anew = await again.topic('b');
  t.equal(anew.partitions, 7);
  t.same(await partitions(anew), [[], [], [], [], [], [], []], 'nothing of the old one is in it');
});

onBothDisks('a partition stays open when its store is closed: it is everybody’s', async (t, world) => {
  const topic = await (await world.openLog({ ...written, partitions: 1 })).topic('t');
  const store = await topic.partition(0);
  t.equal(await topic.partition(0), store);
  const member = await topic.group('g');
  await topic.append(bytes('1'));
  await store.close();
  t.equal((await store.stats()).syncedIndex, 1, 'closing it syncs');
  await topic.append(bytes('2'));
  t.same(await contents(store), [
    [1, '1'],
    [2, '2'],
  ]);
  t.same(
    (await member.nextMany(9)).map(({ index }) => index),
    [1, 2],
  );
});

onBothDisks(
  'a topic that somebody else has open is not removed',
  async (t, world) => {
    const log = await world.openLog({ ...written, partitions: 2 });
    const one = await log.topic('t');
    const other = await world.openLog(written);
    await t.rejects(other.removeTopic('t'), { code: 'LOCK_UNAVAILABLE' }, 'though no partition is open');
    await one.append(bytes('1'), { key: 'x' });
    await t.rejects(other.removeTopic('t'), { code: 'LOCK_UNAVAILABLE' });
    await one.append(bytes('2'), { key: 'x' });
    t.same(await contents(await one.partition(partitionOfKey('x', 2))), [
      [1, '1'],
      [2, '2'],
    ]);
    await log.close();
    t.equal(await other.removeTopic('t'), true);
  },
  { notWithLockFiles: 'there nobody can see who has it open' },
);

t.test('where nobody can see who has a topic open, who has it hears that it was removed', async (t) => {
  const world = memoryWorld(t, lockFileMachine());
  const topic = await (await world.openLog({ ...written, partitions: 2 })).topic('t');
  const other = await world.openLog({ ...written, partitions: 3 });
  t.equal(await other.removeTopic('t'), true);
  await t.rejects(topic.append(bytes('lost')), { code: 'CLOSED' });
  const anew = await other.topic('t');
  await t.rejects(topic.append(bytes('lost')), { code: 'CLOSED' }, 'the one of that name is another');
  await anew.append(bytes('kept'), { key: 'k' });
  t.same(await contents(await anew.partition(partitionOfKey('k', 3))), [[1, 'kept']]);
});

onBothDisks('a topic that is asked for while it is removed here is a new one', async (t, world) => {
  const log = await world.openLog({ ...written, partitions: 1 });
  await (await log.topic('t')).append(bytes('old'));
  const removing = log.removeTopic('t');
  const again = log.removeTopic('t');
  const topic = await log.topic('t', { partitions: 2 });
  t.same([await removing, await again], [true, false]);
  await topic.append(bytes('new'), { key: 'k' });
  await log.close();
  const later = await (await world.openLog(written)).topic('t');
  t.same(await contents(await later.partition(partitionOfKey('k', 2))), [[1, 'new']]);
});

/** An opener of the machine that syncs directories when it is let. */
function slowly(machine: MemoryDisk): { disk: Disk; reached: () => boolean; go: () => void } {
  const opener = machine.opener();
  let go = (): void => {};
  let isReached = false;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const disk = new Proxy(opener, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== 'syncDirectory') return typeof value === 'function' ? value.bind(target) : value;
      return async (directory: string): Promise<void> => {
        if (directory.endsWith('@t')) {
          isReached = true;
          await gate;
        }
        await target.syncDirectory(directory);
      };
    },
  });
  return { disk, reached: () => isReached, go };
}

t.test('a new topic of the name survives who removes, or opens, the old one slowly', async (t) => {
  for (const who of ['removes', 'opens'] as const) {
    const machine = lockFileMachine();
    const world = memoryWorld(t, machine);
    const old = await world.openLog({ ...written, partitions: 2 });
    await (await old.topic('t')).append(bytes('old'), { key: 'k' });
    await old.close();
    const slow = slowly(machine);
    const log = await openLogOn(slow.disk, { directory: world.directory, ...written });
    const work = who === 'removes' ? log.removeTopic('t') : log.topic('t');
    await until('in the midst', slow.reached);
    const other = await world.openLog({ ...written, partitions: 3 });
    t.equal(await other.removeTopic('t'), who === 'opens');
    await (await other.topic('t')).append(bytes('new'), { key: 'k' });
    await other.close();
    slow.go();
    const done = await work;
    if (who === 'removes') t.equal(done, true);
    else t.match(done, { partitions: 3 }, 'it opens the new one');
    const topic = await (await world.openLog(written)).topic('t');
    t.equal(topic.partitions, 3);
    t.same(await contents(await topic.partition(partitionOfKey('k', 3))), [[1, 'new']], who);
    await log.close();
  }
});

t.test('what of a removed topic outlived its remover is taken away', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const log = await world.openLog({ ...written, partitions: 2 });
  for (const n of range(1, 4)) await (await log.topic('t')).append(bytes(`${n}`));
  let left = true;
  machine.onOperation = ({ kind, path }) => {
    if (kind !== 'unlink' || !left || path.endsWith('topic.json')) return undefined;
    left = false;
    return { error: 'EIO' };
  };
  await t.rejects(log.removeTopic('t'), { code: 'STORE_FAILED' });
  machine.onOperation = undefined;
  t.same(await log.topics(), [], 'it is removed all the same');
  const topic = await log.topic('t');
  t.same(await partitions(topic), [[], []]);
  const labels = new Set(
    [...machine.snapshot().keys()].map((path) => /@t\/([0-9a-f]{16})-/.exec(path)?.[1]).filter(Boolean),
  );
  t.equal(labels.size, 1);
});

t.test('a topic is on the device when it is open', async (t) => {
  const machine = new MemoryDisk();
  const lone = new MemoryDisk();
  await (await memoryWorld(t, lone).openLog({ partitions: 3 })).topic('t');
  lone.powerCut({ writes: 'lose', names: 'lose' });
  t.equal((await (await memoryWorld(t, lone).openLog()).topic('t')).partitions, 3);
  const world = memoryWorld(t, machine);
  const topic = await (await world.openLog({ partitions: 2 })).topic('t');
  const at = await topic.append(bytes('1'));
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const log = await world.openLog();
  t.same(await log.topics(), ['t']);
  const again = await log.topic('t', { partitions: 2 });
  t.same(await contents(await again.partition(at.partition)), [[1, '1']]);
});

t.test('what there cannot be is INVALID_OPTION', async (t) => {
  const world = memoryWorld(t);
  const refused = { code: 'INVALID_OPTION' };
  for (const options of [
    { partitions: 0 },
    { partitions: 1025 },
    { partitions: 1.5 },
    { filePrefix: 'x' } as object,
    { topics: 1 } as object,
    { maxFiles: 0 },
  ])
    await t.rejects(world.openLog(options), refused, JSON.stringify(options));
  const log = await world.openLog({ ...written, partitions: 2 });
  for (const name of ['', '.', '..', '../x', 'a/b', 'a\\b', '.a', 'a.', 'é', 'x'.repeat(101), 7, undefined])
    await t.rejects(log.topic(name as string), refused, String(name));
  const topic = await log.topic('Orders');
  await t.rejects(log.topic('orders'), refused, 'another only by case');
  await t.rejects(log.topic('Orders', { partitions: 3 }), refused);
  await t.rejects(log.topic('Orders', { size: 3 } as object), refused);
  for (const number of [-1, 2, 0.5, '1', undefined])
    await t.rejects(topic.partition(number as number), refused, String(number));
  for (const key of ['', 7, null])
    await t.rejects(topic.append(bytes('x'), { key: key as string }), refused, String(key));
  await t.rejects(topic.append('x' as unknown as Uint8Array), refused);
  await t.rejects(topic.append(bytes('x'), { id: 'x' } as object), refused);
  for (const name of ['', 'a.', '../x']) await t.rejects(topic.group(name), refused);
  t.same(await log.topics(), ['Orders']);
});
