import { crc32 } from 'node:zlib';
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind, onPath } from '../../src/disk/memory-fault.js';
import type { JournalLimits } from '../../src/journal/journal.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld, type World } from '../store/world.js';

/** Makes a journal one of a program of before, which announces nothing. */
function makeOld(world: World, name: string): void {
  const bytes = world.bytes(name);
  bytes.writeUInt16LE(0, 6);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 28)), 28);
  world.put(name, bytes);
}

const announces = (world: World, name: string): boolean => world.bytes(name).readUInt16LE(6) === 3;

/** A closed store whose journal is of before, with one message that was claimed once and two that were not. */
async function oldStore(world: World): Promise<void> {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany(range(1, 3));
  await (await queue.claim())?.nack();
  await queue.close();
  makeOld(world, 'duro.fate.1');
}

t.test('a journal of before is succeeded when the directory is opened', async (t) => {
  const world = memoryWorld(t);
  await oldStore(world);
  const queue = await world.openQueue<number>();
  t.notOk(world.files(/fate/).includes('duro.fate.1'));
  t.ok(announces(world, 'duro.fate.2'));
  const one = await queue.claim();
  t.match(one, { value: 1, attempt: 2 }, 'and nothing is forgotten');
  await one?.reject('no');
  await (await queue.claim())?.nack({ delayMs: 1000 });
  t.match(await queue.stats(), { waiting: 1, delayed: 1, dead: 1 });
});

t.test(
  '… or not, where there is no room: what needs the new facts is DISK_FULL, and the rest goes on',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    await oldStore(world);
    machine.onOperation = inject({ error: 'ENOSPC' }, onKind('write', 'create'), onPath(/fate\.2$/));
    const clock = new MovedClock();
    const queue = await world.openQueue<number>({ clock, maxAttempts: 2, leaseMs: 1000 });
    t.ok(world.files(/fate/).includes('duro.fate.1'));
    const one = await queue.claim();
    t.match(one, { value: 1, attempt: 2 });
    await t.rejects(async () => one?.reject('no'), { code: 'DISK_FULL', message: /earlier version/ });
    await t.rejects(async () => one?.progress(1), { code: 'DISK_FULL' });
    await one?.nack();
    const again = await queue.claim();
    t.match(again, { value: 1, attempt: 3 }, 'nobody can be buried: it comes again');
    await again?.ack();
    const two = await queue.claim();
    await t.rejects(async () => two?.nack({ delayMs: 5 }), { code: 'DISK_FULL' });
    clock.advance(1000);
    t.match(await queue.stats(), { waiting: 2, claimed: 0, dead: 0 });
    t.match(
      (await queue.claimMany(2)).map(({ attempt }) => attempt),
      [2, 1],
    );
    clock.advance(1000);
    t.match(await queue.stats(), { waiting: 2, dead: 0 });
    await queue.close();
    machine.onOperation = undefined;
    const next = await world.openQueue<number>({ clock, maxAttempts: 2 });
    t.match(await next.stats(), { waiting: 1, dead: 1 }, 'with room it is buried');
  },
);

const SHORT: JournalLimits = {
  reserveBytes: 1024,
  leastReserveBytes: 256,
  leastGainBytes: 64,
  shortenFromBytes: 400,
  shortenFactor: 2,
};

t.test(
  'a succession forgets nothing: attempts, first failures, due times, dead letters, progress',
  async (t) => {
    const machine = new MemoryDisk();
    const world = memoryWorld(t, machine);
    const clock = new MovedClock();
    const options = { directory: world.directory, clock, leaseMs: 1e6, maxAttempts: 3 };
    const queue = await openQueueOn<number>(machine.opener(), options, SHORT);
    t.teardown(() => queue.close());
    const begun = clock.now();
    await queue.enqueueMany(range(1, 60));
    const [one, two, three, four] = await queue.claimMany(4);
    await one?.nack({ delayMs: 5000 });
    await two?.reject('no');
    await three?.nack();
    clock.advance(100);
    const again = await queue.claim();
    t.match(again, { index: 3, attempt: 2 });
    await again?.progress('half');
    await four?.progress('a quarter');
    for (const delivery of await queue.claimMany(50)) await delivery.ack();
    t.notOk(world.files(/fate/).includes('duro.fate.1'));
    const heard: unknown[] = [];
    const other = await openQueueOn<number>(machine.opener(), options, SHORT);
    t.teardown(() => other.close());
    other.on('progress', (event) => heard.push(event));
    t.match(await other.stats(), { waiting: 6, delayed: 1, claimed: 2, dead: 1 });
    for await (const letter of other.deadLetters.list())
      t.match(letter, { index: 2, reason: 'no', attempts: 1, firstFailedAt: new Date(begun) });
    await again?.nack();
    const last = await queue.claim();
    t.match(last, { index: 3, attempt: 3 });
    await last?.nack({ reason: 'worn out' });
    const letters = [];
    for await (const letter of other.deadLetters.list({ from: 3 })) letters.push(letter);
    t.match(letters, [
      {
        index: 3,
        reason: 'worn out',
        attempts: 3,
        firstFailedAt: new Date(begun),
        lastFailedAt: new Date(begun + 100),
      },
    ]);
    clock.advance(4899);
    t.match(await other.stats(), { delayed: 1 });
    clock.advance(1);
    t.same(await other.peekMany(1), [1]);
    t.match(await other.claim(), { index: 1, attempt: 2 });
    t.same(heard, [], 'what was told before it listened is no news');
  },
);
