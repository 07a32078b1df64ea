import t from 'tap';
import { openQueue, openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { durostore, linesOf } from './command-line.js';

t.test('stats tells what stats() does, while others have the queue open', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, filePrefix: 'mail' });
  await queue.enqueueMany(['one', 'two', 'three', 'four']);
  await queue.dequeue();
  await queue.claim();
  await queue.enqueue('much later', { delayMs: 3_600_000 });
  await queue.enqueueMany(['hopeless', 'hopeless, too'], { front: true });
  for (const delivery of await queue.claimMany(2)) await delivery.reject('no');
  // How far the device has got is known to each opener for itself.
  const { oldestAgeMs: _, syncedIndex: __, ...known } = await queue.stats();

  const asJson = await durostore(['stats', directory, '--prefix', 'mail', '--json']);
  t.same({ code: asJson.code, stderr: asJson.stderr }, { code: 0, stderr: '' });
  const { oldestAgeMs, syncedIndex, ...told } = JSON.parse(asJson.stdout) as Record<string, unknown>;
  t.same(told, { directory, filePrefix: 'mail', ...known });
  t.equal(typeof syncedIndex, 'number');
  t.ok(typeof oldestAgeMs === 'number' && oldestAgeMs >= 0);

  const { code, stdout, stderr } = await durostore(['stats', directory, '--prefix', 'mail']);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  const rows = linesOf(stdout).map((line) => line.split(/ {2,}/));
  t.same(
    Object.fromEntries(
      rows.filter(([name = '']) => !/bytes|age|synced/i.test(name)).map((row) => row.slice(0, 2)),
    ),
    {
      length: '6',
      waiting: '2',
      claimed: '1',
      delayed: '1',
      dead: '2',
      firstIndex: '2',
      nextIndex: '8',
      files: '1',
      lost: '0',
      cuts: '0',
    },
  );
  await queue.close();
});

t.test('a store made with other options, and what keeps its files', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory, maxFileSize: 300 });
  for (let n = 0; n < 5; n++) await store.write(Buffer.alloc(100));
  await store.close();
  const { code, stdout } = await durostore(['stats', directory]);
  t.equal(code, 0);
  const [, pins = ''] = stdout.split('\n\n');
  t.match(linesOf(pins)[0], /^KEPT FILE +FOR RECORD +WHICH IS$/);
  t.match(linesOf(pins)[1], /^duro_00000000000000000001\.dat +1 +waiting$/);
});

t.test('a directory that somebody has for himself', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory, locking: 'none' });
  const { code, stdout, stderr } = await durostore(['stats', directory]);
  t.same({ code, stdout }, { code: 2, stdout: '' });
  t.match(stderr, /^durostore: LOCK_UNAVAILABLE: /);
  await store.close();
});

t.test('who looks gives up no message of a program that allows more attempts than usual', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, durability: 'written', maxAttempts: 100 });
  await queue.enqueue('one');
  for (let n = 1; n <= 10; n++) await (await queue.claim())?.nack();
  const { stdout } = await durostore(['stats', directory, '--json']);
  t.match(JSON.parse(stdout), { waiting: 1, dead: 0 });
  t.match(await queue.claim(), { attempt: 11 });
  await queue.close();
});
