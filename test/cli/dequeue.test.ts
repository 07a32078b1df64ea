import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { osDisk } from '../../src/disk/os.js';
import { openQueue, openStore, type Queue } from '../../src/mod.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import {
  durostore,
  fullPipe,
  jsonLines,
  linesOf,
  noShell,
  notLinux,
  shell,
  start,
  startInto,
  startUnread,
} from './command-line.js';

async function filled(directory: string, values: readonly unknown[]): Promise<Queue<unknown>> {
  const queue = await openQueue<unknown>({ directory });
  await queue.enqueueMany(values);
  return queue;
}

t.test('dequeue', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await filled(directory, ['one', { two: 2 }, 'three', 'four\n', 'five', 'six', 7]);
  const dequeue = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await durostore(['dequeue', directory, ...args]);
    t.same({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
    return stdout;
  };
  t.equal(await dequeue(), 'one\n');
  t.equal(await queue.length(), 6, 'one by default');
  t.equal(await dequeue('--max', '2'), '{"two":2}\nthree\n');
  t.equal(await dequeue('--json-lines'), '"four\\n"\n');
  const time = (await queue.store.entry(5))?.time.toISOString();
  t.same(jsonLines(await dequeue('--json')), [{ index: 5, time, attempt: 1, headers: {}, value: 'five' }]);
  t.same(jsonLines(await dequeue('--json', '--at-most-once')), [{ value: 'six' }]);
  t.equal(await dequeue('--max', '0'), '');
  t.equal(await dequeue('--all'), '7\n');
  t.equal(await dequeue(), '', 'nothing is there, and that is fine');
  t.equal(await queue.length(), 0);
  t.equal(await queue.store.length(), 0, 'all are acknowledged');
  await queue.close();
});

t.test('dequeue: bytes, and what another codec wrote', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.writeMany([Buffer.from('text'), Buffer.from([0xff])]);
  await store.close();
  const other = await durostore(['dequeue', directory]);
  t.same({ code: other.code, stdout: other.stdout }, { code: 2, stdout: '' });
  t.match(other.stderr, /\ndurostore: CODEC: record 1 was written by the codec 'bytes'/);
  const bytes = await durostore(['dequeue', directory, '--codec', 'bytes', '--all', '--json']);
  t.match(jsonLines(bytes.stdout), [
    { index: 1, value: 'text' },
    { index: 2, base64: '/w==' },
  ]);
});

t.test('dequeue: waits, and follows', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await filled(directory, []);
  t.same(await durostore(['dequeue', directory, '--wait', '20']), { code: 0, stdout: '', stderr: '' });
  const one = start(t, 'dequeue', directory, '--wait', '60000');
  await queue.enqueue('for the one that waits');
  t.same(await one.ended(), { code: 0, signal: null });
  t.equal(one.stdout, 'for the one that waits\n');

  const follower = start(t, 'dequeue', directory, '--follow');
  for (let n = 0; n < 250; n++) await queue.enqueue(`message ${n}`);
  await follower.line((line) => line === 'message 249');
  await until('all are acknowledged', async () => (await queue.store.length()) === 0);
  process.kill(follower.pid, 'SIGTERM');
  t.same(await follower.ended(), { code: 0, signal: null });
  t.same(
    linesOf(follower.stdout),
    Array.from({ length: 250 }, (_, n) => `message ${n}`),
  );
  const { code } = await durostore(['dequeue', directory, '--follow', '--wait', '20']);
  t.equal(code, 0, 'following ends when nothing comes for so long');
  await queue.close();
});

t.test('dequeue: what could not be printed stays', { skip: notLinux }, async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await filled(directory, ['one', 'two', 'three']);
  const { code, stderr } = await shell(t, `durostore dequeue ${directory} --all > /dev/full`);
  t.equal(code, 2);
  t.match(stderr, /^durostore: ENOSPC: /);
  t.same(await queue.peekMany(10), ['one', 'two', 'three'], 'at its place in line');
  const lost = await shell(t, `durostore dequeue ${directory} --at-most-once > /dev/full`);
  t.equal(lost.code, 2);
  t.same(await queue.peekMany(10), ['two', 'three'], 'unless it was to be removed before');
  await queue.close();
});

