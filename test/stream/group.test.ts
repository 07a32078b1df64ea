/** Groups: partitions shared out among living members. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { GroupMember, Log, Topic } from '../../src/stream/contract.js';
import { openLogOn } from '../../src/stream/log.js';
import { partitionOfKey } from '../../src/stream/partition-of-key.js';
import { nextTurn } from '../crash/actor.js';
import { MovedClock } from '../store/moved-clock.js';
import { bytes, range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';

const written = { durability: 'written' } as const;

/** Appends records by key, so that each partition gets some; returns their texts by partition. */
async function fill(topic: Topic, from: number, to: number): Promise<string[][]> {
  const texts: string[][] = range(1, topic.partitions).map(() => []);
  for (const n of range(from, to)) {
    const { partition } = await topic.append(bytes(`${n}`), { key: `key ${n}` });
    texts[partition]?.push(`${n}`);
  }
  return texts;
}

/** Takes all there is now, each partition's in its order. */
async function drain(member: GroupMember, into: string[][]): Promise<void> {
  for (;;) {
    const found = await member.nextMany(10);
    if (found.length === 0) return;
    t.equal(new Set(found.map(({ partition }) => partition)).size, 1, 'of one partition at a time');
    for (const { partition, data } of found) into[partition]?.push(Buffer.from(data).toString());
  }
}

const nothing = (topic: Topic): string[][] => range(1, topic.partitions).map(() => []);

const isShared = (members: readonly GroupMember[], partitions: number): boolean => {
  const all = members.flatMap(({ assigned }) => assigned);
  const sizes = members.map(({ assigned }) => assigned.length);
  return (
    all.length === partitions &&
    new Set(all).size === partitions &&
    Math.max(...sizes) - Math.min(...sizes) <= 1
  );
};

onBothDisks('a member alone has all partitions, and goes on where the group was', async (t, world) => {
  const topic = await (await world.openLog({ ...written, partitions: 4 })).topic('t');
  const texts = await fill(topic, 1, 100);
  const member = await topic.group('g');
  t.same(member.assigned, [0, 1, 2, 3]);
  const got = nothing(topic);
  await drain(member, got);
  t.same(got, texts);
  await member.commit();
  const more = await fill(topic, 101, 120);
  const uncommitted = nothing(topic);
  await drain(member, uncommitted);
  t.same(uncommitted, more);
  await member.close();
  await t.rejects(member.next(), { code: 'CLOSED' });
  await t.rejects(member.commit(), { code: 'CLOSED' });
  const again = await topic.group('g');
  const redelivered = nothing(topic);
  await drain(again, redelivered);
  t.same(redelivered, more, 'what was not committed comes again');
  const other = nothing(topic);
  await drain(await topic.group('other'), other);
  t.same(
    other,
    texts.map((one, at) => [...one, ...(more[at] ?? [])]),
    'another group has its own position',
  );
});

onBothDisks('members share the partitions out, and nothing of one is with two', async (t, world) => {
  const topic = await (await world.openLog({ ...written, partitions: 5 })).topic('t');
  const second = await (await world.openLog(written)).topic('t');
  const texts = await fill(topic, 1, 50);
  const one = await topic.group('g');
  const told: [string, readonly number[]][] = [];
  const silence = one.on('revoked', (numbers) => told.push(['revoked', numbers]));
  one.on('assigned', (numbers) => told.push(['assigned', numbers]));
  const two = await second.group('g');
  await until('three and two', () => isShared([one, two], 5));
  t.same(
    told.map(([event]) => event),
    ['revoked'],
  );
  t.same([...one.assigned, ...told.flatMap(([, numbers]) => numbers)].sort(), [0, 1, 2, 3, 4]);
  const got = nothing(topic);
  await drain(one, got);
  await drain(two, got);
  t.same(got, texts);
  await one.commit();
  const left = [...one.assigned];
  silence();
  await two.close();
  await until('all with the one that is left', () => one.assigned.length === 5);
  t.equal(
    told.filter(([event]) => event === 'assigned').flatMap(([, numbers]) => numbers).length,
    5 - left.length,
  );
  const rest = nothing(topic);
  await drain(one, rest);
  t.same(
    rest,
    texts.map((records, at) => (left.includes(at) ? [] : records)),
    'the other had not committed',
  );
});

onBothDisks(
  'who waits gets what comes, whichever partition it is in, and is woken by a close',
  async (t, world) => {
    const topic = await (await world.openLog({ ...written, partitions: 3 })).topic('t');
    const producer = await (await world.openLog(written)).topic('t');
    const member = await topic.group('g');
    for (const n of range(1, 6)) {
      const waiting = member.next({ waitMs: 10_000 });
      const { partition } = await producer.append(bytes(`${n}`));
      const entry = await waiting;
      t.same([entry?.partition, entry && Buffer.from(entry.data).toString()], [partition, `${n}`]);
    }
    t.equal(await member.next({ waitMs: 1 }), undefined);
    t.same(await member.nextMany(0), []);
    const reason = new Error('enough');
    const abort = new AbortController();
    const aborted = member.next({ waitMs: Number.POSITIVE_INFINITY, signal: abort.signal });
    abort.abort(reason);
    await t.rejects(aborted, reason);
    const closed = member.next({ waitMs: Number.POSITIVE_INFINITY });
    await member.close();
    await t.rejects(closed, { code: 'CLOSED' });
  },
);

