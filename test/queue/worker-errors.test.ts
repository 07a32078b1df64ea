import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import { inject, onKind } from '../../src/disk/memory-fault.js';
import { DurostoreError } from '../../src/errors.js';
import type { Codec, Delivery } from '../../src/mod.js';
import type { ClaimOptions } from '../../src/queue/contract.js';
import { QueueWorker } from '../../src/queue/worker.js';
import { resolveWorkerOptions } from '../../src/queue/worker-options.js';
import { MovedClock } from '../store/moved-clock.js';
import { memoryWorld } from '../store/world.js';
import { until } from '../support/until.js';
import { errorsOf, noneUnhandled } from './gates.js';
import { settle } from './settle.js';

t.test(
  'a message that cannot be read is told again and again, at leisure, until it is out of the way',
  async (t) => {
    noneUnhandled(t);
    const clock = new MovedClock();
    const world = memoryWorld(t);
    let decodes = 0;
    const codec: Codec<string> = {
      name: 'choosy',
      encode: (value) => Buffer.from(value),
      decode(bytes) {
        const value = Buffer.from(bytes).toString();
        if (value !== 'bad') return value;
        decodes += 1;
        throw new Error('bad bytes');
      },
    };
    const queue = await world.openQueue<string>({ codec, clock, maxAttempts: 1000 });
    const errors = errorsOf(queue as never);
    await queue.enqueueMany(['bad', 'good']);
    const seen: string[] = [];
    const worker = queue.process(({ value }) => {
      seen.push(value);
    });
    for (let told = 1; told <= 3; told++) {
      await until('it is told', () => errors.length === told);
      await settle(20);
      t.equal(decodes, told, 'once, and then it rests');
      clock.advance(99);
      await settle(20);
      t.equal(decodes, told);
      if (told === 3) await queue.delete(1);
      clock.advance(1);
    }
    await until('the good one is handled', () => seen.length === 1);
    t.match(errors, [{ code: 'CODEC' }, { code: 'CODEC' }, { code: 'CODEC' }]);
    await worker.close();
  },
);

t.test('a store that fails ends the worker, which says so', async (t) => {
  noneUnhandled(t);
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>();
  const errors = errorsOf(queue as never);
  const worker = queue.process(() => {});
  await settle();
  machine.onOperation = inject({ error: 'EIO' }, onKind('write'));
  await t.rejects(queue.enqueue(1), { code: 'STORE_FAILED' });
  machine.onOperation = undefined;
  await until('the worker has ended', () => errors.some(({ message }) => /a worker has ended/.test(message)));
  t.same(new Set(errors.map(({ code }) => code)), new Set(['STORE_FAILED']));
  await worker.close();
});

t.test('a handler whose message cannot be settled is told by an error', async (t) => {
  noneUnhandled(t);
  const machine = new MemoryDisk();
  const world = memoryWorld(t, machine);
  const queue = await world.openQueue<number>();
  const errors = errorsOf(queue as never);
  await queue.enqueue(1);
  const worker = queue.process(() => {
    machine.onOperation = inject({ error: 'EIO' }, onKind('write'));
  });
  await until('it has failed', () => worker.stats().failed === 1);
  machine.onOperation = undefined;
  await worker.close();
  await until('the errors', () => errors.length > 0);
  t.same(new Set(errors.map(({ code }) => code)), new Set(['STORE_FAILED']));
});

/** A queue whose claims end as the test says. */
class Scripted {
  readonly clock = new MovedClock();
  readonly leaseMs = 1000;
  readonly maxAttempts = 5;
  readonly errors: DurostoreError[] = [];
  claims = 0;
  next: () => Promise<Delivery<number>[]> = async () => [];

  claimMany(_max: number, options: ClaimOptions): Promise<Delivery<number>[]> {
    this.claims += 1;
    return Promise.race([
      this.next(),
      new Promise<never>((_, reject) => {
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
      }),
    ]);
  }

  error(error: DurostoreError): void {
    this.errors.push(error);
  }
}

