/** Positions that are kept under names, and who has them open. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Consumer } from '../../src/store/consumer-contract.js';
import type { Store } from '../../src/store/contract.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { EngineStore } from '../../src/store/store.js';
import { SHORT_JOURNALS } from '../crash/actor.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { random } from '../support/random.js';
import { until } from '../support/until.js';
import { openEngine } from './engines.js';
import { MovedClock } from './moved-clock.js';
import { bytes, fileOf, range } from './records.js';
import { lockFileMachine, memoryWorld, onBothDisks } from './world.js';

const written = { durability: 'written' } as const;

async function write(store: Store, count: number): Promise<void> {
  await store.writeMany(range(1, count).map((n) => bytes(`record ${n}`)));
}

const indexes = (entries: readonly { readonly index: number }[]): number[] =>
  entries.map(({ index }) => index);

/** What is there for a consumer now. */
const rest = async (consumer: Consumer): Promise<number[]> => indexes(await consumer.nextMany(1000));

/** Has a new consumer, and closes it. */
async function touch(store: Store, name: string, from?: number | 'first' | 'next' | Date): Promise<void> {
  await (await store.consumer(name, { from })).close();
}

const committed = async (store: Store, name: string): Promise<number | undefined> =>
  (await store.consumers()).find((one) => one.name === name)?.committed;

onBothDisks('who opens it again goes on behind what was committed', async (t, world) => {
  const store = await world.openStore();
  await write(store, 10);
  const first = await store.consumer('mail');
  t.equal(first.name, 'mail');
  const one = await first.next();
  t.same([one?.index, one && Buffer.from(one.data).toString()], [1, 'record 1']);
  t.same(indexes(await first.nextMany(3)), [2, 3, 4]);
  t.equal(await first.lag(), 10);
  t.equal(await first.commit(), undefined);
  t.equal(await first.lag(), 6);
  t.same(indexes(await first.nextMany(2)), [5, 6]);
  await first.commit(5);
  await first.close();
  const second = await store.consumer('mail', { from: 'first' });
  t.same(await rest(second), [6, 7, 8, 9, 10], 'from is for a new one');
  await store.close();
  const later = await world.openStore();
  const third = await later.consumer('mail', { from: 1 });
  t.same(await later.consumers(), [{ name: 'mail', committed: 5, lag: 5, holders: 1 }]);
  t.same(await rest(third), [6, 7, 8, 9, 10]);
  t.equal(await third.next(), undefined);
  await later.write(bytes('eleven'));
  t.equal((await third.next())?.index, 11);
});

onBothDisks('each holder reads all from what is committed on; only that is shared', async (t, world) => {
  const store = await world.openStore(written);
  const other = await world.openStore(written);
  await write(store, 6);
  const a = await store.consumer('mail');
  t.same(indexes(await a.nextMany(3)), [1, 2, 3]);
  await a.commit(2);
  const b = await other.consumer('mail');
  const c = await store.consumer('mail');
  t.same(await rest(a), [4, 5, 6]);
  t.same(await rest(b), [3, 4, 5, 6]);
  t.same(await rest(c), [3, 4, 5, 6]);
  await b.commit();
  t.equal(await a.lag(), 0);
  await a.commit(3);
  t.equal(await committed(store, 'mail'), 6, 'it moves forward only');
  t.same((await other.consumers())[0]?.holders, 3);
  await b.close();
  await b.close();
  t.same((await store.consumers())[0]?.holders, 2);
  await a[Symbol.asyncDispose]();
  await store.close();
  t.same((await other.consumers())[0]?.holders, 0);
});

