import t from 'tap';
import { DurostoreError, openQueue, openStore } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { Orders } from './child.js';
import type { ClaimsOrders } from './claims-child.js';
import type { FlatOutOrders } from './flat-out-child.js';

const has =
  <K extends string>(key: K) =>
  (message: unknown): message is Record<K, number> =>
    typeof message === 'object' && message !== null && key in message;

t.test('without locks a second opener is told, and may come when the first one is dead', async (t) => {
  const directory = await temporaryDirectory(t);
  const options = { durability: 'written', locking: 'none' } as const;
  const orders: ClaimsOrders = { directory, options, count: 1, leaseMs: 600_000 };
  const first = startProgram(t, 'test/processes/claims-child.js', { args: [JSON.stringify(orders)] });
  await first.message(has('opened'));
  for (const locking of ['none', 'auto'] as const) {
    const refusal = { constructor: DurostoreError, code: 'LOCK_UNAVAILABLE' };
    await t.rejects(openQueue({ directory, locking }), refusal);
    await t.rejects(openStore({ directory, locking }), refusal);
  }
  const second = startProgram(t, 'test/processes/claims-child.js', { args: [JSON.stringify(orders)] });
  t.equal((await second.ended()).code, 1);
  t.match(second.stderr, /LOCK_UNAVAILABLE/);
  t.ok(first.running, 'the first one does not notice');

  await first.kill();
  const queue = await openQueue<string>({ directory, ...options });
  t.equal(await queue.enqueue('message'), 1);
  await t.rejects(openQueue({ directory, ...options }), { code: 'LOCK_UNAVAILABLE' }, 'in this process too');
  await queue.close();
  const again = await openQueue<string>({ directory, ...options });
  t.equal(await again.dequeue(), 'message');
  await again.close();
});

for (const { name, locking, target } of [
  { name: '', locking: 'os', target: 30_000 },
  { name: ', with lock files', locking: 'lockfile', target: 5_000 },
] as const) {
  t.test(`two processes that enqueue flat out both get on${name}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const LEAST = target / 20;
    const orders: FlatOutOrders = { directory, options: { durability: 'written', locking }, target };
    const programs = [1, 2].map(() =>
      startProgram(t, 'test/processes/flat-out-child.js', { args: [JSON.stringify(orders)] }),
    );
    for (const program of programs) await program.message(has('opened'));
    for (const program of programs) program.send('go');
    const winner = await Promise.any(
      programs.map(async (program) => {
        await program.message(has('reached'), 60_000);
        return program;
      }),
    );
    const other = programs.find((program) => program !== winner);
    other?.send('count');
    const count = (await other?.message(has('count')))?.count ?? 0;
    t.comment(`${target} and ${count}`);
    t.ok(count >= LEAST, `while one did ${target}, the other did ${count}`);
    for (const program of programs) program.send('stop');
    for (const program of programs) t.same(await program.ended(), { code: 0, signal: null });
  });

  t.test(`processes that open a new directory at once share it${name}`, async (t) => {
    const directory = await temporaryDirectory(t);
    const orders: Orders = { directory, options: { locking } };
    const programs = Array.from({ length: 4 }, () =>
      startProgram(t, 'test/processes/idle-child.js', { args: [JSON.stringify(orders)] }),
    );
    for (const program of programs) {
      t.same(await program.ended(), { code: 0, signal: null });
    }
    const store = await openStore({ directory, filePrefix: 'records' });
    t.equal(await store.length(), programs.length);
    t.equal(await store.nextIndex(), programs.length + 1);
    await store.close();
  });
}
