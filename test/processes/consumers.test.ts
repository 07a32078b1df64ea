/** Named consumers of several processes, in both ways of locking. */
import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openStore, type Store } from '../../src/mod.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { Request } from './consumers-child.js';

const written = { durability: 'written' } as const;
const isOpened = (message: unknown): message is { opened: true } =>
  typeof message === 'object' && message !== null && 'opened' in message;

/** Consumers that another process has open. */
interface Elsewhere {
  /** The answer, or the code of the refusal. */
  do(call: Request['call'], name: string, ...args: readonly unknown[]): Promise<unknown>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
}

async function elsewhere(t: Test, directory: string): Promise<Elsewhere> {
  const program = startProgram(t, 'test/processes/consumers-child.js', {
    args: [JSON.stringify({ directory, options: written })],
  });
  await program.message(isOpened);
  let last = 0;
  return {
    async do(call, name, ...args) {
      last += 1;
      const id = last;
      program.send({ id, call, name, args } satisfies Request);
      const isAnswer = (message: unknown): message is { id: number; answer?: unknown; code?: string } =>
        typeof message === 'object' && message !== null && 'id' in message && message.id === id;
      const { answer, code } = await program.message(isAnswer);
      return code ?? answer;
    },
    kill: () => program.kill(),
    pause: () => program.pause(),
    resume: () => program.resume(),
  };
}

const records = (from: number, to: number): Uint8Array[] =>
  Array.from({ length: to - from + 1 }, (_, at) => Buffer.from(`record ${from + at}`));

const indexes = (entries: readonly { readonly index: number }[]): number[] =>
  entries.map(({ index }) => index);

const holders = async (store: Store): Promise<unknown> =>
  (await store.consumers()).map(({ name, committed, holders }) => [name, committed, holders]);

/** Who dies or stands still with the lock of the directory keeps everybody waiting for a while, which is another test's. */
const nobodyInside = (directory: string): Promise<boolean> =>
  until('nobody is inside', () => !existsSync(join(directory, 'duro.directory.lock')));

for (const locking of ['os', 'lockfile'] as const) {
  /** What a dead process held: with lock files it counts as alive until it has given no sign of life for a while. */
  const letPass = (directory: string, name: string, number: number): void => {
    if (locking === 'os') return;
    const longAgo = (Date.now() - 60_000) / 1000;
    utimesSync(join(directory, `duro.hold.consumer.${name}.${number}.lock`), longAgo, longAgo);
  };

  t.test(`${locking}: two processes on one consumer, and one is killed`, async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openStore({ directory, ...written, locking });
    t.teardown(() => store.close());
    await store.writeMany(records(1, 10));
    const there = await elsewhere(t, directory);
    t.equal(await there.do('open', 'mail'), true);
    const here = await store.consumer('mail');
    t.same(await holders(store), [['mail', 0, 2]]);
    t.same(await there.do('nextMany', 'mail', 4), [1, 2, 3, 4]);
    t.same(indexes(await here.nextMany(2)), [1, 2], 'each reads all');
    await there.do('commit', 'mail');
    t.same(await there.do('nextMany', 'mail', 3), [5, 6, 7]);
    await here.commit();
    t.same(await holders(store), [['mail', 4, 2]], 'and the position moves forward only');
    await nobodyInside(directory);
    await there.kill();
    letPass(directory, 'mail', 1);
    await until('its hold is free', async () => (await store.consumers())[0]?.holders === 1);
    t.same(await holders(store), [['mail', 4, 1]], 'its last commit stands');
    await here.close();
    const next = await store.consumer('mail', { exclusive: true });
    t.same(indexes(await next.nextMany(10)), [5, 6, 7, 8, 9, 10]);
  });

  t.test(`${locking}: exclusive among processes, until its holder dies`, async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openStore({ directory, ...written, locking });
    t.teardown(() => store.close());
    await store.writeMany(records(1, 3));
    const [one, other] = [await elsewhere(t, directory), await elsewhere(t, directory)];
    t.equal(await one.do('open', 'mail', { exclusive: true }), true);
    t.equal(await other.do('open', 'mail'), 'LOCK_UNAVAILABLE');
    t.equal(await other.do('open', 'mail', { exclusive: true }), 'LOCK_UNAVAILABLE');
    await t.rejects(store.consumer('mail'), { code: 'LOCK_UNAVAILABLE' });
    await one.do('nextMany', 'mail', 2);
    await one.do('commit', 'mail', 1);
    await nobodyInside(directory);
    await one.kill();
    letPass(directory, 'mail', 0);
    t.equal(await other.do('open', 'mail'), true);
    t.same(await other.do('nextMany', 'mail', 5), [2, 3]);
    t.equal(await other.do('close', 'mail'), undefined);
    t.equal(await other.do('open', 'mail', { exclusive: true }), true);
    await t.rejects(store.consumer('mail'), { code: 'LOCK_UNAVAILABLE' });
    t.same(await holders(store), [['mail', 1, 1]]);
  });

  t.test(`${locking}: who only stands still keeps it, unless it counts as dead`, async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openStore({ directory, ...written, locking });
    t.teardown(() => store.close());
    await store.writeMany(records(1, 3));
    const there = await elsewhere(t, directory);
    await there.do('open', 'mail', { exclusive: true });
    await there.do('nextMany', 'mail', 2);
    await nobodyInside(directory);
    there.pause();
    await t.rejects(store.consumer('mail'), { code: 'LOCK_UNAVAILABLE' });
    if (locking === 'lockfile') {
      letPass(directory, 'mail', 0);
      const here = await store.consumer('mail', { exclusive: true });
      there.resume();
      t.equal(await there.do('commit', 'mail'), 'LOCK_LOST');
      t.equal(await there.do('nextMany', 'mail', 1), 'LOCK_LOST');
      t.same(indexes(await here.nextMany(9)), [1, 2, 3]);
    } else {
      there.resume();
      t.equal(await there.do('commit', 'mail'), undefined);
      t.same(await holders(store), [['mail', 2, 1]]);
    }
  });
}