onBothDisks('where a new one begins', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ ...written, clock });
  for (const n of range(1, 10)) {
    await store.write(bytes(`record ${n}`));
    clock.advance(1000);
  }
  await store.delete([1, 9]);
  const time = (await store.entry(6))?.time as Date;
  const begins = async (name: string, from?: number | 'first' | 'next' | Date): Promise<unknown> => {
    const consumer = await store.consumer(name, { from });
    const found = [(await consumer.next())?.index, await consumer.lag()];
    await consumer.close();
    return found;
  };
  t.same(await begins('default'), [2, 8]);
  t.same(await begins('first', 'first'), [2, 8]);
  t.same(await begins('next', 'next'), [undefined, 0]);
  t.same(await begins('at', 4), [4, 6]);
  t.same(await begins('deleted', 9), [10, 1]);
  t.same(await begins('behind', 11), [undefined, 0]);
  t.same(await begins('last', -1), [10, 1]);
  t.same(await begins('last-two', -2), [8, 2]);
  t.same(await begins('more-than-there', -100), [2, 8]);
  t.same(await begins('since', time), [6, 4]);
  t.same(await begins('between', new Date(time.getTime() + 1)), [7, 3]);
  t.same(await begins('to-come', new Date(clock.now() + 1)), [undefined, 0]);
  await store.write(bytes('later'));
  t.same(await begins('next', 1), [11, 1]);
  t.same(await begins('behind'), [11, 1]);
  await t.rejects(store.consumer('beyond', { from: 13 }), { code: 'INVALID_OPTION', message: /^from.*12/ });
  await t.resolves(store.consumer('first', { from: 100 }), 'one that is there does not look at it');
  const empty = await world.openStore({ ...written, filePrefix: 'empty' });
  const consumer = await empty.consumer('first');
  t.same([await consumer.next(), await consumer.lag()], [undefined, 0]);
  await empty.write(bytes('one'));
  t.equal((await consumer.next())?.index, 1);
});

onBothDisks("'next' misses nothing that is written once it is there", async (t, world) => {
  const [store, writer] = [await world.openStore(written), await world.openStore(written)];
  for (const round of range(1, 10)) {
    const consumer = await store.consumer(`round-${round}`, { from: 'next' });
    const index = await writer.write(bytes('x'));
    t.equal((await consumer.next({ waitMs: Number.POSITIVE_INFINITY }))?.index, index);
    await consumer.close();
  }
});

onBothDisks('waiting: for what comes, for a while, until aborted or closed', async (t, world) => {
  const [store, writer] = [await world.openStore(written), await world.openStore(written)];
  const consumer = await store.consumer('mail');
  t.equal(await consumer.next({ waitMs: 1 }), undefined);
  t.same(await consumer.nextMany(5, { waitMs: 1 }), []);
  const coming = consumer.nextMany(5, { waitMs: 60_000 });
  await writer.writeMany([bytes('one'), bytes('two')]);
  t.same(indexes(await coming), [1, 2], 'as soon as there is one');
  const controller = new AbortController();
  const aborted = consumer.next({ waitMs: Number.POSITIVE_INFINITY, signal: controller.signal });
  const reason = new Error('no more');
  controller.abort(reason);
  await t.rejects(aborted, reason);
  await t.rejects(consumer.next({ signal: controller.signal }), reason);
  await writer.write(bytes('three'));
  t.equal((await consumer.next())?.index, 3, 'nothing was taken');
  const closed = consumer.next({ waitMs: Number.POSITIVE_INFINITY });
  const other = await store.consumer('mail');
  const others = other.nextMany(3, { waitMs: Number.POSITIVE_INFINITY });
  t.same(indexes(await others), [1, 2, 3]);
  const waiting = other.next({ waitMs: Number.POSITIVE_INFINITY });
  await consumer.close();
  await t.rejects(closed, { code: 'CLOSED', message: /'mail'/ });
  for (const call of [
    (): Promise<unknown> => consumer.next(),
    () => consumer.nextMany(0),
    () => consumer.commit(),
    () => consumer.seek(1),
    () => consumer.lag(),
  ])
    await t.rejects(call(), { code: 'CLOSED' });
  const refused = t.rejects(waiting, { code: 'CLOSED' });
  await store.close();
  await refused;
  await t.rejects(other.next(), { code: 'CLOSED' });
  await t.resolves(other.close());
});

onBothDisks('calls at once get what is there one behind the other', async (t, world) => {
  const store = await world.openStore(written);
  const large = new Uint8Array(3 * 1024 * 1024).fill(7);
  for (const n of range(1, 9)) await store.write(n % 3 === 0 ? large : bytes(`${n}`));
  const consumer = await store.consumer('mail');
  const [a, b, c, d, e] = await Promise.all([
    consumer.next(),
    consumer.nextMany(3),
    consumer.next(),
    consumer.nextMany(3),
    consumer.nextMany(3),
  ]);
  const got = [a, ...b, c, ...d, ...e].flatMap((one) => one?.index ?? []);
  t.same(got, range(1, 9));
  t.ok(b.find(({ index }) => index === 3)?.data.every((byte) => byte === 7));
});