t.test('dequeue: a reader that went away, or takes no more, gets no more', { skip: noShell }, async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await filled(
    directory,
    Array.from({ length: 5 }, (_, n) => `${n} ${'x'.repeat(1_000_000)}`),
  );
  const gone = await shell(
    t,
    `{ exec 3>&1; durostore dequeue ${directory} --all; echo "code $?" >&3; } | true`,
  );
  t.same({ stdout: gone.stdout, stderr: gone.stderr }, { stdout: '', stderr: '' });
  t.equal(await queue.length(), 5, 'no pipe takes a whole message, so none was handed over');

  const child = startUnread('dequeue', directory, '--all');
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  await until('the pipe is full', () => child.stdout.readableLength >= child.stdout.readableHighWaterMark);
  t.equal((await queue.stats()).claimed, 1, 'large messages are taken one at a time');
  child.kill('SIGINT');
  t.same(await exit, [130, null]);
  t.equal(await queue.length(), 5, 'all are back in line');
  await queue.close();
});

t.test('dequeue: is acknowledged when the system has it, not before', { skip: notLinux }, async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await filled(directory, ['one']);
  const pipe = await fullPipe(t);
  const child = startInto(pipe, 'dequeue', directory);
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  await until('it has claimed the message', async () => (await queue.stats()).claimed === 1);
  child.kill('SIGINT');
  t.same(await exit, [130, null]);
  t.same(await queue.peekMany(2), ['one']);
  await queue.close();
});

t.test(
  'dequeue: at most once loses one message when it is interrupted, and no more',
  { skip: notLinux },
  async (t) => {
    const directory = await temporaryDirectory(t);
    const queue = await filled(
      directory,
      Array.from({ length: 50 }, (_, n) => `${n}`),
    );
    const pipe = await fullPipe(t);
    const child = startInto(pipe, 'dequeue', directory, '--all', '--at-most-once');
    t.teardown(() => child.kill('SIGKILL'));
    const exit = once(child, 'exit');
    await until('it has taken a message', async () => (await queue.length()) < 50);
    child.kill('SIGINT');
    t.same(await exit, [130, null]);
    t.equal(await queue.length(), 49);
    await queue.close();
  },
);

t.test('dequeue: what is claimed when it is interrupted comes back', { skip: notLinux }, async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await filled(directory, ['one']);
  const follower = start(t, 'dequeue', directory, '--follow');
  await follower.line((line) => line === 'one');
  await until('it is acknowledged', async () => (await queue.store.length()) === 0);
  // Nobody claims anything while this one is in.
  const options = resolveStoreOptions({ directory, indexer: false }, new Set());
  const holder = await Engine.open(osDisk, options);
  await holder.locks.fate.enter();
  await queue.enqueue('two');
  await until('it waits in line to claim it', () => isHeld(join(directory, 'duro.fate.turn.lock')));
  process.kill(follower.pid, 'SIGINT');
  await until('it was told', () => signalsPending(follower.pid) === 0n);
  holder.locks.fate.leave();
  t.same(await follower.ended(), { code: 0, signal: null });
  // The lock may have been free before it was told.
  const printed = linesOf(follower.stdout).slice(1);
  t.same([...printed, ...(await queue.peekMany(2))], ['two'], 'printed or in line');
  await holder.close();
  await queue.close();
});

function isHeld(path: string): boolean {
  const file = osDisk.open(path, 'write');
  try {
    return file?.tryLock('exclusive') === false;
  } finally {
    file?.close();
  }
}

/** Signals that were sent and have not reached it. */
function signalsPending(pid: number): bigint {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, thread = '0', all = '0'] = /SigPnd:\s*(\w+)\s*ShdPnd:\s*(\w+)/.exec(status) ?? [];
  return BigInt(`0x${thread}`) | BigInt(`0x${all}`);
}
