import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openQueue, verify } from '../../src/mod.js';
import { type Program, startProgram } from '../support/processes.js';
import { smallFileSystem, whyNoSmallFileSystem } from '../support/small-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import type { Orders } from './child.js';
import type { Attempt } from './nobody-child.js';

const NOBODY = 65534;
const RECORDS = 6;
const isRoot = process.getuid?.() === 0;
const isReady = (message: unknown): message is { ready: true } =>
  typeof message === 'object' && message !== null && 'ready' in message;
const isAttempt = (message: unknown): message is { attempt: Attempt } =>
  typeof message === 'object' && message !== null && 'attempt' in message;

for (const locking of ['os', 'lockfile'] as const) {
  const options = { locking, maxFileSize: 512, durability: 'written' } as const;

  /** A user without rights, who tries what it can do in directories. */
  const startNobody = async (t: Test): Promise<(directory: string) => Promise<Attempt>> => {
    const scratch = await temporaryDirectory(t);
    const orders: Orders = { directory: scratch, options };
    const program: Program = startProgram(t, 'test/processes/nobody-child.js', {
      args: [JSON.stringify(orders)],
    });
    await program.message(isReady);
    return async (directory) => {
      program.send(directory);
      return (await program.message(isAttempt)).attempt;
    };
  };

  /** A store of several segments; returns the path of its directory. */
  const makeStore = async (directory: string): Promise<string> => {
    mkdirSync(directory);
    const queue = await openQueue<string>({ ...options, directory });
    for (let n = 1; n <= RECORDS; n++) await queue.enqueue(`message ${n} ${'x'.repeat(100)}`);
    await queue.close();
    return directory;
  };

  const give = (directory: string): void => {
    for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))])
      chownSync(path, NOBODY, NOBODY);
  };

  t.test(
    `who has no rights is told, and changes nothing: ${locking}`,
    { skip: !isRoot && 'becoming another user takes root' },
    async (t) => {
      const home = await temporaryDirectory(t);
      chmodSync(home, 0o755);
      const tryIn = await startNobody(t);
      const whole = `ok, ${RECORDS} records`;
      const refused = {
        opened: 'LOCK_UNAVAILABLE',
        message: /EACCES.*Give this user the right to/,
        taken: '',
      };

      const others = await makeStore(join(home, 'others'));
      t.match(await tryIn(others), { ...refused, verified: whole }, 'another one’s: it can be verified');
      chmodSync(others, 0o000);
      t.match(await tryIn(others), { ...refused, verified: 'STORE_FAILED' }, 'nor that');
      chmodSync(others, 0o755);
      t.match(await tryIn(join(home, 'missing')), { ...refused, verified: 'INVALID_OPTION' }, 'none there');

      const own = await makeStore(join(home, 'own'));
      give(own);
      const first = join(own, readdirSync(own).find((name) => name.endsWith('.dat')) ?? 'none');
      for (const path of [join(own, 'duro.meta'), join(own, 'duro.fate.1'), first]) {
        chmodSync(path, 0o000);
        t.match(await tryIn(own), { ...refused, verified: 'STORE_FAILED' }, path);
        chmodSync(path, 0o644);
      }
      if (locking === 'os') {
        chmodSync(join(own, 'duro.write.lock'), 0o000);
        t.match(await tryIn(own), { ...refused, verified: whole }, 'a lock file');
        chmodSync(join(own, 'duro.write.lock'), 0o644);
      }
      const last = join(own, readdirSync(own).findLast((name) => name.endsWith('.dat')) ?? 'none');
      chmodSync(last, 0o444);
      t.match(
        await tryIn(own),
        { opened: 'open', taken: 'STORE_FAILED', verified: whole },
        'the end can be read, not written',
      );
      chmodSync(last, 0o644);
      const taken = /^message 1 /;
      t.match(await tryIn(own), { opened: 'open', taken, verified: whole }, 'with all rights it goes on');

      const queue = await openQueue<string>({ directory: others, locking });
      t.equal(await queue.length(), RECORDS, 'nothing was changed');
      await queue.close();
    },
  );

  t.test(
    `in a directory that nothing can be created in: ${locking}`,
    { skip: !isRoot && 'becoming another user takes root' },
    async (t) => {
      const home = await temporaryDirectory(t);
      chmodSync(home, 0o755);
      const tryIn = await startNobody(t);
      const own = await makeStore(join(home, 'own'));
      give(own);
      chmodSync(own, 0o555);
      t.match(
        await tryIn(own),
        locking === 'os'
          ? // There is no room in the last file, and no other can be begun.
            { opened: 'open', taken: 'STORE_FAILED', verified: `ok, ${RECORDS} records` }
          : { opened: 'LOCK_UNAVAILABLE', message: /EACCES.*Give this user the right to/ },
      );
      chmodSync(own, 0o755);
      const queue = await openQueue<string>({ directory: own, locking });
      t.equal((await queue.flush()).length, RECORDS, 'all are there');
      await queue.close();
    },
  );

  t.test(
    `on a file system that is read-only: ${locking}`,
    { skip: whyNoSmallFileSystem() ?? false },
    async (t) => {
      const mounted = await smallFileSystem(t, 1024 * 1024);
      const directory = await makeStore(join(mounted, 'store'));
      const remount = (how: 'ro' | 'rw'): void => {
        const { status, stderr } = spawnSync('mount', ['-o', `remount,${how}`, mounted], {
          encoding: 'utf8',
        });
        if (status !== 0) throw new Error(stderr);
      };
      remount('ro');
      await t.rejects(openQueue({ directory, locking }), {
        code: 'LOCK_UNAVAILABLE',
        message: /EROFS.*Give this user the right to/,
      });
      await t.rejects(openQueue({ directory: join(mounted, 'new'), locking }), { code: 'LOCK_UNAVAILABLE' });
      t.match(await verify({ directory }), { ok: true, records: RECORDS });
      remount('rw');
      const queue = await openQueue<string>({ directory, locking });
      t.equal((await queue.flush()).length, RECORDS);
      await queue.close();
    },
  );
}