onBothDisks('a partition that is in hand stays until it is committed', async (t, world) => {
  const topic = await (await world.openLog({ ...written, partitions: 2 })).topic('t');
  const second = await (await world.openLog(written)).topic('t');
  const one = await topic.group('g');
  for (const n of range(1, 20)) await topic.append(bytes(`${n}`));
  const inHand = new Set<number>();
  while (inHand.size < 2) inHand.add((await one.next())?.partition ?? -1);
  const two = await second.group('g');
  let looks = 0;
  await until('some looks at who is there', () => {
    looks += 1;
    return looks > 40;
  });
  t.same([one.assigned, two.assigned], [[0, 1], []], 'nothing is taken from who has it in hand');
  await one.commit();
  await until('one each', () => isShared([one, two], 2));
  t.same(one.assigned.length, 1, 'given up with the commit');
});

t.test('a member that dies gives up its partitions, and what it had not committed comes again', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const topic = await (await world.openLog({ ...written, partitions: 4 })).topic('t');
  const texts = await fill(topic, 1, 40);
  const opener = machine.opener();
  const doomed: Log = await openLogOn(opener, { directory: world.directory, ...written });
  const dying = await (await doomed.topic('t')).group('g');
  const got = nothing(topic);
  await drain(dying, got);
  await dying.commit();
  const lost = await fill(topic, 41, 80);
  await drain(dying, nothing(topic));
  const living = await topic.group('g');
  t.same(living.assigned, []);
  opener.die();
  await until('the partitions of the dead', () => living.assigned.length === 4);
  const again = nothing(topic);
  await drain(living, again);
  t.same([got, again], [texts, lost]);
});

t.test('a partition whose group was removed there is taken again, from its beginning', async (t) => {
  const topic = await (await memoryWorld(t).openLog({ ...written, partitions: 1 })).topic('t');
  const texts = await fill(topic, 1, 3);
  const member = await topic.group('g');
  await drain(member, nothing(topic));
  await member.commit();
  const revoked: number[] = [];
  member.on('revoked', (numbers) => revoked.push(...numbers));
  await (await topic.partition(0)).removeConsumer('g');
  await until('given up, and had again', async () => {
    const got = nothing(topic);
    await drain(member, got);
    return got[0]?.length === 3 && got;
  }).then((got) => t.same(got, texts));
  t.same(revoked, [0]);
});

t.test('a partition that cannot be had is in the way of no other, and who calls next is told', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const clock = new MovedClock();
  const topic = await (await world.openLog({ ...written, partitions: 3, clock })).topic('t');
  const texts = await fill(topic, 1, 30);
  const before = await topic.group('g');
  const opener = machine.opener('next');
  const log = await openLogOn(opener, { directory: world.directory, ...written, clock });
  const member = await (await log.topic('t')).group('g');
  t.same(member.assigned, [], 'all is taken');
  const told: (readonly number[])[] = [];
  member.on('assigned', (numbers) => told.push(numbers));
  await before.close();
  machine.onOperation = (operation) =>
    operation.opener === 'next' && /-1\/duro\.hold\.consumer\.g\.0/.test(operation.path)
      ? { error: 'EACCES' }
      : undefined;
  clock.advance(50);
  await until('the others', () => told.length > 0);
  t.same([told, member.assigned], [[[0, 2]], [0, 2]]);
  await nextTurn();
  await t.rejects(member.next(), { code: 'LOCK_UNAVAILABLE', message: /-1.duro\.hold/ });
  const got = nothing(topic);
  await drain(member, got);
  t.same(got, [texts[0], [], texts[2]]);
  await member.commit();
  machine.onOperation = undefined;
  clock.advance(50);
  await until('the third', () => told.length > 1);
  t.same(
    [told, member.assigned],
    [
      [[0, 2], [1]],
      [0, 1, 2],
    ],
  );
  await drain(member, got);
  t.same(got, texts);
  await log.close();
});

t.test('who loses a partition in the midst of looking looks at all that are left', async (t) => {
  // Nobody looks after the partitions meanwhile.
  const clock = new MovedClock();
  for (const lost of [0, 1, 2, 3])
    for (const last of range(0, 3).filter((one) => one !== lost)) {
      const log = await memoryWorld(t).openLog({ ...written, partitions: 4, clock });
      const topic = await log.topic('t');
      const member = await topic.group('g');
      await (await topic.partition(lost)).removeConsumer('g');
      const key = range(1, 100)
        .map(String)
        .find((one) => partitionOfKey(one, 4) === last);
      await topic.append(bytes('one'), { key });
      t.equal((await member.next())?.partition, last, `${lost} is lost, and there is one in ${last}`);
      await member.close();
    }
});

t.test('what there cannot be is INVALID_OPTION', async (t) => {
  const member = await (await (await memoryWorld(t).openLog(written)).topic('t')).group('g');
  const refused = { code: 'INVALID_OPTION' };
  await t.rejects(member.next({ waitMs: -1 }), refused);
  await t.rejects(member.nextMany(-1), refused);
  await t.rejects(member.nextMany(undefined as unknown as number), refused);
  t.throws(() => member.on('lost' as 'revoked', () => {}), refused);
  t.throws(() => member.on('revoked', 'x' as unknown as () => void), refused);
});