onBothDisks('commits: what is behind, what was not there, nothing', async (t, world) => {
  const store = await world.openStore(written);
  await write(store, 5);
  const consumer = await store.consumer('mail');
  await consumer.commit();
  t.equal(await committed(store, 'mail'), 0, 'nothing was returned');
  await consumer.commit(4);
  t.equal(await committed(store, 'mail'), 4, 'it need not have been returned');
  await consumer.commit(0);
  await consumer.commit(3);
  t.equal(await committed(store, 'mail'), 4);
  await t.rejects(consumer.commit(6), { code: 'INVALID_OPTION', message: /^index.*below 6/ });
  await t.rejects(consumer.commit(-1), { code: 'INVALID_OPTION' });
  await t.rejects(consumer.commit(1.5), { code: 'INVALID_OPTION' });
  await store.delete(5);
  await consumer.commit(5);
  t.equal(await committed(store, 'mail'), 5, 'also of what is gone by now');
  t.equal((await consumer.next())?.index, 1, 'it reads on where it was');
  await consumer.commit();
  t.equal(await committed(store, 'mail'), 5);
});

onBothDisks('commits of one turn never move it back', async (t, world) => {
  const store = await world.openStore(written);
  await write(store, 9);
  const [a, b] = [await store.consumer('mail'), await store.consumer('mail')];
  await Promise.all([a.commit(3), b.commit(9), a.commit(5), store.delete(2), b.commit(1), a.commit(7)]);
  t.equal(await committed(store, 'mail'), 9);
  t.equal(await committed(await world.openStore(written), 'mail'), 9);
  const outcomes = await Promise.allSettled([a.seek(3), b.commit(12), b.commit(4), a.commit(2)]);
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  t.equal(await committed(store, 'mail'), 4);
});

onBothDisks('seeking moves what is committed, backwards too', async (t, world) => {
  const clock = new MovedClock();
  const store = await world.openStore({ ...written, clock });
  for (const n of range(1, 8)) {
    await store.write(bytes(`${n}`));
    clock.advance(1000);
  }
  const [consumer, other] = [await store.consumer('mail'), await store.consumer('mail')];
  t.same(indexes(await other.nextMany(2)), [1, 2]);
  t.same(await rest(consumer), range(1, 8));
  await consumer.commit();
  await consumer.seek(4);
  t.equal(await consumer.lag(), 5);
  await consumer.commit();
  t.equal(await committed(store, 'mail'), 3, 'what was returned before counts no more');
  t.same(indexes(await consumer.nextMany(2)), [4, 5]);
  t.equal((await other.next())?.index, 3, 'others read on where they are');
  const reopened = await world.openStore(written);
  t.same(await rest(await reopened.consumer('mail')), range(4, 8));
  await consumer.seek('next');
  t.same([await committed(store, 'mail'), await consumer.next()], [8, undefined]);
  await consumer.seek('first');
  t.same([await committed(store, 'mail'), (await consumer.next())?.index], [0, 1]);
  await consumer.seek(-3);
  t.same(await rest(consumer), [6, 7, 8]);
  await consumer.seek((await store.entry(2))?.time as Date);
  t.same(await rest(consumer), range(2, 8));
  await consumer.seek(9);
  t.equal(await committed(store, 'mail'), 8);
  await t.rejects(consumer.seek(10), { code: 'INVALID_OPTION', message: /^to.*9/ });
  await t.rejects(consumer.seek(0), { code: 'INVALID_OPTION' });
  const waiting = consumer.next({ waitMs: Number.POSITIVE_INFINITY });
  await consumer.seek(7);
  t.equal((await waiting)?.index, 7, 'who waits goes on there, too');
});

onBothDisks('what is being read while somebody seeks is not returned', async (t, world) => {
  const store = await world.openStore(written);
  await store.write(new Uint8Array(3 * 1024 * 1024));
  await write(store, 4);
  const consumer = await store.consumer('mail');
  // A lock file is left alone now and then: a seek that waits for it may come when all is read.
  for (let seeks = 1, isUnderWay = false; !isUnderWay; seeks++) {
    if (seeks > 100) throw new Error('nothing was being read while somebody sought');
    isUnderWay = true;
    const reading = consumer.nextMany(2).finally(() => {
      isUnderWay = false;
    });
    await consumer.seek(4);
    const wasUnderWay = isUnderWay;
    const read = indexes(await reading);
    isUnderWay = wasUnderWay;
    if (wasUnderWay) t.same(read, [4, 5]);
    else await consumer.seek(1);
  }
  await consumer.commit();
  t.equal(await committed(store, 'mail'), 5);
});

