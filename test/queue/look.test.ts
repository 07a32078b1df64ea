import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { openEngine } from '../store/engines.js';
import { MovedClock } from '../store/moved-clock.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';

onBothDisks('peek and peekMany show what is next, and take nothing', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.equal(await queue.peek(), undefined);
  t.same(await queue.peekMany(5), []);
  await queue.enqueueMany(range(1, 5));
  t.equal(await queue.peek(), 1);
  t.same(await queue.peekMany(1), [1]);
  t.same(await queue.peekMany(3), [1, 2, 3]);
  t.same(await queue.peekMany(5), range(1, 5));
  t.same(await queue.peekMany(6), range(1, 5));
  t.same(await queue.peekMany(Number.POSITIVE_INFINITY), range(1, 5));
  t.same(await queue.peekMany(0), []);
  await queue.claim();
  await queue.delete(3);
  t.same(await queue.peekMany(5), [2, 4, 5], 'claimed and deleted ones are not next');
  t.equal(await queue.length(), 3);
});

onBothDisks('peek sees what others did', async (t, world) => {
  const [one, two] = [await world.openQueue<number>(), await world.openQueue<number>()];
  await one.enqueueMany([1, 2]);
  t.equal(await two.peek(), 1);
  await one.dequeue();
  t.equal(await two.peek(), 2);
});

onBothDisks('read finds a message by index, wherever it stands in line', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueueMany(['a', 'b', 'c']);
  t.equal(await queue.read(2), 'b');
  await queue.claim();
  t.equal(await queue.read(1), 'a', 'claimed');
  await queue.delete(2);
  for (const index of [2, 4, 0, -1]) t.equal(await queue.read(index), undefined);
  for (const wrong of [1.5, '1', undefined, null, Number.NaN])
    await t.rejects(queue.read(wrong as number), { code: 'INVALID_OPTION', message: /^index/ });
});

onBothDisks('delete tells how many were there, claimed ones among them', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany(range(1, 5));
  await queue.claim();
  t.equal(await queue.delete([1, 3, 9]), 2);
  t.equal(await queue.delete(3), 0);
  t.equal(await queue.delete([]), 0);
  t.same(await queue.flush(), [2, 4, 5]);
  await t.rejects(queue.delete('1' as unknown as number), { code: 'INVALID_OPTION' });
});

onBothDisks('flush takes what is waiting, in order, and leaves what is claimed', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.same(await queue.flush(), []);
  await queue.enqueueMany(range(1, 3500));
  const [delivery] = await queue.claimMany(1);
  t.same(await queue.flush(), range(2, 3500));
  t.same(await queue.flush(), []);
  t.equal(await queue.length(), 0);
  await delivery?.nack();
  t.same(await queue.flush(), [1]);
});

onBothDisks('two that flush at once share the messages out', async (t, world) => {
  const queues = [await world.openQueue<number>(), await world.openQueue<number>()] as const;
  await queues[0].enqueueMany(range(1, 2500));
  const flushed = await Promise.all(queues.map((queue) => queue.flush()));
  for (const values of flushed)
    t.same(
      values,
      [...values].sort((a, b) => a - b),
      'each in order',
    );
  t.same(
    flushed.flat().sort((a, b) => a - b),
    range(1, 2500),
  );
});

onBothDisks(
  'clear takes everything, claimed messages too, and tells how many there were',
  async (t, world) => {
    const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
    t.equal(await queue.clear(), 0);
    await queue.enqueueMany(range(1, 10));
    await other.claimMany(3);
    await queue.delete(10);
    t.equal(await queue.clear(), 9);
    t.equal(await other.length(), 0);
    t.match(await other.stats(), { waiting: 0, claimed: 0, length: 0 });
    t.equal(await queue.enqueue(11), 11);
    t.equal(await other.dequeue(), 11);
  },
);

