import t from 'tap';
import { openQueue } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { Orders } from './child.js';

const WOKEN_WITHIN_MS = 5_000;
const MANY = 200;
/** All of them; looks every 250 ms, the net beneath the notices, would need more than twice as long. */
const ALL_WITHIN_MS = 20_000;

const isWaiting = (message: unknown): message is { waiting: true } =>
  typeof message === 'object' && message !== null && 'waiting' in message;
const isGot = (message: unknown): message is { got: string } =>
  typeof message === 'object' && message !== null && 'got' in message;

const hearing: readonly {
  readonly name: string;
  readonly options: Orders['options'];
  readonly messages?: number;
}[] = [
  { name: 'with notices alone', options: { durability: 'written', indexer: { intervalMs: 60_000 } } },
  {
    name: 'with every notice lost, at the next look',
    options: { durability: 'written', indexer: { watch: false, intervalMs: 20 } },
  },
  {
    name: 'with notices alone, and lock files',
    options: { durability: 'written', locking: 'lockfile', indexer: { intervalMs: 60_000 } },
    messages: 60,
  },
];

for (const { name, options, messages = MANY } of hearing) {
  t.test(`who waits in another process wakes: ${name}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const queue = await openQueue<string>({ directory, durability: 'written', locking: options.locking });
    t.teardown(() => queue.close());
    const orders: Orders = { directory, options };
    const waiter = startProgram(t, 'test/processes/waiting-child.js', { args: [JSON.stringify(orders)] });
    await waiter.message(isWaiting);
    const got: string[] = [];
    const end = performance.now() + ALL_WITHIN_MS;
    for (let n = 0; n < messages; n++) {
      await queue.enqueue(`message-${n}`);
      got.push((await waiter.message(isGot, Math.min(WOKEN_WITHIN_MS, end - performance.now()))).got);
    }
    t.strictSame(
      got,
      Array.from({ length: messages }, (_, n) => `message-${n}`),
    );
    t.equal(await queue.length(), 0);
    waiter.send('stop');
    t.same(await waiter.ended(), { code: 0, signal: null });
  });
}

t.test('who waits under flat-out foreign work misses nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, durability: 'written' });
  t.teardown(() => queue.close());
  const orders: Orders = { directory, options: { durability: 'written' } };
  const waiters = [1, 2, 3].map(() =>
    startProgram(t, 'test/processes/waiting-child.js', { args: [JSON.stringify(orders)] }),
  );
  for (const waiter of waiters) await waiter.message(isWaiting);
  const sent = Array.from({ length: 300 }, (_, n) => `message-${n}`);
  for (const one of sent) await queue.enqueue(one);
  const got: string[] = [];
  const read = async (waiter: (typeof waiters)[number]): Promise<void> => {
    for (;;) got.push((await waiter.message(isGot)).got);
  };
  const ends = waiters.map((waiter) => read(waiter).catch((error: unknown) => error));
  await until('all have come', () => got.length >= sent.length);
  for (const waiter of waiters) waiter.send('stop');
  for (const waiter of waiters) t.same(await waiter.ended(), { code: 0, signal: null });
  await Promise.all(ends);
  t.strictSame([...got].sort(), [...sent].sort(), 'each once, whoever had it');
});

t.test('a process whose only work is to wait stays alive', async (t) => {
  const directory = await temporaryDirectory(t);
  const orders: Orders = { directory, options: { durability: 'written' } };
  const waiter = startProgram(t, 'test/processes/lone-waiter-child.js', { args: [JSON.stringify(orders)] });
  await waiter.line((line) => line === 'waiting');
  // Another whole program begins and ends meanwhile.
  const idle: Orders = { directory: await temporaryDirectory(t), options: {} };
  const other = startProgram(t, 'test/processes/idle-child.js', { args: [JSON.stringify(idle)] });
  t.same(await other.ended(), { code: 0, signal: null });
  t.ok(waiter.running);
  const queue = await openQueue<string>({ directory, durability: 'written' });
  t.teardown(() => queue.close());
  await queue.enqueue('message');
  t.equal(await waiter.line((line) => line.startsWith('got')), 'got message');
  t.same(await waiter.ended(), { code: 0, signal: null }, 'it ends when it has what it waited for');
});

for (const { name, locking } of [
  { name: '', locking: 'os' },
  { name: ', with lock files', locking: 'lockfile' },
] as const) {
  t.test(`a process with an idle open store and queue ends by itself${name}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const orders: Orders = { directory, options: { locking } };
    const idle = startProgram(t, 'test/processes/idle-child.js', { args: [JSON.stringify(orders)] });
    t.equal(await idle.line((line) => line.startsWith('claimed')), 'claimed message');
    t.equal(await idle.line((line) => line.startsWith('then')), 'then undefined');
    t.same(await idle.ended(), { code: 0, signal: null });
    const queue = await openQueue<string>({ directory });
    // Without the kernel's locks nothing but the end of its lease frees it.
    t.equal(await queue.dequeue(), locking === 'os' ? 'message' : undefined, 'what becomes of its claim');
    await queue.close();
  });
}
