import { existsSync, readdirSync } from 'node:fs';
import t, { type Test } from 'tap';
import { ManualClock, openQueue, openStore, removeDirectory } from '../../src/memory/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** A directory that no other test names, and that is forgotten with the test. */
let count = 0;
function named(t: Test): string {
  count += 1;
  const directory = `/memory-test-${count}`;
  t.teardown(() => removeDirectory(directory));
  return directory;
}

t.test('a directory that is not named is nobody else’s', async (t) => {
  const one = await openQueue<string>();
  const other = await openQueue<string>({});
  t.equal(await one.enqueue('mine'), 1);
  t.equal(await other.length(), 0);
  t.equal(await other.enqueue('theirs'), 1);
  t.equal(await one.dequeue(), 'mine');
  t.equal(await other.dequeue(), 'theirs');
  await one.close();
  await other.close();
});

t.test('two that open the same directory share it, as two processes would', async (t) => {
  const directory = named(t);
  const one = await openQueue<string>({ directory });
  const other = await openQueue<string>({ directory });
  const store = await openStore({ directory });
  const waiting = other.dequeue({ waitMs: Number.POSITIVE_INFINITY });
  await one.enqueueMany(['a', 'b', 'c']);
  t.equal(await waiting, 'a', 'who waits is told');
  const [b, c] = await Promise.all([one.claim(), other.claim()]);
  t.same([b?.value, c?.value].sort(), ['b', 'c'], 'no message is had twice');
  t.equal(await one.claim(), undefined);
  await one.close();
  const again = await other.claim({ waitMs: 10_000 });
  t.same([again?.value, again?.attempt], [b?.value, 2], 'closing frees its claims');
  await c?.ack();
  await again?.ack();
  t.equal(await store.length(), 0);
  await other.close();
  await store.close();
});

t.test('many write and take at once, and each message is had once, in order', async (t) => {
  const directory = named(t);
  const openers = await Promise.all([1, 2, 3, 4].map(() => openQueue<string>({ directory })));
  const [first] = openers;
  await Promise.all(
    openers.flatMap((queue, who) => Array.from({ length: 25 }, (_, n) => queue.enqueue(`${who}:${n}`))),
  );
  t.equal(await first?.length(), 100);
  const got = (await Promise.all(openers.map((queue) => queue.dequeueMany(25)))).flat();
  t.equal(new Set(got).size, 100);
  await Promise.all(openers.map((queue) => queue.close()));
});

t.test('what was written is there again for who opens the directory again', async (t) => {
  const directory = named(t);
  const queue = await openQueue<string>({ directory });
  await queue.enqueueMany(['a', 'b']);
  await queue.dequeue();
  await queue.close();
  const again = await openQueue<string>({ directory });
  t.same([await again.length(), await again.dequeue(), await again.enqueue('c')], [1, 'b', 3]);
  await again.close();
  t.equal(removeDirectory(directory), true);
  t.equal(removeDirectory(directory), false);
  const anew = await openQueue<string>({ directory });
  t.same([await anew.length(), await anew.enqueue('x')], [0, 1]);
  await anew.close();
});

t.test('names lead where they would on a disk', async (t) => {
  const directory = named(t);
  const one = await openStore({ directory, filePrefix: 't' });
  const two = await openStore({ directory, filePrefix: 't2' });
  const same = await openStore({ directory: `${directory}/../${directory.slice(1)}/`, filePrefix: 't' });
  await one.write(Uint8Array.of(1));
  t.equal(await two.length(), 0, 'another prefix is another store');
  t.equal(await same.length(), 1, 'another way to say it is the same directory');
  for (const store of [one, two, same]) await store.close();
});

t.test('the disk is not touched', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue({ directory: `${directory}/queue` });
  await queue.enqueue('x');
  await queue.close();
  removeDirectory(`${directory}/queue`);
  t.same(readdirSync(directory), []);
  t.equal(existsSync('/memory-1'), false);
});

t.test('another way of locking is MISMATCH, and one opener may have all', async (t) => {
  const directory = named(t);
  const alone = await openQueue({ directory, locking: 'none' });
  await t.rejects(openQueue({ directory, locking: 'os' }), { code: 'MISMATCH' });
  await t.rejects(openQueue({ directory }), { code: 'LOCK_UNAVAILABLE' });
  await alone.close();
  const lockfiles = { directory: named(t), locking: 'lockfile' } as const;
  const [one, other] = [await openQueue(lockfiles), await openQueue(lockfiles)];
  await one.enqueue('x');
  t.equal(await other.dequeue({ waitMs: 10_000 }), 'x');
  await one.close();
  await other.close();
});

t.test('a wrong option is INVALID_OPTION, as on a disk', async (t) => {
  for (const options of [null, 1, 'directory', { directory: '' }, { directory: 1 }, { directroy: 'x' }]) {
    await t.rejects(openQueue(options as object), { code: 'INVALID_OPTION' });
    await t.rejects(openStore(options as object), { code: 'INVALID_OPTION' });
  }
  t.throws(() => removeDirectory(''), { code: 'INVALID_OPTION' });
});

t.test('a clock that is moved ends waits and leases, and dates what is written', async (t) => {
  const clock = new ManualClock(Date.UTC(2031, 5, 1));
  const directory = named(t);
  const queue = await openQueue<string>({ directory, clock, leaseMs: 60_000 });
  const other = await openQueue<string>({ directory, clock });
  let ended = false;
  const waiting = queue.dequeue({ waitMs: 5000 }).then((value) => {
    ended = true;
    return value;
  });
  await clock.advance(4999);
  t.equal(ended, false);
  await clock.advance(1);
  t.equal(ended, true);
  t.equal(await waiting, undefined);

  const index = await queue.enqueue('x');
  t.same((await queue.store.entry(index))?.time, new Date(Date.UTC(2031, 5, 1) + 5000));
  const delivery = await queue.claim();
  let lost = false;
  delivery?.signal.addEventListener('abort', () => {
    lost = true;
  });
  const next = other.claim({ waitMs: Number.POSITIVE_INFINITY });
  await clock.advance(59_999);
  t.equal(lost, false);
  await clock.advance(1);
  t.equal(lost, true, 'its signal aborts when the lease ends');
  t.same([(await next)?.value, (await next)?.attempt], ['x', 2]);
  await t.rejects(async () => delivery?.ack(), { code: 'LEASE_LOST' });
  await queue.close();
  await other.close();
});

t.test('a day goes by in a moment', async (t) => {
  const clock = new ManualClock();
  const queue = await openQueue<string>({ clock });
  await queue.enqueue('x');
  const delivery = await queue.claim({ leaseMs: 23 * 3_600_000 });
  await clock.advance(86_400_000);
  t.equal((await queue.claim())?.attempt, 2);
  await t.rejects(async () => delivery?.ack(), { code: 'LEASE_LOST' });
  await queue.close();
});