/** A delivery that notes what is called. */
function scripted(index: number, note: (call: string) => void): Delivery<number> {
  return {
    value: index,
    index,
    attempt: 1,
    enqueuedAt: new Date(0),
    headers: {},
    signal: new AbortController().signal,
    ack: async () => note('ack'),
    nack: async (options) => note(`nack ${options?.reason}`),
    extend: async (leaseMs) => note(`extend ${leaseMs}`),
    reject: async () => note('reject'),
    progress: async () => note('progress'),
  };
}

t.test('after other errors it tries again, after longer and longer rests', async (t) => {
  noneUnhandled(t);
  const queue = new Scripted();
  let failure: unknown = new DurostoreError('LOCK_UNAVAILABLE', 'not now');
  queue.next = () => (failure === undefined ? new Promise(() => {}) : Promise.reject(failure));
  const worker = new QueueWorker(
    queue,
    () => {},
    resolveWorkerOptions({}, 1000),
    () => {},
  );
  const rests = [100, 200, 400, 800, 1600, 3200, 5000, 5000];
  for (const [at, rest] of rests.entries()) {
    await until('it has tried', () => queue.claims === at + 1);
    await settle();
    queue.clock.advance(rest - 1);
    await settle();
    t.equal(queue.claims, at + 1);
    if (at === 6) failure = new Error('something else');
    if (at === 7) failure = undefined;
    queue.clock.advance(1);
  }
  await until('it waits', () => queue.claims === rests.length + 1);
  t.same(
    queue.errors.map(({ code }) => code),
    [...Array(7).fill('LOCK_UNAVAILABLE'), 'STORE_FAILED'],
  );
  t.match(queue.errors.at(-1)?.cause, { message: 'something else' });
  await worker.close();
});

t.test('a queue that is closed ends its worker without a word', async (t) => {
  const queue = new Scripted();
  queue.next = () => Promise.reject(new DurostoreError('CLOSED', 'closed'));
  let ended = 0;
  const worker = new QueueWorker(
    queue,
    () => {},
    resolveWorkerOptions({}, 1000),
    () => {
      ended += 1;
    },
  );
  await until('it has ended', () => ended === 1);
  await worker.close();
  t.equal(ended, 1);
  t.same(queue.errors, []);
});

t.test('a message that is settled is renewed no more', async (t) => {
  for (const how of ['returns', 'acknowledges and goes on', 'times out'] as const) {
    const queue = new Scripted();
    const calls: string[] = [];
    let given = false;
    queue.next = async () => {
      if (given) return new Promise(() => {});
      given = true;
      return [scripted(1, (call) => void calls.push(call))];
    };
    const worker = new QueueWorker(
      queue,
      async (delivery) => {
        queue.clock.advance(400);
        if (how === 'acknowledges and goes on') await delivery.ack();
        if (how !== 'returns') await new Promise(() => {});
      },
      resolveWorkerOptions({ timeoutMs: 700 }, 1000),
      () => {},
    );
    await until('it has begun', () => calls.length > 0);
    await settle();
    if (how === 'times out') queue.clock.advance(300);
    await settle();
    queue.clock.advance(10_000);
    await settle();
    t.same(calls, ['extend 1000', how === 'times out' ? 'nack timed out after 700 ms' : 'ack'], how);
    await worker.close();
  }
});

t.test('whatever is thrown has a reason', async (t) => {
  noneUnhandled(t);
  const queue = new Scripted();
  const reasons: string[] = [];
  const thrown: unknown[] = [
    new Error('said'),
    new RangeError(),
    'text',
    undefined,
    Object.create(null),
    Symbol('mark'),
  ];
  let at = 0;
  queue.next = async () => {
    if (at === thrown.length) return new Promise(() => {});
    at += 1;
    return [scripted(at, (call) => void reasons.push(call))];
  };
  const worker = new QueueWorker(
    queue,
    ({ value }) => {
      throw thrown[value - 1];
    },
    resolveWorkerOptions({}, 1000),
    () => {},
  );
  await until('all have failed', () => worker.stats().failed === thrown.length);
  t.same(reasons, [
    'nack said',
    'nack RangeError',
    'nack text',
    'nack undefined',
    'nack something without a text was thrown',
    'nack Symbol(mark)',
  ]);
  await worker.close();
});