t.test('a seek counts also where the reading that it overtakes fails', async (t) => {
  const world = memoryWorld(t);
  for (const before of [1, 2]) {
    const store = await world.openStore({ ...written, filePrefix: `p${before}` });
    await write(store, before);
    await store.write(new Uint8Array(3 * 1024 * 1024));
    await write(store, 4);
    const [name = ''] = world.files(new RegExp(`^p${before}_.*dat$`));
    world.flip(name, 2 * 1024 * 1024);
    damagedOnPurpose(world.directory);
    const consumer = await store.consumer('mail');
    // What stands before the damaged one is found by then.
    const reading = consumer.nextMany(10);
    await consumer.seek(before + 3);
    const sought = [before + 3, before + 4, before + 5];
    t.same(indexes(await reading), sought);
    await consumer.commit();
    t.equal(await committed(store, 'mail'), before + 5);
    await consumer.seek(before + 1);
    // The same where nothing was found before it.
    const failing = consumer.nextMany(10);
    await consumer.seek(before + 3);
    t.same(indexes(await failing), sought);
  }
});

onBothDisks('exclusive: nobody else, and only where there is nobody', async (t, world) => {
  const [store, other] = [await world.openStore(written), await world.openStore(written)];
  const alone = await store.consumer('mail', { exclusive: true });
  for (const one of [store, other])
    for (const exclusive of [true, false])
      await t.rejects(one.consumer('mail', { exclusive }), { code: 'LOCK_UNAVAILABLE', message: /'mail'/ });
  t.same((await other.consumers())[0]?.holders, 1);
  await t.resolves(other.consumer('mail.1', { exclusive: true }), 'another name');
  await alone.close();
  const shared = await other.consumer('mail');
  for (const one of [store, other])
    await t.rejects(one.consumer('mail', { exclusive: true }), { code: 'LOCK_UNAVAILABLE' });
  const second = await store.consumer('mail');
  t.same(
    (await store.consumers()).map(({ name, holders }) => [name, holders]),
    [
      ['mail', 2],
      ['mail.1', 1],
    ],
  );
  await shared.close();
  await t.rejects(other.consumer('mail', { exclusive: true }), { code: 'LOCK_UNAVAILABLE' });
  await second.close();
  const again = await other.consumer('mail', { exclusive: true });
  await other.close();
  await t.resolves(store.consumer('mail', { exclusive: true }));
  await t.rejects(again.next(), { code: 'CLOSED' });
});

onBothDisks('one that is refused leaves no consumer and no holder behind', async (t, world) => {
  const store = await world.openStore(written);
  await t.rejects(store.consumer('mail', { from: 2 }), { code: 'INVALID_OPTION' });
  t.same(await store.consumers(), []);
  await touch(store, 'Mail');
  await t.rejects(store.consumer('mail'), { code: 'INVALID_OPTION', message: /^name.*'Mail'/ });
  t.same(await store.consumers(), [{ name: 'Mail', committed: 0, lag: 0, holders: 0 }]);
  t.equal(await store.removeConsumer('mail'), false);
  t.equal(await store.removeConsumer('Mail'), true);
  await t.resolves(store.consumer('mail', { exclusive: true }));
});

onBothDisks('removed, it is no more, and who had it open hears of that', async (t, world) => {
  const [store, other] = [await world.openStore(written), await world.openStore(written)];
  await write(store, 5);
  const consumer = await store.consumer('mail', { exclusive: true });
  await consumer.nextMany(3);
  await consumer.commit();
  const mine = await other.consumer('other');
  t.same(await rest(mine), range(1, 5));
  const waiting = mine.next({ waitMs: Number.POSITIVE_INFINITY });
  t.equal(await other.removeConsumer('mail'), true);
  t.equal(await other.removeConsumer('mail'), false);
  t.same(
    (await store.consumers()).map(({ name }) => name),
    ['other'],
  );
  for (const call of [
    (): Promise<unknown> => consumer.next(),
    () => consumer.commit(),
    () => consumer.seek(1),
    () => consumer.lag(),
  ])
    await t.rejects(call(), { code: 'CLOSED', message: /removed/ });
  const refused = t.rejects(waiting, { code: 'CLOSED', message: /removed/ });
  t.equal(await store.removeConsumer('other'), true);
  await refused;
  const anew = await other.consumer('mail', { exclusive: true });
  t.same(await rest(anew), range(1, 5), 'it begins anew');
  await t.rejects(consumer.commit(5), { code: 'CLOSED' }, 'another of that name is not it');
  t.equal(await committed(other, 'mail'), 0);
  await consumer.close();
  t.same((await other.consumers())[0]?.holders, 1);
  t.equal(await other.removeConsumer('mail'), true);
  t.ok(
    await other.consumer('mail', { exclusive: true }),
    'who has it open and does nothing is in nobody’s way',
  );
});

