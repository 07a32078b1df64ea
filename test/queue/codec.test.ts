import type { CodecError } from '../../src/errors.js';
import type { Codec } from '../../src/queue/codec.js';
import { bytes } from '../store/records.js';
import { onBothDisks } from '../store/world.js';
import { damagedOnPurpose } from '../support/consistency.js';

onBothDisks("'json' is the default: what JSON keeps comes back", async (t, world) => {
  const values = [{ a: [1, 'ü→', null, true, 1.5] }, [], '', 0, null, false, 'text'];
  const queue = await world.openQueue<unknown>();
  await queue.enqueueMany(values);
  t.strictSame(await queue.peekMany(10), values);
  t.strictSame(await (await world.openQueue({ codec: 'json' })).flush(), values);
});

onBothDisks("'v8' keeps dates, maps, undefined and cycles", async (t, world) => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const values = [new Date(5), new Map([[1, new Set(['a'])]]), undefined, 10n, Number.NaN, cycle];
  const queue = await world.openQueue<unknown>({ codec: 'v8' });
  for (const value of values) await queue.enqueue(value);
  t.strictSame(await queue.flush(), values);
});

onBothDisks("'bytes' are bytes, and what a store wrote is bytes", async (t, world) => {
  const queue = await world.openQueue<Uint8Array>({ codec: 'bytes' });
  const store = await world.openStore();
  await queue.enqueue(bytes('a'));
  await store.write(bytes('b'));
  await queue.enqueue(new Uint8Array(0));
  t.same(await queue.flush(), [bytes('a'), bytes('b'), new Uint8Array(0)]);
  await t.rejects(queue.enqueue('text' as unknown as Uint8Array), { code: 'CODEC' });
});

const point: Codec<{ x: number; y: number }> = {
  name: 'point',
  encode: ({ x, y }) => bytes(`${x},${y}`),
  decode(data) {
    const [x = Number.NaN, y = Number.NaN] = Buffer.from(data).toString().split(',').map(Number);
    return { x, y };
  },
};

onBothDisks('a codec of your own', async (t, world) => {
  const queue = await world.openQueue({ codec: point });
  await queue.enqueueMany([
    { x: 1, y: 2 },
    { x: 3, y: 4 },
  ]);
  t.same(await queue.peek(), { x: 1, y: 2 });
  const delivery = await queue.claim();
  t.same(delivery?.value, { x: 1, y: 2 });
  t.same(await queue.dequeue(), { x: 3, y: 4 });
});

onBothDisks('a codec that fails or gives no bytes: CODEC, and nothing was written', async (t, world) => {
  const failing: Codec<unknown> = {
    name: 'failing',
    encode(value) {
      if (value === 'throw') throw new Error('cannot');
      return value as Uint8Array;
    },
    decode: (data) => data,
  };
  const queue = await world.openQueue({ codec: failing });
  await t.rejects(queue.enqueue('throw'), {
    code: 'CODEC',
    message: /'failing'.*cannot/,
    cause: { message: 'cannot' },
  });
  await t.rejects(queue.enqueue('a string'), { code: 'CODEC', message: /Uint8Array/ });
  await t.rejects(queue.enqueue(undefined), { code: 'CODEC' });
  await t.rejects(queue.enqueueMany([bytes('fine'), 'throw']), { code: 'CODEC' });
  const json = await world.openQueue({ filePrefix: 'json' });
  for (const value of [undefined, () => 1, 1n, Symbol('s')])
    await t.rejects(json.enqueue(value), { code: 'CODEC' });
  t.equal(await queue.store.nextIndex(), 1);
  t.equal(await json.store.nextIndex(), 1);
});

onBothDisks('a record of another codec is CODEC with its index, for that record', async (t, world) => {
  const json = await world.openQueue<string>();
  const v8 = await world.openQueue<string>({ codec: 'v8' });
  const points = await world.openQueue({ codec: point });
  await json.enqueue('one');
  await v8.enqueue('two');
  await points.enqueue({ x: 3, y: 3 });
  await t.rejects(v8.read(1), { name: 'CodecError', code: 'CODEC', index: 1, message: /'json'.*'v8'/ });
  await t.rejects(json.read(2), { code: 'CODEC', index: 2 });
  await t.rejects(v8.read(3), { code: 'CODEC', index: 3, message: /'point'/ });
  t.equal(await json.dequeue(), 'one');
  t.equal(await v8.dequeue(), 'two');
  t.same(await points.dequeue(), { x: 3, y: 3 });
});

onBothDisks(
  'a head that cannot be decoded: dequeue is CODEC with its index until it is deleted',
  async (t, world) => {
    const writer = await world.openQueue<string>({ codec: 'v8' });
    const queue = await world.openQueue<string>();
    await queue.enqueueMany(['one', 'two']);
    await writer.enqueue('three');
    await queue.enqueue('four');
    t.same(await queue.dequeueMany(10), ['one', 'two'], 'what stands before it is given out');
    const calls: (() => Promise<unknown>)[] = [
      () => queue.dequeue(),
      () => queue.dequeueMany(5),
      () => queue.flush(),
      () => queue.peek(),
      () => queue.claim(),
    ];
    for (const call of calls) {
      await t.rejects(call(), { code: 'CODEC', index: 3 });
    }
    t.equal(await queue.length(), 2, 'it stays where it is');
    t.same((await queue.stats()).claimed, 0);
    const found: CodecError = await queue.dequeue().then(
      () => t.fail('nothing was thrown'),
      (error) => error,
    );
    t.equal(await queue.delete(found.index ?? 0), 1);
    t.equal(await queue.dequeue(), 'four');
  },
);

onBothDisks('a claim of what cannot be decoded counts as an attempt', async (t, world) => {
  const [writer, queue] = [await world.openQueue<string>({ codec: 'v8' }), await world.openQueue<string>()];
  await writer.enqueue('one');
  await t.rejects(queue.claim(), { code: 'CODEC', index: 1 });
  await t.rejects(queue.claim(), { code: 'CODEC', index: 1 });
  t.equal((await writer.claim())?.attempt, 3);
});

onBothDisks(
  'a damaged message is CORRUPT for who stands before it, not for those before',
  async (t, world) => {
    const queue = await world.openQueue<string>({ maxChunk: 0 });
    await queue.enqueueMany(['message 1', 'message 2', 'message 3', 'message 4']);
    const file = 'duro_00000000000000000001.dat';
    world.flip(file, world.bytes(file).indexOf('message 3'));
    damagedOnPurpose(world.directory);
    const calls = await Promise.allSettled([queue.dequeue(), queue.dequeue(), queue.dequeue()]);
    t.match(calls, [{ value: 'message 1' }, { value: 'message 2' }, { reason: { code: 'CORRUPT' } }]);
    await t.rejects(queue.dequeueMany(5), { code: 'CORRUPT', indexes: { from: 3, to: 3 } });
    await t.rejects(queue.claim(), { code: 'CORRUPT' });
    t.equal(await queue.enqueue('message 5'), 5);
    t.equal(await queue.delete(3), 1);
    t.same(await queue.flush(), ['message 4', 'message 5']);
  },
);

onBothDisks('what is given out belongs to the caller', async (t, world) => {
  const queue = await world.openQueue<Uint8Array>({ codec: 'bytes' });
  await queue.enqueue(bytes('hello'));
  (await queue.peek())?.fill(0);
  const delivery = await queue.claim();
  delivery?.value.fill(0);
  await delivery?.nack();
  t.same(await queue.dequeue(), bytes('hello'));
});
