/** What goes wrong in duroqueue and go-queue, and does not here. `test/ported.md` says which is which. */
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { fileOf, range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { damagedOnPurpose } from '../support/consistency.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

onBothDisks('duroqueue: what is enqueued is there for others at once', async (t, world) => {
  const [producer, consumer] = [await world.openQueue<number>(), await world.openQueue<number>()];
  for (const n of range(1, 5)) {
    await producer.enqueue(n);
    t.equal(await consumer.length(), 1);
    t.equal(await consumer.dequeue(), n);
  }
});

t.test('duroqueue: what is enqueued survives a crash', async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>();
  await queue.enqueue(1);
  await queue.enqueueMany([2, 3]);
  t.equal(await queue.dequeue(), 1);
  machine.powerCut({ writes: 'lose', names: 'lose' });
  t.same(await (await world.openQueue<number>()).flush(), [2, 3]);
});

onBothDisks('duroqueue: a queue that fills up delivers every message that it accepted', async (t, world) => {
  const queue = await world.openQueue<string>({ maxFileSize: 1024, maxFiles: 2 });
  const value = (n: number): string => `${n} ${'x'.repeat(90)}`;
  const accepted: string[] = [];
  for (const n of range(1, 60)) {
    try {
      await queue.enqueue(value(n));
      accepted.push(value(n));
    } catch (error) {
      t.match(error, { code: 'STORE_FULL' });
    }
  }
  t.ok(accepted.length > 5 && accepted.length < 60, `${accepted.length} accepted`);
  t.same(await queue.flush(), accepted);
});

onBothDisks('duroqueue: a batch of any size ends: whole, or refused', async (t, world) => {
  const queue = await world.openQueue<number>({ maxFileSize: 4096 });
  await t.rejects(queue.enqueueMany(range(1, 1000)), { code: 'RECORD_TOO_LARGE' });
  t.equal(await queue.length(), 0);
  t.same(await queue.enqueueMany(range(1, 50)), range(1, 50));
});

onBothDisks('duroqueue: an error is told as an error, never as underflow', async (t, world) => {
  const queue = await world.openQueue<string>({ maxChunk: 0 });
  await queue.enqueue('precious');
  const file = 'duro_00000000000000000001.dat';
  world.flip(file, world.bytes(file).indexOf('precious'));
  damagedOnPurpose(world.directory);
  await t.rejects(queue.dequeue(), { code: 'CORRUPT' });
  await t.rejects(queue.dequeueMany(3), { code: 'CORRUPT' });
  await t.rejects(queue.claim(), { code: 'CORRUPT' });
  await t.rejects(queue.peek(), { code: 'CORRUPT' });
  t.equal(await queue.length(), 1);
});

onBothDisks('duroqueue: flush and peekMany give everything in order, over all files', async (t, world) => {
  const queue = await world.openQueue<number>({ maxFileSize: 512, maxChunk: 0 });
  for (const n of range(0, 99)) await queue.enqueue(n);
  t.same(await queue.peekMany(100), range(0, 99));
  t.same(await queue.flush(), range(0, 99));
  t.same(await queue.peekMany(100), [], 'and of an empty queue nothing, not one nothing');
});

onBothDisks('duroqueue: closing loses nothing', async (t, world) => {
  const queue = await world.openQueue<number>({ durability: 'written' });
  const enqueueing = range(1, 20).map((n) => queue.enqueue(n));
  await queue.close();
  t.same(await Promise.all(enqueueing), range(1, 20));
  t.same(await (await world.openQueue<number>()).flush(), range(1, 20));
});

onBothDisks('duroqueue: a value comes back as it went in, from memory or from disk', async (t, world) => {
  const value = { list: [1, { deep: true }], text: 'ü' };
  const queue = await world.openQueue<typeof value>();
  await queue.enqueueMany([value, value]);
  t.strictSame(await queue.dequeue(), value);
  await queue.close();
  t.strictSame(await (await world.openQueue<typeof value>()).dequeue(), value);
});