onBothDisks('names never leave the directory, and are not mistaken for each other', async (t, world) => {
  const store = await world.openStore(written);
  const longest = 'n'.repeat(100);
  for (const name of ['a', '0', 'a.b', 'a.1', 'a-_b', 'mail.1.lock', longest]) {
    await write(store, 1);
    const consumer = await store.consumer(name, { from: 'next' });
    t.equal(consumer.name, name);
    t.equal(await committed(store, name), (await store.nextIndex()) - 1, name);
  }
  // With lock files they are directories, and not listed here.
  const files = world.files(/\.hold\.|directory\.lock/);
  t.equal(files.length, world.files(/write\.lock/).length * 7);
  t.ok(files.every((file) => /^duro\.hold\.consumer\.[\w.-]+\.1\.lock$/.test(file)));
  const wrong = [
    '',
    '.',
    '..',
    'a.',
    '.a',
    '-a',
    'a/b',
    '../a',
    'a\\b',
    'ä',
    'a b',
    'a\0',
    `${longest}n`,
    5,
    undefined,
  ];
  for (const name of wrong as string[])
    for (const call of [(): Promise<unknown> => store.consumer(name), () => store.removeConsumer(name)])
      await t.rejects(call(), { code: 'INVALID_OPTION', message: /^name/ }, JSON.stringify(name));
  t.equal((await store.consumers()).length, 7);
});

onBothDisks('what is asked for is looked at', async (t, world) => {
  const store = await world.openStore(written);
  const wrong: unknown[] = [
    { from: 0 },
    { from: 1.5 },
    { from: 'last' },
    { from: null },
    { exclusive: 1 },
    { form: 1 },
    5,
  ];
  for (const options of wrong)
    await t.rejects(
      store.consumer('mail', options as object),
      { code: 'INVALID_OPTION' },
      JSON.stringify(options),
    );
  await t.rejects(store.consumer('mail', { from: new Date(Number.NaN) }), { code: 'INVALID_OPTION' });
  t.same(await store.consumers(), []);
  const consumer = await store.consumer('mail', { from: undefined, exclusive: undefined });
  t.same(await consumer.nextMany(0), []);
  await t.rejects(consumer.nextMany(-1), { code: 'INVALID_OPTION', message: /^max/ });
  await t.rejects(consumer.nextMany(undefined as unknown as number), {
    code: 'INVALID_OPTION',
    message: /^max/,
  });
  await t.rejects(consumer.next({ waitMs: -1 }), { code: 'INVALID_OPTION' });
  await t.rejects(consumer.next({ wait: 1 } as object), { code: 'INVALID_OPTION' });
  await t.rejects(consumer.seek(undefined as unknown as number), { code: 'INVALID_OPTION', message: /^to/ });
});

onBothDisks('what is deleted, or went by retention, is passed over', async (t, world) => {
  const record = (): Uint8Array => new Uint8Array(100);
  const maxFileSize = fileOf(10, 100);
  const store = await world.openStore({ ...written, maxFileSize, retention: { maxBytes: 0 } });
  const consumer = await store.consumer('mail');
  for (const _ of range(1, 5)) await store.write(record());
  await store.delete([1, 3]);
  t.same(indexes(await consumer.nextMany(2)), [2, 4]);
  t.equal(await consumer.lag(), 3);
  for (const _ of range(6, 25)) await store.write(record());
  t.equal(await store.firstIndex(), 21);
  t.equal(await consumer.lag(), 5);
  t.same(await rest(consumer), range(21, 25));
  await consumer.commit();
  t.same(await store.consumers(), [{ name: 'mail', committed: 25, lag: 0, holders: 1 }]);
});

