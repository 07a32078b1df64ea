import { once } from 'node:events';
import t from 'tap';
import { compress, openQueue, openStore } from '../../src/mod.js';
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

t.test('export: a record is a line of JSON', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory, transforms: [compress()] });
  await store.write(Buffer.from('grün 🌲\n\u0000'), { headers: { kind: 'tree' } });
  await store.write(Buffer.from([0xff, 0xfe, 0x00]), { headers: JSON.parse('{"__proto__":"own"}') });
  await store.write(Buffer.alloc(0));
  await store.write(Buffer.from('\ufeffmarked '.repeat(100)));
  const times = await Promise.all([1, 2, 3, 4].map(async (n) => (await store.entry(n))?.time.toISOString()));
  const { code, stdout, stderr } = await durostore(['export', directory]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.same(linesOf(stdout), [
    `{"index":1,"time":"${times[0]}","headers":{"kind":"tree"},"data":"grün 🌲\\n\\u0000"}`,
    `{"index":2,"time":"${times[1]}","headers":{"__proto__":"own"},"base64":"//4A"}`,
    `{"index":3,"time":"${times[2]}","headers":{},"data":""}`,
    `{"index":4,"time":"${times[3]}","headers":{},"data":"${'\ufeffmarked '.repeat(100)}"}`,
  ]);
  const some = await durostore(['export', directory, '--from', '2', '--to', '4', '--json']);
  t.same({ code: some.code, stderr: some.stderr }, { code: 0, stderr: '' });
  t.same(linesOf(some.stdout), linesOf(stdout).slice(1, 3), 'from, and up to but not including');

  await store.delete(3);
  await store.prune(2);
  const rest = await durostore(['export', directory, '--from', '1']);
  t.same(
    { code: rest.code, stderr: rest.stderr },
    { code: 0, stderr: 'durostore: records 1 to 1 are not there any more\n' },
  );
  t.same(linesOf(rest.stdout), [linesOf(stdout)[1], linesOf(stdout)[3]]);
  await store.close();
});

t.test(
  'export: messages of a queue, in the order of their indexes, without what is not theirs',
  async (t) => {
    const directory = await temporaryDirectory(t);
    const queue = await openQueue({ directory });
    await queue.enqueue({ n: 1 }, { headers: { a: 'b' } });
    await queue.enqueue('first in line', { priority: 9, id: 'one', key: 'ada' });
    await queue.close();
    const { code, stdout } = await durostore(['export', directory]);
    t.equal(code, 0);
    t.same(
      jsonLines<Record<string, unknown>>(stdout).map(({ time: _, ...rest }) => rest),
      [
        { index: 1, headers: { a: 'b' }, data: '{"n":1}' },
        { index: 2, headers: {}, data: '"first in line"' },
      ],
    );
  },
);

t.test('export: damaged records are told of, and it goes on behind them', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.writeMany(['one', 'two', 'three', 'four', 'five'].map((text) => Buffer.from(text)));
  await store.close();
  damage(directory, 'two');
  damage(directory, 'five');
  const { code, stdout, stderr } = await durostore(['export', directory]);
  t.equal(code, 1);
  t.same(
    jsonLines<{ index: number; data: string }>(stdout).map(({ index, data }) => [index, data]),
    [
      [1, 'one'],
      [3, 'three'],
      [4, 'four'],
    ],
  );
  t.match(linesOf(stderr), [
    /^durostore: CORRUPT: .*records 2 to 2/,
    /^durostore: CORRUPT: .*records 5 to 5/,
  ]);
  t.equal(linesOf(stderr).length, 2);
  const asJson = await durostore(['export', directory, '--json']);
  t.match(jsonLines(asJson.stderr), [{ error: { code: 'CORRUPT' } }, { error: { code: 'CORRUPT' } }]);
});

t.test('export: a record that is too large for a line', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory, durability: 'written', maxFileSize: 80 * 1024 * 1024 });
  await store.write(Buffer.alloc(64 * 1024 * 1024 + 1, 'x'));
  await store.write(Buffer.from('behind'));
  await store.close();
  const { code, stdout, stderr } = await durostore(['export', directory]);
  t.equal(code, 1);
  t.match(jsonLines(stdout), [{ index: 2, data: 'behind' }]);
  t.equal(linesOf(stdout).length, 1);
  t.match(stderr, /^durostore: RECORD_TOO_LARGE: record 1 has 67,108,865 bytes/);
});

t.test(
  'export: a reader that goes away ends it quietly; one that has no room does not',
  { skip: notLinux || noShell },
  async (t) => {
    const directory = await temporaryDirectory(t);
    const store = await openStore({ directory });
    await store.writeMany(
      Array.from({ length: 3000 }, (_, n) => Buffer.from(`record ${n} ${'x'.repeat(100)}`)),
    );
    await store.close();
    const { code, stdout, stderr } = await shell(t, `durostore export ${directory} | head -1`);
    t.same({ code, stderr }, { code: 0, stderr: '' });
    t.match(jsonLines(stdout), [{ index: 1 }]);
    const full = await shell(t, `durostore export ${directory} > /dev/full`);
    t.equal(full.code, 2);
    t.match(full.stderr, /^durostore: ENOSPC: /);
  },
);

t.test('export: a signal ends it, also where its reader takes no more', { skip: noShell }, async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  for (let n = 0; n < 3; n++) await store.write(Buffer.alloc(1024 * 1024, 'x'));
  await store.close();
  const child = startUnread('export', directory);
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  await until('the pipe is full', () => child.stdout.readableLength >= child.stdout.readableHighWaterMark);
  child.kill('SIGTERM');
  t.same(await exit, [143, null]);
});