onBothDisks('length counts what is waiting', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const expect = async (length: number): Promise<void> => {
    t.equal(await queue.length(), length);
    t.equal(await other.length(), length);
  };
  await expect(0);
  await queue.enqueueMany(range(1, 10));
  await expect(10);
  const [one, two] = await other.claimMany(2);
  await expect(8);
  await one?.nack();
  await expect(9);
  await two?.ack();
  await expect(9);
  await queue.dequeue();
  await expect(8);
  await queue.delete([9, 10]);
  await expect(6);
  t.equal(await queue.store.length(), 6);
  await queue.flush();
  await expect(0);
});

onBothDisks('stats count by fate, and tell the age of the first in line', async (t, world) => {
  const clock = new MovedClock();
  const queue = await world.openQueue<number>({ clock, leaseMs: 1000 });
  t.match(await queue.stats(), {
    waiting: 0,
    claimed: 0,
    delayed: 0,
    dead: 0,
    length: 0,
    oldestAgeMs: undefined,
  });
  await queue.enqueue(1);
  clock.advance(300);
  await queue.enqueueMany([2, 3]);
  clock.advance(200);
  t.match(await queue.stats(), {
    waiting: 3,
    claimed: 0,
    length: 3,
    oldestAgeMs: 500,
    firstIndex: 1,
    nextIndex: 4,
  });
  const delivery = await queue.claim();
  t.match(await queue.stats(), { waiting: 2, claimed: 1, length: 3, oldestAgeMs: 200 });
  clock.advance(1000);
  t.match(await queue.stats(), { waiting: 3, claimed: 0, length: 3, oldestAgeMs: 1500 });
  await t.rejects(async () => delivery?.ack(), { code: 'LEASE_LOST' });
  await queue.clear();
  t.match(await queue.stats(), { waiting: 0, claimed: 0, length: 0, oldestAgeMs: undefined });
  t.equal((await queue.stats()).bytes, await queue.size());
});

onBothDisks('stats say why a file is pinned: waiting or claimed', async (t, world) => {
  const queue = await world.openQueue<string>({ maxFileSize: 400 });
  const value = 'x'.repeat(150);
  for (let n = 0; n < 3; n++) await queue.enqueue(value);
  await queue.claim();
  const { pinnedBy } = await queue.stats();
  t.match(pinnedBy, [
    { index: 1, why: 'claimed' },
    { index: 2, why: 'waiting' },
  ]);
  t.equal(pinnedBy.length, 2);
});

onBothDisks('store is the same records by index', async (t, world) => {
  const queue = await world.openQueue<string>();
  await queue.enqueue('a');
  t.equal(Buffer.from((await queue.store.read(1)) ?? []).toString(), '"a"');
  await queue.store.delete(1);
  t.equal(await queue.dequeue(), undefined);
  await queue.store.close();
  await t.rejects(queue.enqueue('b'), { code: 'CLOSED' }, 'closing it closes the queue');
});

t.test('numbers are of one look, also where a dead holder is freed on the way', async (t) => {
  const machine = new MemoryDisk();
  machine.notices = 'drop';
  const world = memoryWorld(t, machine);
  const options = { clock: new MovedClock(), indexer: false } as const;
  const mortal = machine.opener();
  const queue = await world.openQueue<number>(options);
  const engine = await openEngine(t, machine, options);
  const dying = await openQueueOn<number>(mortal, { directory: world.directory, ...options });
  await queue.enqueue(1);
  t.equal((await dying.claim())?.value, 1);
  machine.kill(mortal);
  t.ok(engine.locks.fate.tryEnter());
  const length = queue.length();
  // While it waits for the lock, others write three more, and two of them go.
  await engine.writer.write(
    [{ payload: Buffer.of(2) }, { payload: Buffer.of(3) }, { payload: Buffer.of(4) }],
    true,
  );
  engine.journal.catchUpLocked();
  engine.journal.begin().gone(2, 4);
  engine.journal.decided(1);
  engine.journal.commit();
  engine.locks.fate.leave();
  t.equal(await length, 2, 'the first, whose holder is dead, and the last');
});