t.test('a damaged record is in the way until somebody seeks beyond it', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ maxChunk: 0 });
  await write(store, 5);
  const position = world.bytes('duro_00000000000000000001.dat').indexOf('record 3');
  world.flip('duro_00000000000000000001.dat', position);
  const consumer = await store.consumer('mail');
  t.same(indexes(await consumer.nextMany(5)), [1, 2], 'what is before it');
  await t.rejects(consumer.nextMany(5), { code: 'CORRUPT' });
  await t.rejects(consumer.next(), { code: 'CORRUPT' });
  await consumer.commit();
  await consumer.seek(4);
  t.same(await rest(consumer), [4, 5]);
});

t.test('what is made, committed, sought and removed under synced survives a power cut', async (t) => {
  const steps: readonly [what: string, step: (store: Store) => Promise<unknown>, expected: unknown][] = [
    ['made', (store) => store.consumer('new', { from: 'next' }), { mail: 1, new: 3 }],
    ['committed', async (store) => (await store.consumer('mail')).commit(3), { mail: 3 }],
    ['sought', async (store) => (await store.consumer('mail')).seek('first'), { mail: 0 }],
    ['removed', (store) => store.removeConsumer('mail'), {}],
  ];
  for (const [what, step, expected] of steps)
    for (const durability of ['synced', 'written'] as const) {
      const machine = new MemoryDisk();
      const world = memoryWorld(t, machine);
      const store = await world.openStore({ durability, clock: new MovedClock() });
      await (await store.consumer('mail')).seek('next');
      await write(store, 1);
      await (await store.consumer('mail')).commit(1);
      await store.sync();
      await store.writeMany([bytes('b'), bytes('c')], written);
      await step(store);
      machine.powerCut({ writes: 'lose', names: 'lose' });
      const after = await world.openStore();
      const found = Object.fromEntries((await after.consumers()).map((one) => [one.name, one.committed]));
      t.same(found, durability === 'synced' ? expected : { mail: 1 }, `${what}, ${durability}`);
      const least = Math.max(1, ...Object.values(found));
      t.ok((await after.length()) >= least, 'with the records that are named');
    }
});

t.test('a record is never given the index of a lost one that was committed', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore({ ...written, clock: new MovedClock() });
  await write(store, 3);
  await store.sync();
  await write(store, 3);
  const consumer = await store.consumer('mail');
  await consumer.nextMany(5);
  await consumer.commit();
  // The facts reach the device, and the records that they name do not.
  machine.opener().open('/store/duro.fate.1', 'write')?.syncNow();
  machine.powerCut({ writes: 'lose', names: 'lose' });
  const after = await world.openStore(written);
  t.same([await committed(after, 'mail'), await after.length()], [5, 3]);
  t.equal(await after.write(bytes('next')), 6);
  t.equal((await (await after.consumer('mail')).next())?.index, 6);
});

t.test('a succession keeps them, and a new opener finds them', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const resolved = resolveStoreOptions({ ...written, directory: world.directory, indexer: false }, new Set());
  const engine = await Engine.open(machine.opener(), resolved, SHORT_JOURNALS);
  t.teardown(() => engine.close());
  const store = new EngineStore(engine);
  await write(store, 20);
  const left = await store.consumer('left');
  await touch(store, 'gone');
  await touch(store, 'middle', 6);
  for (const n of range(1, 19)) await left.commit(n);
  await store.removeConsumer('gone');
  await left.seek(12);
  t.ok(engine.journal.number > 3, 'successions');
  const expected = [
    { name: 'left', committed: 11, lag: 9, holders: 1 },
    { name: 'middle', committed: 5, lag: 15, holders: 0 },
  ];
  t.same(await store.consumers(), expected);
  t.same(await (await world.openStore(written)).consumers(), expected);
  await left.commit(13);
  await t.resolves(left.next(), 'it is the same consumer as before');
});

