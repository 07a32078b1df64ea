import { once } from 'node:events';
import t from 'tap';
import { openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import {
  damage,
  durostore,
  jsonLines,
  linesOf,
  noShell,
  notLinux,
  shell,
  startUnread,
} from './command-line.js';

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

t.test('dump: forms', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.write(Buffer.from('grün 🌲'), { headers: { kind: 'tree', 'a\u009b': 'b' } });
  await store.write(Buffer.from('two\nlines\tand \u001b[31m a colour\u0000'));
  await store.write(Buffer.from([0xff, 0xfe, 0x00]));
  await store.write(Buffer.alloc(0));
  const times = await Promise.all([1, 2, 3, 4].map(async (n) => (await store.entry(n))?.time.toISOString()));
  const dump = (...args: string[]) => durostore(['dump', directory, ...args]);

  const lines = await dump();
  t.same({ code: lines.code, stderr: lines.stderr }, { code: 0, stderr: '' });
  t.same(lines.stdout.match(TIME), times);
  t.equal(
    lines.stdout.replace(TIME, 'TIME'),
    [
      '1\tTIME\t10\t{"kind":"tree","a\\u009b":"b"}\tgrün 🌲\n',
      '2\tTIME\t29\t-\ttwo\\nlines\\tand \\u001b[31m a colour\\u0000\n',
      '3\tTIME\t3\t-\thex:fffe00\n',
      '4\tTIME\t0\t-\t\n',
    ].join(''),
  );
  t.same(jsonLines((await dump('--json')).stdout), [
    { index: 1, time: times[0], size: 10, headers: { kind: 'tree', 'a\u009b': 'b' }, data: 'grün 🌲' },
    { index: 2, time: times[1], size: 29, headers: {}, data: 'two\nlines\tand \u001b[31m a colour\u0000' },
    { index: 3, time: times[2], size: 3, headers: {}, base64: '//4A' },
    { index: 4, time: times[3], size: 0, headers: {}, data: '' },
  ]);
  t.equal((await dump('--data-only', '--limit', '1')).stdout, 'grün 🌲\n');
  t.equal((await dump('--raw', '--to', '3')).stdout, 'grün 🌲two\nlines\tand \u001b[31m a colour\u0000');
  t.same(
    linesOf((await dump('--from', '2', '--to', '4')).stdout).map((line) => line[0]),
    ['2', '3'],
    'from, and up to but not including',
  );
  t.equal((await dump('--limit', '0')).stdout, '');

  await store.prune(3);
  const gap = await dump('--from', '1');
  t.same(
    { code: gap.code, stderr: gap.stderr },
    { code: 0, stderr: 'durostore: records 1 to 2 are not there any more\n' },
  );
  const gapInJson = await dump('--from', '1', '--json');
  t.same(jsonLines(gapInJson.stderr), [{ gap: { from: 1, to: 3 } }]);
  await store.close();
});

t.test('dump: damaged records are told of and passed over', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.writeMany(['one', 'two', 'three', 'four', 'five'].map((text) => Buffer.from(text)));
  await store.close();
  damage(directory, 'two');
  damage(directory, 'four');
  const { code, stdout, stderr } = await durostore(['dump', directory, '--data-only']);
  t.same({ code, stdout }, { code: 1, stdout: 'one\nthree\nfive\n' });
  t.equal(linesOf(stderr).length, 2);
  t.match(linesOf(stderr)[0], /^durostore: CORRUPT: .*records 2 to 2/);
  t.match(linesOf(stderr)[1], /^durostore: CORRUPT: .*records 4 to 4/);
  const asJson = await durostore(['dump', directory, '--json', '--limit', '2']);
  t.equal(asJson.code, 1);
  t.same(
    jsonLines<{ index: number }>(asJson.stdout).map(({ index }) => index),
    [1, 3],
    'the limit counts what is printed',
  );
  t.match(jsonLines(asJson.stderr), [{ error: { code: 'CORRUPT' } }]);
});

t.test('dump: while others write', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory, durability: 'written', maxFileSize: 65536 });
  await store.writeMany(Array.from({ length: 500 }, () => Buffer.from('there before')));
  let writing = true;
  const work = (async () => {
    while (writing) await store.write(Buffer.alloc(200, 'x'));
  })();
  // It ends although they never do: the writer is as fast as the reader.
  const known = 500;
  const { code, stdout, stderr } = await durostore(['dump', directory, '--limit', '2000']);
  writing = false;
  await work;
  t.same({ code, stderr }, { code: 0, stderr: '' });
  const indexes = linesOf(stdout).map((line) => Number(line.split('\t')[0]));
  t.ok(indexes.length >= known);
  t.ok(
    indexes.every((index, at) => index === at + 1),
    'all, in order',
  );
  await store.close();
});

t.test('dump: a reader that goes away ends it quietly', { skip: noShell }, async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  for (let n = 0; n < 5; n++)
    await store.writeMany(
      Array.from({ length: 1000 }, (_, at) => Buffer.from(`record ${n * 1000 + at} ${'x'.repeat(100)}`)),
    );
  await store.close();
  const { code, stdout, stderr } = await shell(t, `durostore dump ${directory} --data-only | head -1`);
  t.same({ code, stdout, stderr }, { code: 0, stdout: `record 0 ${'x'.repeat(100)}\n`, stderr: '' });
});

t.test('dump: output that cannot be written is an error', { skip: notLinux }, async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.write(Buffer.from('one'));
  await store.close();
  const { code, stderr } = await shell(t, `durostore dump ${directory} > /dev/full`);
  t.equal(code, 2);
  t.match(stderr, /^durostore: ENOSPC: /);
});

t.test('dump: a signal ends it, also where its reader takes no more', { skip: noShell }, async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  for (let n = 0; n < 10; n++) await store.write(Buffer.alloc(1024 * 1024, 'x'));
  await store.close();
  const child = startUnread('dump', directory);
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  await until('the pipe is full', () => child.stdout.readableLength >= child.stdout.readableHighWaterMark);
  child.kill('SIGINT');
  t.same(await exit, [130, null]);
});