onBothDisks(
  'duroqueue: C2–C15 hold for queues: indexes go on, files are freed, a drain deletes nothing new',
  async (t, world) => {
    const options = { codec: 'bytes', maxFileSize: fileOf(2, 200) } as const;
    const value = (n: number): Uint8Array => new Uint8Array(200).fill(n);
    let next = 1;
    for (let round = 0; round < 4; round++) {
      const [producer, consumer] = [
        await world.openQueue<Uint8Array>(options),
        await world.openQueue<Uint8Array>(options),
      ];
      for (const n of range(next, next + 4)) t.equal(await producer.enqueue(value(n)), n);
      t.same(await consumer.dequeueMany(5), range(next, next + 4).map(value));
      t.equal(await producer.enqueue(value(next + 5)), next + 5);
      t.same(await consumer.flush(), [value(next + 5)]);
      t.equal(await consumer.dequeue(), undefined);
      next += 6;
      await until('the files are freed', () => world.files(/\.dat$/).length === 1);
      await Promise.all([producer.close(), consumer.close()]);
    }
  },
);

onBothDisks('go-queue: close wakes waiters though a change is just being told', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  let heard = 0;
  queue.on('enqueued', () => {
    heard += 1;
  });
  const waiting = Promise.allSettled(
    range(1, 3).map(() => queue.dequeue({ waitMs: Number.POSITIVE_INFINITY })),
  );
  await settle();
  await other.enqueue(1);
  await queue.close();
  const outcomes = await waiting;
  t.equal(outcomes.filter((one) => one.status === 'fulfilled').length + (await other.length()), 1);
  for (const one of outcomes) if (one.status === 'rejected') t.match(one.reason, { code: 'CLOSED' });
  await t.rejects(queue.enqueue(2), { code: 'CLOSED' }, 'nothing is accepted after close');
  t.ok(heard <= 1);
});

onBothDisks('go-queue: a negative number is refused and harms nothing', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueue(1);
  for (const call of [() => queue.dequeueMany(-1), () => queue.peekMany(-1)])
    await t.rejects(call, { code: 'INVALID_OPTION' });
  await t.rejects(queue.claimMany(-1), { code: 'INVALID_OPTION' });
  t.same(await queue.flush(), [1]);
});

onBothDisks('go-queue: underflow is no event; a batch, a flush and a success are', async (t, world) => {
  const queue = await world.openQueue<number>();
  const heard: string[] = [];
  queue.on('enqueued', () => heard.push('enqueued'));
  queue.on('removed', () => heard.push('removed'));
  t.equal(await queue.dequeue(), undefined);
  t.same(await queue.flush(), []);
  t.same(await queue.enqueueMany([]), []);
  await settle();
  t.same(heard, []);
  await queue.enqueueMany([1, 2]);
  await until('the event of the batch', () => heard.join() === 'enqueued');
  await queue.flush();
  await until('the event of the flush', () => heard.join() === 'enqueued,removed');
});

onBothDisks('go-queue: a wait that is cut short loses nothing', async (t, world) => {
  const queue = await world.openQueue<number>();
  for (const n of range(1, 30)) {
    const abort = new AbortController();
    const waiting = queue.dequeueMany(6, { waitMs: Number.POSITIVE_INFINITY, signal: abort.signal });
    const outcome = waiting.then(
      (values) => values,
      () => [],
    );
    const enqueueing = queue.enqueue(n);
    if (n % 3 !== 0) await settle(n % 5);
    abort.abort();
    await enqueueing;
    const values = [...(await outcome), ...(await queue.flush())];
    t.same(values, [n]);
  }
});

onBothDisks('go-queue: flush and peek do not wait, and repeat nothing', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.same(await queue.flush(), []);
  await queue.enqueueMany(range(1, 6));
  t.same(await queue.peekMany(6), range(1, 6));
  t.same(await queue.flush(), range(1, 6));
});