t.test('with lock files who slept for long holds it again, unless somebody excludes that', async (t) => {
  const machine = lockFileMachine();
  const world = memoryWorld(t, machine);
  const [store, other] = [await world.openStore(written), await world.openStore(written)];
  await write(store, 5);
  const [alone, shared] = [
    await store.consumer('alone', { exclusive: true }),
    await store.consumer('shared'),
  ];
  machine.age(60_000);
  const taken = await other.consumer('alone', { exclusive: true });
  t.same(
    (await other.consumers()).map(({ holders }) => holders),
    [1, 0],
  );
  for (const call of [(): Promise<unknown> => alone.next(), () => alone.commit(3), () => alone.seek(3)])
    await t.rejects(call(), { code: 'LOCK_LOST', message: /'alone'/ });
  t.equal(await committed(other, 'alone'), 0);
  t.equal((await taken.next())?.index, 1);
  const third = await other.consumer('shared');
  t.same(indexes(await shared.nextMany(2)), [1, 2]);
  await shared.commit();
  t.same(
    (await other.consumers()).map(({ holders }) => holders),
    [1, 2],
  );
  await third.close();
  await taken.close();
  t.equal((await alone.next())?.index, 1, 'nobody has it any more');
  await t.rejects(other.consumer('alone'), { code: 'LOCK_UNAVAILABLE' });
});

t.test('locking none: counted here', async (t) => {
  const store = await memoryWorld(t).openStore({ ...written, locking: 'none' });
  const a = await store.consumer('mail');
  const b = await store.consumer('mail');
  t.equal((await store.consumers())[0]?.holders, 2);
  await t.rejects(store.consumer('mail', { exclusive: true }), { code: 'LOCK_UNAVAILABLE' });
  await a.close();
  await b.close();
  const alone = await store.consumer('mail', { exclusive: true });
  await t.rejects(store.consumer('mail'), { code: 'LOCK_UNAVAILABLE' });
  await alone.close();
  t.equal((await store.consumers())[0]?.holders, 0);
});

t.test('a full disk: what is not made is told, and nothing is held', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const store = await world.openStore();
  await write(store, 3);
  await touch(store, 'there');
  machine.onOperation = ({ kind, path }) =>
    kind === 'create' && path.includes('hold') ? { error: 'ENOSPC' } : undefined;
  await t.rejects(store.consumer('new'), { code: 'DISK_FULL' });
  const there = await store.consumer('there');
  t.equal((await there.next())?.index, 1);
  await there.commit();
  machine.onOperation = undefined;
  t.same(
    (await store.consumers()).map(({ name, holders }) => [name, holders]),
    [['there', 1]],
  );
});

const segment = fileOf(10, 100);
const hundred = (n: number): Uint8Array => new Uint8Array(100).fill(n);

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (const n of range(from, to)) t.equal(await store.write(hundred(n)), n);
}

onBothDisks('retention.consumed: what all of them are past goes, by whole segments', async (t, world) => {
  const options = { ...written, maxFileSize: segment, retention: { consumed: true } };
  const store = await world.openStore(options);
  await fill(store, 1, 35);
  t.equal(await store.firstIndex(), 1, 'without a consumer nothing goes');
  t.same(
    (await store.stats()).pinnedBy.map(({ why }) => why),
    ['waiting', 'waiting', 'waiting'],
  );
  const fast = await store.consumer('fast');
  const slow = await store.consumer('slow');
  await fast.commit(30);
  await slow.commit(9);
  for (const _ of range(1, 50)) await new Promise((resolve) => setImmediate(resolve));
  t.equal(await store.firstIndex(), 1);
  await slow.commit(10);
  await until('the first segment goes', async () => (await store.firstIndex()) === 11);
  await slow.commit(15);
  t.same(
    (await store.stats()).pinnedBy.map(({ index, why }) => [index, why]),
    [
      [11, 'consumer'],
      [21, 'consumer'],
    ],
  );
  await until('its files are removed', () => world.files(/\.dat$/).length === 3);
  t.equal(await store.removeConsumer('slow'), true);
  await until('what the fast one is past goes', async () => (await store.firstIndex()) === 31);
  t.same((await store.stats()).pinnedBy, []);
  await fast.commit(35);
  await fill(store, 36, 40);
  await fast.commit();
  t.equal(await store.firstIndex(), 31, 'what is being written to stays');
  await fast.commit(40);
  await store.write(hundred(41));
  t.equal(await store.firstIndex(), 41, 'until it is full');
  t.equal(await store.removeConsumer('fast'), true);
  await fill(store, 42, 75);
  t.equal(await store.firstIndex(), 41, 'with no consumer left nothing goes');
});

