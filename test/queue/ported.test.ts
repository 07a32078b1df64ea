/** The tests of duroqueue and go-queue, by behaviour. `test/ported.md` says which is which. */
import t, { type Test } from 'tap';
import type { Queue } from '../../src/queue/contract.js';
import { fileOf, range } from '../store/records.js';
import { onBothDisks, osWorld } from '../store/world.js';
import { startProgram } from '../support/processes.js';
import { random } from '../support/random.js';
import { until } from '../support/until.js';

const example = (n: number) => ({ int: n, float: n / 7, string: `example ${n}` });
type Example = ReturnType<typeof example>;
/** The sizes that the originals draw at random, fixed. */
const SIZES = [0, 1, 2, 5, 10, 99, 100];
const LARGE = 10_000;

/** A fresh queue for each size in one directory. */
async function each(
  open: (filePrefix: string) => Promise<Queue<number>>,
  body: (queue: Queue<number>, n: number) => Promise<void>,
): Promise<void> {
  for (const n of SIZES) {
    const queue = await open(`size-${n}`);
    await body(queue, n);
    await queue.close();
  }
}

async function underflows(t: Test, queue: Queue<unknown>): Promise<void> {
  t.equal(await queue.dequeue(), undefined);
  t.same(await queue.dequeueMany(3), []);
  t.equal(await queue.length(), 0);
}

onBothDisks('TestDequeue: in order, then underflow', async (t, world) => {
  await each(
    (filePrefix) => world.openQueue({ filePrefix }),
    async (queue, n) => {
      await underflows(t, queue);
      for (const value of range(1, n)) await queue.enqueue(value);
      for (const value of range(1, n)) t.equal(await queue.dequeue(), value);
      await underflows(t, queue);
    },
  );
});

onBothDisks('TestDequeueMultiple: 0, some, all, more than there are, and in stages', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.same(await queue.dequeueMany(0), []);
  t.same(await queue.dequeueMany(5), []);
  await queue.enqueueMany(range(1, 5));
  t.same(await queue.dequeueMany(0), []);
  t.same(await queue.dequeueMany(3), [1, 2, 3]);
  t.same(await queue.dequeueMany(2), [4, 5]);
  await queue.enqueueMany(range(6, 10));
  t.same(await queue.dequeueMany(10), range(6, 10));
  await underflows(t, queue);
  // Arrivals in stages, with a consumer that waits between them.
  const found: number[] = [];
  const consuming = (async () => {
    while (found.length < 60) found.push(...(await queue.dequeueMany(7, { waitMs: 10_000 })));
  })();
  for (const stage of [1, 2, 3, 14, 40]) {
    const from = found.length + 1;
    await queue.enqueueMany(range(from, from + stage - 1));
    await until(`stage ${stage}`, () => found.length === from + stage - 1);
  }
  await consuming;
  t.same(found, range(1, 60));
});

onBothDisks('TestFlush: all in order, then none', async (t, world) => {
  await each(
    (filePrefix) => world.openQueue({ filePrefix }),
    async (queue, n) => {
      t.same(await queue.flush(), []);
      await queue.enqueueMany(range(1, n));
      t.same(await queue.flush(), range(1, n));
      t.same(await queue.flush(), []);
      await underflows(t, queue);
    },
  );
});

onBothDisks('TestPeek and TestPeekHead: all in order, the first, and nothing is taken', async (t, world) => {
  await each(
    (filePrefix) => world.openQueue({ filePrefix }),
    async (queue, n) => {
      await queue.enqueueMany(range(1, n));
      for (let twice = 0; twice < 2; twice++) {
        t.same(await queue.peekMany(Number.POSITIVE_INFINITY), range(1, n));
        t.equal(await queue.peek(), n === 0 ? undefined : 1);
        t.equal(await queue.length(), n);
      }
    },
  );
});

onBothDisks('TestPeekFromHead: 1, all but one, all, 0, more than all, of none', async (t, world) => {
  const queue = await world.openQueue<number>();
  t.same(await queue.peekMany(1), []);
  await queue.enqueueMany(range(1, 5));
  for (const n of [1, 4, 5, 0, 6]) t.same(await queue.peekMany(n), range(1, Math.min(n, 5)));
  t.equal(await queue.length(), 5);
});

