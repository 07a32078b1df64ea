import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { CodecError } from '../../src/errors.js';
import { FactWriter } from '../../src/journal/fact-writer.js';
import type { Schedule } from '../../src/journal/schedule-facts.js';
import type { CodecName } from '../../src/queue/codec.js';
import type { Queue } from '../../src/queue/contract.js';
import type { QueueOptions } from '../../src/queue/options.js';
import { compress } from '../../src/store/compress.js';
import { encrypt } from '../../src/store/encrypt.js';
import type { Transform } from '../../src/store/transforms.js';
import { openEngine } from '../store/engines.js';
import { MovedClock } from '../store/moved-clock.js';
import { reversed } from '../store/reversed.js';
import { memoryWorld, onBothDisks, type World } from '../store/world.js';
import { DIRECTORY, openTicking, quiet } from './tick-world.js';

const KEY = { id: 'k', key: randomBytes(32) };
const both = (): Transform[] => [compress(), encrypt(KEY)];
const SECRET = 'a secret that nobody may find on the disk';

const everything = (world: World): Buffer =>
  Buffer.concat(world.files(/^duro/).map((name) => world.bytes(name)));

for (const codec of ['json', 'v8', 'bytes'] as const satisfies CodecName[]) {
  onBothDisks(`values of codec '${codec}' go through transforms behind the codec`, async (t, world) => {
    const value = (at: number): unknown =>
      codec === 'bytes' ? new Uint8Array(Buffer.from(`${SECRET} ${at}`)) : { at, secret: SECRET };
    const queue = await world.openQueue<unknown>({ codec, transforms: both() });
    await queue.enqueue(value(1));
    await queue.enqueueMany([value(2), value(3)]);
    await queue.enqueue(value(4), { priority: 1, key: 'k', id: 'i', headers: { plain: 'header' } });
    await queue.enqueueMany([value(5), value(6)], { id: 'two' });
    t.same(await queue.enqueueMany([value(5), value(6)], { id: 'two' }), [5, 6], 'ids are as ever');
    t.same(await queue.read(3), value(3));
    const other = await world.openQueue<unknown>({ codec, transforms: both().reverse() });
    t.same(await other.peek(), value(4));
    t.same(await other.dequeue(), value(4));
    t.same(await other.peekMany(2), [value(1), value(2)]);
    const delivery = await other.claim();
    t.same(delivery?.value, value(1));
    await delivery?.ack();
    t.same(await queue.dequeueMany(2), [value(2), value(3)]);
    t.same(await queue.flush(), [value(5), value(6)]);
    t.notOk(everything(world).includes('secret'), 'nothing of them is on the disk');
    t.ok(everything(world).includes('header'), 'headers are as they are');
  });
}

onBothDisks('a process without a transform leaves its messages to those that have it', async (t, world) => {
  const queue = await world.openQueue<string>({ transforms: [reversed()] });
  const without = await world.openQueue<string>();
  await queue.enqueue('one');
  const wrong = { name: 'CodecError', code: 'CODEC', index: 1, message: /'reversed'.*not among/ };
  const calls: (() => Promise<unknown>)[] = [
    () => without.dequeue(),
    () => without.dequeueMany(5),
    () => without.flush(),
    () => without.peek(),
    () => without.read(1),
  ];
  for (const call of calls) await t.rejects(call(), wrong);
  t.equal(await without.length(), 1, 'it stays where it is');
  await without.enqueue('two');
  t.same(await queue.flush(), ['one', 'two'], 'and what goes through none is everybody’s');
});

