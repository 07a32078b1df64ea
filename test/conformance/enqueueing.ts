import type { Codec } from '../../src/mod.js';
import { suite } from './suite.js';
import { bytes, had, untyped } from './values.js';

const point: Codec<{ x: number; y: number }> = {
  name: 'point',
  encode: ({ x, y }) => bytes(`${x},${y}`),
  decode(data) {
    const [x = Number.NaN, y = Number.NaN] = Buffer.from(data).toString().split(',').map(Number);
    return { x, y };
  },
};

export const enqueueing = suite('enqueueing', (test) => {
  test('messages get indexes in the order of their calls', async (t, place) => {
    const queue = await place.openQueue();
    const calls = [
      queue.enqueue('a'),
      queue.enqueueMany(['b', 'c']),
      queue.enqueue('d'),
      queue.enqueueMany([]),
    ];
    t.same(await Promise.all(calls), [1, [2, 3], 4, []]);
    t.same(await queue.flush(), ['a', 'b', 'c', 'd']);
  });

  test('a batch is all or nothing', async (t, place) => {
    const queue = await place.openQueue<unknown>({ maxFileSize: 4096 });
    const large = 'x'.repeat(1500);
    await t.rejects(queue.enqueueMany([large, large, large]), { code: 'RECORD_TOO_LARGE' });
    await t.rejects(queue.enqueueMany(['a', 10n, 'c']), { code: 'CODEC' });
    t.same([await queue.store.nextIndex(), await queue.length()], [1, 0]);
    t.same(await Promise.allSettled([queue.enqueue('a'), queue.enqueue(10n), queue.enqueue('b')]), [
      { status: 'fulfilled', value: 1 },
      (await Promise.allSettled([queue.enqueue(10n)]))[0],
      { status: 'fulfilled', value: 2 },
    ]);
  });

  test('headers and time come with the delivery', async (t, place) => {
    const queue = await place.openQueue();
    const before = Date.now();
    await queue.enqueue('a', { headers: { trace: 'ü→😀' } });
    await queue.enqueueMany(['b', 'c'], { headers: { of: 'both' } });
    await queue.enqueue('d');
    const deliveries = await (await place.openQueue()).claimMany(10);
    t.same(
      deliveries.map(({ value, index, attempt, headers }) => [value, index, attempt, { ...headers }]),
      [
        ['a', 1, 1, { trace: 'ü→😀' }],
        ['b', 2, 1, { of: 'both' }],
        ['c', 3, 1, { of: 'both' }],
        ['d', 4, 1, {}],
      ],
    );
    for (const { enqueuedAt } of deliveries)
      t.ok(
        enqueuedAt instanceof Date && enqueuedAt.getTime() >= before && enqueuedAt.getTime() <= Date.now(),
      );
  });

  test("'json', 'bytes', 'v8' and codecs of one's own", async (t, place) => {
    const json = [{ a: [1, 'ü→', null, true, 1.5] }, [], '', 0, null, false];
    const byDefault = await place.openQueue<unknown>();
    await byDefault.enqueueMany(json);
    t.strictSame(await (await place.openQueue<unknown>({ codec: 'json' })).flush(), json);

    const v8 = [new Date(5), new Map([[1, new Set(['a'])]]), undefined, 10n, Number.NaN];
    const structured = await place.openQueue<unknown>({ codec: 'v8', filePrefix: 'v8' });
    await structured.enqueueMany(v8);
    t.strictSame(await structured.flush(), v8);

    const raw = await place.openQueue<Uint8Array>({ codec: 'bytes', filePrefix: 'bytes' });
    await raw.enqueueMany([bytes('a'), new Uint8Array(0)]);
    await raw.store.write(bytes('what a store wrote is bytes'));
    t.same(
      (await raw.flush()).map((data) => Buffer.from(data).toString()),
      ['a', '', 'what a store wrote is bytes'],
    );

    const own = await place.openQueue({ codec: point, filePrefix: 'own' });
    await own.enqueue({ x: 1, y: -2.5 });
    t.same(await own.dequeue(), { x: 1, y: -2.5 });
  });

  test('a value that cannot be encoded is CODEC, and nothing was written', async (t, place) => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const queue = await place.openQueue<unknown>();
    for (const value of [undefined, cycle, 10n, () => 1])
      await t.rejects(queue.enqueue(value), { code: 'CODEC' });
    const raw = await place.openQueue<unknown>({ codec: 'bytes' });
    await t.rejects(raw.enqueue('text'), { code: 'CODEC' });
    t.equal(await queue.store.nextIndex(), 1);
  });

  test('another codec than a message’s is CODEC for that message, which stays', async (t, place) => {
    const json = await place.openQueue<unknown>();
    const v8 = await place.openQueue<unknown>({ codec: 'v8' });
    await json.enqueue('json');
    await v8.enqueue('v8');
    for (const call of [
      () => v8.dequeue(),
      () => v8.dequeueMany(2),
      () => v8.peek(),
      () => v8.read(1),
      () => v8.flush(),
    ])
      await t.rejects(call(), { code: 'CODEC', index: 1 }, `${call}`);
    t.equal(await v8.read(2), 'v8');
    t.equal(await json.dequeue(), 'json');
    await t.rejects(json.dequeue(), { code: 'CODEC', index: 2 });
    t.equal(await v8.dequeue(), 'v8');
  });

  test('a message that cannot be decoded stands in the way until it is deleted; what is before it is had', async (t, place) => {
    const queue = await place.openQueue<unknown>();
    await queue.enqueue('a');
    await queue.store.write(bytes('no JSON and no codec'));
    await queue.enqueue('c');
    t.same(await queue.peekMany(3), ['a']);
    t.same(await queue.dequeueMany(3), ['a']);
    await t.rejects(queue.dequeue(), { code: 'CODEC', index: 2 });
    await t.rejects(queue.dequeue({ waitMs: 10_000 }), { code: 'CODEC', index: 2 }, 'it is not waited for');
    t.equal(await queue.length(), 2);
    t.equal(await queue.delete(2), 1);
    t.equal(await queue.dequeue(), 'c');
  });

  test('a schema checks what comes in: INVALID_VALUE, nothing was written, and what it returns is stored', async (t, place) => {
    const upper = (value: unknown): { value: string } | { issues: { message: string; path: string[] }[] } =>
      typeof value === 'string'
        ? { value: value.toUpperCase() }
        : { issues: [{ message: 'no text', path: ['where'] }] };
    const validate = { '~standard': { version: 1 as const, vendor: 'test', validate: upper } };
    const queue = await place.openQueue<string>({ schema: validate });
    t.equal(await queue.enqueue('a'), 1);
    const refused = { code: 'INVALID_VALUE', message: /where: no text/ };
    await t.rejects(queue.enqueue(untyped(1)), refused);
    await t.rejects(queue.enqueueMany(['b', untyped(1)]), refused);
    t.equal(await queue.store.nextIndex(), 2);
    t.equal(await queue.dequeue(), 'A');

    const slow = {
      '~standard': { ...validate['~standard'], validate: async (value: unknown) => upper(value) },
    };
    const patient = await place.openQueue<string>({ schema: slow });
    t.same(await Promise.all([patient.enqueue('b'), patient.enqueueMany(['c', 'd'])]), [2, [3, 4]]);
    await t.rejects(patient.enqueue(untyped(1)), refused);
    t.same(await queue.flush(), ['B', 'C', 'D']);
  });

  test('validateOnRead checks what goes out: INVALID_VALUE with its index, and it stays', async (t, place) => {
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'string' ? { value } : { issues: [{ message: 'no text' }] },
      },
    };
    const anything = await place.openQueue<unknown>();
    await anything.enqueueMany(['a', 1, 'c']);
    const queue = await place.openQueue<string>({ schema, validateOnRead: true });
    t.same(await queue.dequeueMany(3), ['a']);
    await t.rejects(queue.dequeue(), { code: 'INVALID_VALUE', index: 2 });
    await t.rejects(queue.claim(), { code: 'INVALID_VALUE', index: 2 });
    t.equal(await queue.length(), 2);
    t.equal(had(await anything.claim()).attempt, 2, 'for claim it counts as an attempt');
  });

  test('arguments that are none are INVALID_OPTION, and nothing was written', async (t, place) => {
    const queue = await place.openQueue();
    const refused = { code: 'INVALID_OPTION' };
    for (const values of [undefined, null, 'text', 5, {}])
      await t.rejects(queue.enqueueMany(untyped(values)), refused);
    for (const options of [
      null,
      5,
      { unknown: 1 },
      { durability: 'later' },
      { signal: 1 },
      { headers: { a: 1 } },
    ]) {
      await t.rejects(queue.enqueue('x', untyped(options)), refused);
      await t.rejects(queue.enqueueMany(['x'], untyped(options)), refused);
    }
    const reason = new Error('enough');
    await t.rejects(queue.enqueue('x', { signal: AbortSignal.abort(reason) }), reason);
    t.equal(await queue.store.nextIndex(), 1);
  });
});