onBothDisks('TestInfo and TestLength: 0, n, and 0 again', async (t, world) => {
  await each(
    (filePrefix) => world.openQueue({ filePrefix }),
    async (queue, n) => {
      t.equal(await queue.length(), 0);
      for (const value of range(1, n)) {
        await queue.enqueue(value);
        t.equal(await queue.length(), value);
      }
      for (const value of range(1, n)) {
        await queue.dequeue();
        t.equal(await queue.length(), n - value);
      }
    },
  );
});

onBothDisks('TestQueue: a random number of items, length, order and final underflow', async (t, world) => {
  const queue = await world.openQueue<number>({ durability: 'written' });
  const numbers = random(t);
  let next = 1;
  for (let round = 0; round < 5; round++) {
    const values = range(next, next + numbers.integer(1, 1000) - 1);
    next += values.length;
    while (values.length > 0) {
      const part = values.splice(0, numbers.integer(1, 100));
      if (numbers.chance(0.5)) await queue.enqueueMany(part);
      else await Promise.all(part.map((value) => queue.enqueue(value)));
    }
    const expected = range(next - (await queue.length()), next - 1);
    t.equal(expected.length, next - 1 - (expected[0] ?? 0) + 1);
    const found: (number | undefined)[] = [];
    for (const _ of expected) found.push(await queue.dequeue());
    t.same(found, expected);
    await underflows(t, queue);
  }
});