onBothDisks(
  'of a head that cannot be decoded each claim is an attempt, then it is dead',
  async (t, world) => {
    const queue = await world.openQueue<string>({ transforms: [encrypt(KEY)], maxAttempts: 2 });
    await queue.enqueue('one');
    await queue.enqueue('two');
    const wrongKey = encrypt({ id: 'k', key: randomBytes(32) });
    const other = await world.openQueue<string>({ transforms: [wrongKey], maxAttempts: 2 });
    await t.rejects(other.claim(), { code: 'CODEC', index: 1, message: /does not fit/ });
    await t.rejects(other.claim(), { code: 'CODEC', index: 1, message: /claimed 2 times.*dead letters/ });
    const letters = async (from: Queue<string>) => {
      const all: { index: number; data: unknown; value: unknown }[] = [];
      for await (const letter of from.deadLetters.list()) {
        const or = (get: () => unknown): unknown => {
          try {
            return get();
          } catch (error) {
            return (error as CodecError).code;
          }
        };
        all.push({ index: letter.index, data: or(() => letter.data), value: or(() => letter.value()) });
      }
      return all;
    };
    t.same(await letters(other), [{ index: 1, data: 'CODEC', value: 'CODEC' }], 'it is listed all the same');
    t.same(await letters(queue), [{ index: 1, data: new Uint8Array(Buffer.from('"one"')), value: 'one' }]);
    t.equal(await queue.deadLetters.requeue(), 1);
    t.equal(await queue.dequeue(), 'one');
    t.equal(await queue.dequeue(), 'two');
  },
);

onBothDisks(
  'a value that cannot be encoded: CODEC, nothing written, of a batch neither',
  async (t, world) => {
    const failing: Transform = {
      name: 'failing',
      encode(data) {
        if (Buffer.from(data).includes('bad')) throw new Error('too bad');
        return data;
      },
      decode: (data) => data,
    };
    const queue = await world.openQueue<string>({ transforms: [failing] });
    await t.rejects(queue.enqueue('bad'), { code: 'CODEC', message: /too bad/ });
    await t.rejects(queue.enqueueMany(['good', 'bad']), { code: 'CODEC' });
    await t.rejects(queue.enqueue('bad', { id: 'a' }), { code: 'CODEC' });
    await t.rejects(queue.schedule('s', { everyMs: 60_000 }, 'bad'), { code: 'CODEC' });
    t.same(await queue.schedules(), []);
    t.equal(await queue.enqueue('good', { id: 'a' }), 1, 'its id was not taken');
    t.same(await queue.flush(), ['good']);
  },
);

t.test('⚑ nothing is undone under a lock: a transform takes as long as it likes', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const other = await openEngine(t, machine);
  let count = 0;
  const look = (data: Uint8Array): Uint8Array => {
    count += 1;
    for (const lock of [other.locks.fate, other.locks.write]) {
      t.ok(lock.tryEnter(), 'nobody is inside');
      lock.leave();
    }
    return data;
  };
  const looking: Transform = { name: 'looking', encode: look, decode: look };
  const queue = await world.openQueue<string>({ transforms: [looking] });
  await Promise.all(['one', 'two', 'three', 'four'].map((value) => queue.enqueue(value)));
  await queue.schedule('s', { everyMs: 1_000_000 }, 'tick');
  t.equal(await queue.dequeue(), 'one');
  await (await queue.claim())?.ack();
  t.same(await queue.dequeueMany(5), ['three', 'four']);
  t.ok(count >= 9, `${count} times`);
});

onBothDisks('values are checked on the way out behind the transforms', async (t, world) => {
  const schema: NonNullable<QueueOptions<string>['schema']> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'string' ? { value } : { issues: [{ message: 'not a string' }] },
    },
  };
  const queue = await world.openQueue<string>({ schema, validateOnRead: true, transforms: both() });
  await queue.enqueue('fine');
  const loose = await world.openQueue<unknown>({ transforms: both() });
  await loose.enqueue(5);
  t.equal(await queue.dequeue(), 'fine');
  await t.rejects(queue.dequeue(), { code: 'INVALID_VALUE', index: 2 });
});

const ticking = async (t: Test, transforms: readonly Transform[]) => {
  const machine = new MemoryDisk();
  const clock = new MovedClock();
  const open = (options: Partial<QueueOptions<string>> = {}): Promise<Queue<string>> =>
    openTicking(t, machine.opener(), clock, options);
  const queue = await open({ transforms });
  const pass = async (ms: number): Promise<void> => {
    await quiet(machine);
    clock.advance(ms);
    await quiet(machine);
  };
  const bytes = (match: RegExp): Buffer =>
    Buffer.concat([...machine.snapshot()].flatMap(([path, content]) => (match.test(path) ? [content] : [])));
  return { machine, clock, open, queue, pass, bytes };
};

