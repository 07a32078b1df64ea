import { join } from 'node:path';
import t from 'tap';
import { osDisk } from '../../src/disk/os.js';
import { startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { diskConformance, read } from './disk-conformance.js';

const isLocked = (message: unknown): message is { locked: boolean } =>
  typeof message === 'object' && message !== null && 'locked' in message;

t.test('conforms', (t) => {
  diskConformance(t, async (t) => ({
    disk: osDisk,
    other: osDisk,
    directory: await temporaryDirectory(t),
  }));
});

t.test('a lock of another process', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'x.lock');
  const file = osDisk.create(path);
  t.teardown(() => file?.close());
  const child = startProgram(t, 'test/disk/lock-child.js', { args: [path] });
  t.same(await child.message(isLocked), { locked: true });
  t.equal(file?.tryLock('exclusive'), false);
  t.equal(file?.tryLock('shared'), false);
  child.pause();
  t.equal(file?.tryLock('shared'), false, 'nobody steals from a process that stands still');
  child.resume();
  const killed = child.kill();
  await until('the lock of the killed process', () => file?.tryLock('exclusive'), 2000);
  await killed;
});

t.test('converting an exclusive lock lets nobody in between', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'x.lock');
  const file = osDisk.create(path);
  t.teardown(() => file?.close());
  t.equal(file?.tryLock('exclusive'), true);
  const child = startProgram(t, 'test/disk/lock-child.js', { args: [path, 'relentlessly'] });
  t.same(await child.message(isLocked), { locked: false });
  for (let round = 0; round < 20_000; round++) {
    if (!file?.tryLock('shared')) return t.fail(`refused in round ${round}`);
    // Held shared by nobody else, this cannot fail for a moment without the lock either.
    file.unlock();
    while (!file.tryLock('exclusive'));
  }
  return t.pass();
});

t.test('a watch', async (t) => {
  const directory = await temporaryDirectory(t);
  await t.test('hears of every append of another process', async (t) => {
    osDisk.create(join(directory, 'log'))?.close();
    const log = osDisk.open(join(directory, 'log'), 'read');
    const waiting = new Map<number, (lateMs: number) => void>();
    let started = false;
    let seen = 0;
    const watch = osDisk.watch(
      directory,
      () => {
        started = true;
        const text = read(log) ?? '';
        seen = text.length;
        for (const [length, heard] of waiting) {
          if (length > seen) continue;
          waiting.delete(length);
          heard(performance.now());
        }
      },
      (error) => t.error(error as Error),
    );
    t.teardown(() => watch.close());
    t.teardown(() => log?.close());
    await until('watching to begin', () => started);
    const child = startProgram(t, 'test/disk/append-child.js', { args: [join(directory, 'log')] });
    await child.line((line) => line === 'ready');
    const late: number[] = [];
    for (let length = 1; length <= 100; length++) {
      const heard = new Promise<number>((resolve) => waiting.set(length, resolve));
      const asked = performance.now();
      child.send('append');
      late.push((await heard) - asked);
    }
    late.sort((a, b) => a - b);
    t.comment(
      `append asked for and heard of: p50 ${late[50]?.toFixed(2)} ms, p99 ${late[99]?.toFixed(2)} ms`,
    );
    t.equal(seen, 100);
    t.ok((late[50] ?? Number.POSITIVE_INFINITY) < 15, 'promptly: not at the pace of chokidar change events');
  });

  await t.test(
    'holds one watch, not one for each file',
    { skip: process.platform !== 'linux' },
    async (t) => {
      for (let number = 0; number < 200; number++) osDisk.create(join(directory, `file-${number}`))?.close();
      const child = startProgram(t, 'test/disk/watch-child.js', { args: [directory] });
      t.equal(await child.line((line) => line.startsWith('inotify')), 'inotify 1');
      t.same(await child.ended(5000), { code: 0, signal: null }, 'and keeps no process alive');
      t.equal(child.stderr, '');
    },
  );

  await t.test('does not list the directory at every notice', async (t) => {
    for (let number = 200; number < 2000; number++) osDisk.create(join(directory, `file-${number}`))?.close();
    let notices = 0;
    const watch = osDisk.watch(
      directory,
      () => {
        notices += 1;
      },
      (error) => t.error(error as Error),
    );
    t.teardown(() => watch.close());
    await until('watching to begin', () => notices > 0);
    const file = osDisk.create(join(directory, 'hot'));
    const before = process.cpuUsage();
    for (let round = 0; round < 100; round++) {
      const heard = notices;
      await until('a notice', () => {
        file?.write(new Uint8Array(1), 0, 1, file.size());
        return notices > heard;
      });
    }
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    t.comment(`100 notices in a directory of 2,000 files: ${cpuMs.toFixed(0)} ms of processor`);
    t.ok(cpuMs < 350, `listing would cost 8 to 14 ms a notice, and this took ${cpuMs} in all`);
    file?.close();
  });
});

t.test('a watch that fails tells so', { skip: process.platform !== 'linux' }, async (t) => {
  const directory = await temporaryDirectory(t);
  const child = startProgram(t, 'test/disk/watch-child.js', { args: [directory, 'starve'] });
  t.match(await child.line((line) => line.startsWith('failed')), /^failed E(MFILE|NFILE|NOSPC)$/);
  t.same(await child.ended(5000), { code: 0, signal: null });
});