onBothDisks(`TestAsync: producer and consumer at once, ${LARGE} items, nothing lost`, async (t, world) => {
  const producer = await world.openQueue<number>({ durability: 'written' });
  const consumer = await world.openQueue<number>({ durability: 'written' });
  const producing = (async () => {
    for (let n = 1; n <= LARGE; n += 1) {
      await producer.enqueue(n);
      // Both live in one event loop, and neither should have it to itself.
      if (n % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const found: (number | undefined)[] = [];
  while (found.length < LARGE) found.push(await consumer.dequeue({ waitMs: 20_000 }));
  await producing;
  t.same(found, range(1, LARGE));
  await underflows(t, consumer);
});

onBothDisks(
  'TestEvent, TestEnqueueEvent, TestDequeueEvent: an event after each change, of each kind',
  async (t, world) => {
    const [queue, listener] = [await world.openQueue<number>(), await world.openQueue<number>()];
    const heard = { enqueued: 0, removed: 0 };
    for (const opener of [queue, listener]) {
      opener.on('enqueued', () => {
        heard.enqueued += 1;
      });
      opener.on('removed', () => {
        heard.removed += 1;
      });
    }
    const causes = async (event: 'enqueued' | 'removed', step: () => Promise<unknown>): Promise<void> => {
      const before = heard[event];
      await step();
      await until(`${event} in both openers`, () => heard[event] >= before + 2);
    };
    for (const n of range(1, 5)) await causes('enqueued', () => queue.enqueue(n));
    await causes('enqueued', () => queue.enqueueMany(range(6, 20)));
    for (const n of range(1, 5)) await causes('removed', async () => t.equal(await queue.dequeue(), n));
    await causes('removed', async () => t.same(await queue.dequeueMany(12), range(6, 17)));
    await causes('removed', async () => t.same(await queue.flush(), [18, 19, 20]));
  },
);

onBothDisks('TestEnqueue: fill, STORE_FULL, take, and there is room', async (t, world) => {
  for (const maxFiles of [1, 2, 5]) {
    const options = {
      codec: 'bytes',
      maxFileSize: fileOf(2, 200),
      maxFiles,
      filePrefix: `max-${maxFiles}`,
    } as const;
    const queue = await world.openQueue<Uint8Array>(options);
    const value = (n: number): Uint8Array => new Uint8Array(200).fill(n);
    const max = 2 * maxFiles;
    for (const n of range(1, max)) t.equal(await queue.enqueue(value(n)), n);
    for (let twice = 0; twice < 2; twice++) await t.rejects(queue.enqueue(value(0)), { code: 'STORE_FULL' });
    t.same(await queue.dequeueMany(2), [value(1), value(2)]);
    t.equal(await queue.enqueue(value(max + 1)), max + 1);
    t.same(await queue.flush(), range(3, max + 1).map(value));
    await underflows(t, queue);
  }
});

onBothDisks('TestEnqueueMultiple: fits, fits exactly, or is refused whole', async (t, world) => {
  const options = { codec: 'bytes', maxFileSize: fileOf(5, 200), maxFiles: 1 } as const;
  const batch = (from: number, to: number): Uint8Array[] =>
    range(from, to).map((n) => new Uint8Array(200).fill(n));
  const queue = await world.openQueue<Uint8Array>(options);
  t.same(await queue.enqueueMany(batch(1, 4)), range(1, 4));
  await t.rejects(queue.enqueueMany(batch(5, 6)), { code: 'STORE_FULL' }, 'one too many');
  await t.rejects(queue.enqueueMany(batch(5, 7)), { code: 'STORE_FULL' }, 'two too many');
  t.same(await queue.enqueueMany(batch(5, 5)), [5]);
  t.same(await queue.flush(), batch(1, 5), 'every accepted item, once, and none of the refused');
  t.same(await queue.enqueueMany(batch(6, 10)), range(6, 10));
  t.same(await queue.flush(), batch(6, 10));
});

onBothDisks(
  'infinite TestEnqueue and TestEnqueueMultiple: never full, counts and order right',
  async (t, world) => {
    const queue = await world.openQueue<number>({ durability: 'written', maxFileSize: 4096 });
    let next = 1;
    for (let twice = 0; twice < 2; twice++) {
      const first = next;
      for (const count of [10, 2, 2, 4, 6, 6, 70]) {
        const values = range(next, next + count - 1);
        next += count;
        if (count % 4 === 2) for (const value of values) await queue.enqueue(value);
        else t.same(await queue.enqueueMany(values), values);
        t.equal(await queue.length(), next - first);
      }
      t.same(await queue.flush(), range(first, next - 1));
    }
  },
);

onBothDisks(
  'TestGarbageCollect: files are freed while messages are inside, in order and none lost',
  async (t, world) => {
    const queue = await world.openQueue<string>({ durability: 'written', maxFileSize: 64 * 1024 });
    const value = (n: number): string => `${n} ${'x'.repeat(1000)}`;
    for (const n of range(1, 1024)) await queue.enqueue(value(n));
    const before = await queue.size();
    for (const n of range(1, 800)) t.equal(await queue.dequeue(), value(n));
    await until('the files are freed', async () => (await queue.size()) < before / 3);
    t.equal(await queue.length(), 224);
    t.same(await queue.flush(), range(801, 1024).map(value));
  },
);

onBothDisks('duroqueue TestEnqueueDequeue: ten in, ten out, as they went in', async (t, world) => {
  const objects = await world.openQueue<Example>({ maxChunk: 0 });
  const raw = await world.openQueue<Uint8Array>({ codec: 'bytes', filePrefix: 'raw', maxChunk: 0 });
  const data = (n: number): Uint8Array => Uint8Array.of(n, 0, 255);
  for (const n of range(1, 10)) {
    t.equal(await objects.enqueue(example(n)), n);
    t.equal(await raw.enqueue(data(n)), n);
  }
  t.equal(await objects.length(), 10);
  for (const n of range(1, 10)) {
    t.same(await objects.dequeue(), example(n));
    t.same(await raw.dequeue(), data(n));
  }
});

onBothDisks(
  'duroqueue TestProducerConsumer: what a producer that closed has left is there, in order',
  async (t, world) => {
    const consumer = await world.openQueue<Example>();
    const producer = await world.openQueue<Example>();
    await producer.enqueueMany(range(0, 9).map(example));
    await producer.close();
    for (const n of range(0, 9)) t.same(await consumer.dequeue({ waitMs: 10_000 }), example(n));
    await underflows(t, consumer);
  },
);

t.test(`duroqueue TestProducerConsumer with processes: ${LARGE} items, each once, in order`, async (t) => {
  const world = await osWorld(t);
  const consumer = await world.openQueue<{ n: number }>({ durability: 'written' });
  const producer = startProgram(t, 'test/queue/producer-child.js', { args: [world.directory, `${LARGE}`] });
  const found: number[] = [];
  while (found.length < LARGE) {
    const values = await consumer.dequeueMany(100, { waitMs: 20_000 });
    if (values.length === 0) throw new Error(`nothing came for 20 s; ${producer.stderr}`);
    for (const { n } of values) found.push(n);
  }
  t.same(found, range(1, LARGE));
  t.same(await producer.ended(), { code: 0, signal: null });
  await underflows(t, consumer);
  await until('one file is left', () => world.files(/\.dat$/).length === 1);
});