t.test('the value of a schedule is transformed in the journal, and its ticks are', async (t) => {
  const { open, queue, pass, bytes } = await ticking(t, both());
  await queue.schedule('nightly', { everyMs: 1000 }, SECRET);
  t.ok(bytes(/fate/).includes('nightly'));
  t.notOk(bytes(/fate/).includes('secret'), '⚑ not to be had from the journal');
  await queue.close();
  const without = await open({ indexer: { intervalMs: 250 } });
  await pass(1000);
  t.equal(await without.length(), 1, 'who enqueues a tick needs no transforms');
  t.notOk(bytes(/./).includes('secret'));
  await t.rejects(without.dequeue(), { code: 'CODEC', index: 1, message: /'compress', 'encrypt'/ });
  const again = await open({ transforms: both() });
  t.equal(await again.dequeue(), SECRET);
});

t.test('⚑ a tick that is transformed is in a segment that announces it', async (t) => {
  const { open, queue, pass, machine } = await ticking(t, [reversed()]);
  const plain = await open();
  await plain.enqueue('one');
  await plain.close();
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await queue.close();
  const path = `${DIRECTORY}/duro_00000000000000000001.dat`;
  const older = Buffer.from(machine.bytes(path) ?? []);
  older.writeUInt16LE(1, 6);
  older.writeUInt32LE(crc32(older.subarray(0, 28)), 28);
  machine.put(path, older);
  const later = await open({ transforms: [reversed()] });
  await pass(1000);
  t.same(await later.peekMany(5), ['one', 'tick']);
  t.ok(machine.bytes(`${DIRECTORY}/duro_00000000000000000002.dat`), 'which was begun for it');
});

t.test('a schedule that is made again goes on, under the key of then', async (t) => {
  const next = { id: 'next', key: randomBytes(32) };
  const { open, queue, pass } = await ticking(t, [encrypt(KEY)]);
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await pass(1000);
  await queue.close();
  const rotated = await open({ transforms: [encrypt([next, KEY])], indexer: { intervalMs: 250 } });
  await rotated.schedule('s', { everyMs: 1000 }, 'tick');
  await pass(1000);
  t.equal((await rotated.schedules()).length, 1);
  await rotated.close();
  const later = await open({ transforms: [encrypt(next)] });
  await t.rejects(later.dequeue(), { code: 'CODEC', index: 1, message: /'k'/ });
  await later.delete(1);
  t.equal(await later.dequeue(), 'tick');
});

t.test('a schedule survives succession with what is noted of it', async (t) => {
  const { open, queue, pass, clock, machine } = await ticking(t, [reversed()]);
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await queue.schedule('plain', { everyMs: 3_600_000 }, 'tick');
  await queue.close();
  const { Engine } = await import('../../src/store/engine.js');
  const { resolveStoreOptions } = await import('../../src/store/options.js');
  const engine = await Engine.open(
    machine.opener(),
    resolveStoreOptions({ directory: DIRECTORY, indexer: false, clock }, new Set()),
    { reserveBytes: 1024, leastReserveBytes: 512, leastGainBytes: 1, shortenFromBytes: 0, shortenFactor: 1 },
  );
  const before = engine.journal.number;
  for (let at = 0; at < 20; at++)
    await engine.decider.decide((facts) => facts.unscheduled(`none${at}`), true);
  t.ok(engine.journal.number > before, 'it was succeeded');
  await engine.close();
  const later = await open({ transforms: [reversed()] });
  await pass(1000);
  t.equal(await later.dequeue(), 'tick');
});

t.test('a journal of before takes no schedule whose value is transformed', async (t) => {
  const writer = new FactWriter(0);
  const schedule: Schedule = {
    name: 's',
    createdAt: 1,
    when: { kind: 'every', everyMs: 1 },
    missed: 'skip',
    priority: 0,
    front: false,
    delayMs: 0,
    key: undefined,
    durability: undefined,
    headers: undefined,
    codec: 'json',
    value: Buffer.from('1'),
  };
  writer.takesStreams = false;
  writer.scheduled(schedule);
  t.throws(() => writer.scheduled({ ...schedule, transforms: 'reversed' }), { code: 'DISK_FULL' });
});
