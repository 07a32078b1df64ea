import { bytes, fileOf, range, text } from '../store/records.js';
import { onBothDisks } from '../store/world.js';

onBothDisks('enqueue gives indexes, in order, whoever enqueues', async (t, world) => {
  const [one, two] = [await world.openQueue<number>(), await world.openQueue<number>()];
  t.equal(await one.enqueue(10), 1);
  t.equal(await two.enqueue(20), 2);
  t.same(await one.enqueueMany([30, 40]), [3, 4]);
  t.same(await Promise.all([two.enqueue(50), two.enqueueMany([60, 70]), two.enqueue(80)]), [5, [6, 7], 8]);
  t.same(await one.flush(), [10, 20, 30, 40, 50, 60, 70, 80]);
});

onBothDisks('an empty batch is [] and writes nothing', async (t, world) => {
  const queue = await world.openQueue();
  const size = await queue.size();
  t.same(await queue.enqueueMany([]), []);
  t.equal(await queue.size(), size);
  t.equal(await queue.enqueue(1), 1);
});

onBothDisks('a batch is all or nothing', async (t, world) => {
  const options = { codec: 'bytes', maxFileSize: fileOf(3, 200), maxFiles: 1 } as const;
  const queue = await world.openQueue<Uint8Array>(options);
  const record = new Uint8Array(200);
  await queue.enqueue(record);
  await t.rejects(queue.enqueueMany([record, record, record]), { code: 'STORE_FULL' });
  await t.rejects(queue.enqueueMany([record, record, record, record]), { code: 'RECORD_TOO_LARGE' });
  t.equal(await queue.length(), 1);
  t.same(await queue.enqueueMany([record, record]), [2, 3]);
  const texts = await world.openQueue({ filePrefix: 'json' });
  await t.rejects(texts.enqueueMany(['fine', 1n]), { code: 'CODEC' });
  await t.rejects(texts.enqueueMany(['fine', undefined]), { code: 'CODEC' });
  t.equal(await texts.length(), 0);
  t.equal(await texts.enqueue('first'), 1);
});

onBothDisks('the value is encoded at the call', async (t, world) => {
  const queue = await world.openQueue<{ n: number[] }>();
  const raw = await world.openQueue<Uint8Array>({ codec: 'bytes', filePrefix: 'raw' });
  const value = { n: [1] };
  const values = [value, { n: [2] }];
  const data = bytes('before');
  const calls = [queue.enqueue(value), queue.enqueueMany(values), raw.enqueue(data), raw.enqueueMany([data])];
  value.n = [99];
  values.length = 0;
  data.set(bytes('after!'));
  await Promise.all(calls);
  t.same(await queue.flush(), [{ n: [1] }, { n: [1] }, { n: [2] }]);
  t.same((await raw.flush()).map(text), ['before', 'before']);
});

onBothDisks('headers and the time of enqueueing come with a claim and an entry', async (t, world) => {
  const queue = await world.openQueue();
  const before = Date.now();
  await queue.enqueue('x', { headers: { kind: 'greeting' } });
  await queue.enqueueMany(['y', 'z'], { headers: { of: 'both' } });
  const deliveries = await queue.claimMany(3);
  t.same(
    deliveries.map((delivery) => delivery.headers),
    [{ kind: 'greeting' }, { of: 'both' }, { of: 'both' }],
  );
  for (const { enqueuedAt, index } of deliveries) {
    t.ok(enqueuedAt.getTime() >= before && enqueuedAt.getTime() <= Date.now());
    t.same((await queue.store.entry(index))?.time, enqueuedAt);
  }
});

onBothDisks('wrong options are INVALID_OPTION; nothing is written', async (t, world) => {
  const queue = await world.openQueue();
  const wrong: [unknown, string, RegExp][] = [
    [null, 'INVALID_OPTION', /^options/],
    [{ durability: 'soon' }, 'INVALID_OPTION', /^durability/],
    [{ headers: { a: 1 } }, 'INVALID_OPTION', /^headers\.a/],
    [{ signal: 1 }, 'INVALID_OPTION', /^signal/],
    [{ prioritty: 1 }, 'INVALID_OPTION', /^prioritty/],
    [{ id: '' }, 'INVALID_OPTION', /^id: /],
    [{ delayMs: -5 }, 'INVALID_OPTION', /^delayMs: /],
    [{ priority: 10 }, 'INVALID_OPTION', /^priority: /],
    [{ front: 1 as unknown as boolean }, 'INVALID_OPTION', /^front: /],
    [{ key: 'k'.repeat(1001) }, 'INVALID_OPTION', /^key: /],
  ];
  for (const [options, code, message] of wrong) {
    await t.rejects(queue.enqueue(1, options as object), { code, message });
    await t.rejects(queue.enqueueMany([1], options as object), { code, message });
  }
  for (const values of ['text', null, undefined, { length: 1 }]) {
    await t.rejects(queue.enqueueMany(values as unknown[]), { code: 'INVALID_OPTION', message: /^values/ });
  }
  t.equal(await queue.enqueue(1), 1);
  const nothing = {
    id: undefined,
    delayMs: undefined,
    priority: undefined,
    front: undefined,
    key: undefined,
  };
  t.equal(await queue.enqueue(2, nothing as object), 2);
});

onBothDisks('a full queue: STORE_FULL, and room when messages are taken', async (t, world) => {
  const options = { codec: 'bytes', maxFileSize: fileOf(2, 200), maxFiles: 2 } as const;
  const queue = await world.openQueue<Uint8Array>(options);
  const record = (n: number): Uint8Array => new Uint8Array(200).fill(n);
  for (const n of range(1, 4)) await queue.enqueue(record(n));
  await t.rejects(queue.enqueue(record(5)), { code: 'STORE_FULL' });
  t.same(await queue.dequeueMany(2), [record(1), record(2)]);
  t.equal(await queue.enqueue(record(5)), 5);
});

onBothDisks("'wait': producers wait until a consumer makes room, in another opener", async (t, world) => {
  const options = { codec: 'bytes', maxFileSize: fileOf(2, 200), maxFiles: 2, whenFull: 'wait' } as const;
  const producer = await world.openQueue<Uint8Array>(options);
  const consumer = await world.openQueue<Uint8Array>({ codec: 'bytes' });
  const count = 40;
  const producing = (async () => {
    for (const n of range(1, count)) await producer.enqueue(new Uint8Array(200).fill(n));
  })();
  const found: (number | undefined)[] = [];
  while (found.length < count) found.push((await consumer.dequeue({ waitMs: 10_000 }))?.[0]);
  await producing;
  t.same(found, range(1, count));
});

onBothDisks('capabilities say what this engine can do', async (t, world) => {
  const queue = await world.openQueue();
  t.same(queue.capabilities, {
    priority: true,
    front: true,
    delay: true,
    key: true,
    deduplication: true,
    exactLength: true,
    transactions: true,
    durability: ['written', 'synced'],
  });
});
