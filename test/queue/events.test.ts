import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind } from '../../src/disk/memory-fault.js';
import type { DurostoreError } from '../../src/errors.js';
import { range } from '../store/records.js';
import { memoryWorld, onBothDisks } from '../store/world.js';
import { until } from '../support/until.js';
import { settle } from './settle.js';

onBothDisks(
  'enqueued: at least one after every enqueue, and the state is right when it comes',
  async (t, world) => {
    const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
    const heard: number[] = [];
    const states: Promise<boolean>[] = [];
    queue.on('enqueued', ({ upTo }) => {
      heard.push(upTo);
      states.push(
        (async () => (await queue.store.nextIndex()) > upTo && (await queue.read(upTo)) === upTo)(),
      );
    });
    for (const n of range(1, 5)) {
      await (n % 2 === 0 ? queue : other).enqueue(n);
      await until(`the event of ${n}`, () => heard.at(-1) === n);
    }
    await other.enqueueMany(range(6, 9));
    await until('the event of a batch', () => heard.at(-1) === 9);
    t.ok((await Promise.all(states)).every(Boolean));
    t.same(
      [...new Set(heard)],
      [...new Set(heard)].sort((a, b) => a - b),
      'they only go up',
    );
  },
);

onBothDisks(
  'removed: after dequeue, dequeueMany, ack, delete, flush and clear, by whoever',
  async (t, world) => {
    const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
    await queue.enqueueMany(range(1, 20));
    const heard: number[] = [];
    const lengths: Promise<number>[] = [];
    queue.on('removed', ({ upTo }) => {
      heard.push(upTo);
      lengths.push(queue.length());
    });
    for (const opener of [queue, other]) {
      const steps: (() => Promise<unknown>)[] = [
        () => opener.dequeue(),
        () => opener.dequeueMany(2),
        async () => (await opener.claim())?.ack(),
        async () => opener.delete((await opener.store.firstIndex()) + 1),
      ];
      for (const step of steps) {
        const count = heard.length;
        await step();
        await until('an event', () => heard.length > count);
        t.equal(await lengths.at(-1), await queue.length());
      }
    }
    for (const step of [() => other.flush(), () => queue.enqueue(21).then(() => other.clear())]) {
      const count = heard.length;
      await step();
      await until('an event', () => heard.length > count);
    }
    t.equal(heard.at(-1), 21);
  },
);

onBothDisks('what was there before listening is no event; a claim is none', async (t, world) => {
  const queue = await world.openQueue<number>();
  await queue.enqueueMany([1, 2]);
  await queue.dequeue();
  const heard: string[] = [];
  queue.on('enqueued', () => heard.push('enqueued'));
  queue.on('removed', () => heard.push('removed'));
  const delivery = await queue.claim();
  await delivery?.nack();
  t.equal(await queue.dequeue({ waitMs: 0 }), 2);
  await until('the event', () => heard.length > 0);
  t.same(heard, ['removed']);
});

onBothDisks('on returns its removal; close removes all', async (t, world) => {
  const [queue, other] = [await world.openQueue<number>(), await world.openQueue<number>()];
  const heard: string[] = [];
  const off = queue.on('enqueued', () => heard.push('first'));
  queue.on('enqueued', () => heard.push('second'));
  await queue.enqueue(1);
  await until('both', () => heard.length === 2);
  t.same(heard, ['first', 'second']);
  off();
  off();
  await queue.enqueue(2);
  await until('the second', () => heard.length === 3);
  t.same(heard.slice(2), ['second']);
  await queue.close();
  await other.enqueue(3);
  await settle();
  t.equal(heard.length, 3);
});

onBothDisks('a wrong event or listener is INVALID_OPTION, thrown at once', async (t, world) => {
  const queue = await world.openQueue();
  t.throws(() => queue.on('drained' as 'removed', () => {}), { code: 'INVALID_OPTION', message: /^event/ });
  t.throws(() => queue.on('toString' as 'removed', () => {}), { code: 'INVALID_OPTION' });
  t.throws(() => queue.on('removed', 1 as unknown as () => void), {
    code: 'INVALID_OPTION',
    message: /^listener/,
  });
});

t.test("'error' tells of a store that failed; without a listener it never throws", async (t) => {
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const [queue, silent] = [await world.openQueue(), await world.openQueue()];
  const heard: DurostoreError[] = [];
  queue.on('error', (error) => heard.push(error));
  machine.onOperation = inject({ error: 'EIO' }, onKind('sync'));
  await t.rejects(queue.enqueue(1), { code: 'STORE_FAILED', cause: { code: 'EIO' } });
  await t.rejects(silent.enqueue(2), { code: 'STORE_FAILED' });
  machine.onOperation = undefined;
  await until('the event', () => heard.length > 0);
  t.match(heard, [{ code: 'STORE_FAILED' }]);
  t.equal(heard.length, 1);
});