onBothDisks(
  'retention.consumed: a dead one pins until it is removed, also over a restart',
  async (t, world) => {
    const plain = await world.openStore({ ...written, maxFileSize: segment });
    await fill(plain, 1, 25);
    await touch(plain, 'dead');
    const live = await plain.consumer('live');
    await live.commit(25);
    await plain.close();
    const store = await world.openStore({ ...written, maxFileSize: segment, retention: { consumed: true } });
    await fill(store, 26, 31);
    t.equal(await store.firstIndex(), 1);
    await store.removeConsumer('dead');
    await until('it goes', async () => (await store.firstIndex()) === 21);
    await store.close();
    const again = await world.openStore({ ...written, maxFileSize: segment });
    await (await again.consumer('live')).commit(31);
    await again.close();
    const last = await world.openStore({ ...written, maxFileSize: segment, retention: { consumed: true } });
    // A mark of a close takes room where a record would have been.
    await until('what was committed before it was opened goes', async () => (await last.firstIndex()) > 21);
    t.same((await last.stats()).pinnedBy, []);
  },
);

onBothDisks('retention.consumed makes room at once where there is none else', async (t, world) => {
  const options = { ...written, maxFileSize: segment, maxFiles: 2, retention: { consumed: true } };
  const store = await world.openStore(options);
  const other = await world.openStore({ ...written, indexer: false });
  const consumer = await other.consumer('mail');
  await fill(store, 1, 20);
  await t.rejects(store.write(hundred(21)), { code: 'STORE_FULL' });
  for (const n of range(1, 12)) {
    await consumer.commit(10 * n);
    await fill(store, 10 * n + 11, 10 * n + 20);
  }
  t.equal(await store.firstIndex(), 121);
});

onBothDisks('retention.consumed: a segment that somebody else has sealed goes, too', async (_t, world) => {
  const store = await world.openStore({ ...written, retention: { consumed: true } });
  const writer = await world.openStore({ ...written, maxFileSize: segment });
  const consumer = await writer.consumer('mail');
  await fill(writer, 1, 10);
  await consumer.commit(10);
  await store.refresh();
  await fill(writer, 11, 11);
  await until('it goes', async () => (await store.firstIndex()) === 11);
});

onBothDisks('retention by bytes goes by no consumer', async (t, world) => {
  const retention = { consumed: true, maxBytes: 2 * (segment + 32 + 320) };
  const store = await world.openStore({ ...written, maxFileSize: segment, retention });
  const consumer = await store.consumer('mail');
  await fill(store, 1, 45);
  t.equal(await store.firstIndex(), 21);
  t.same(await rest(consumer), range(21, 45));
  await consumer.commit();
  await until('what it is past goes', async () => (await store.firstIndex()) === 41);
});

t.test('eleven readers of one log: each sees all, once, in order', async (t) => {
  const numbers = random(t);
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const writer = await world.openStore({ ...written, maxFileSize: 8192 });
  const total = 1500;
  const readers = range(1, 11).map(async (reader) => {
    const store = await world.openStore(written);
    const seen: number[] = [];
    let consumer = await store.consumer(`reader-${reader}`);
    while (seen.length < total) {
      const most = numbers.integer(1, 40);
      const wait = { waitMs: Number.POSITIVE_INFINITY };
      const got = numbers.chance(0.5) ? [await consumer.next(wait)] : await consumer.nextMany(most, wait);
      for (const one of got) if (one !== undefined) seen.push(one.index);
      if (numbers.chance(0.2)) await consumer.commit();
      if (numbers.chance(0.02)) {
        await consumer.commit();
        await consumer.close();
        consumer = await store.consumer(`reader-${reader}`);
      }
    }
    await consumer.commit();
    t.same(seen, range(1, total), `reader ${reader}`);
  });
  for (let index = 0; index < total; ) {
    const count = Math.min(numbers.integer(1, 30), total - index);
    await writer.writeMany(range(1, count).map((n) => hundred(n)));
    index += count;
  }
  await Promise.all(readers);
  t.same(
    (await writer.consumers()).map(({ committed, lag }) => [committed, lag]),
    range(1, 11).map(() => [total, 0]),
  );
});

t.test('who reads in turns leaves the event loop to others', async (t) => {
  const engine = await openEngine(t, new MemoryDisk(), written);
  const store = new EngineStore(engine);
  await write(store, 5000);
  const consumer = await store.consumer('mail');
  let turns = 0;
  const tick = setInterval(() => turns++, 0);
  while ((await consumer.next()) !== undefined);
  clearInterval(tick);
  t.ok(turns > 0);
});
