import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openQueue, openStore, repair, systemClock } from '../../src/mod.js';
import { range } from '../store/records.js';
import { plainNode } from '../support/processes.js';
import { compiled } from '../support/repository.js';
import { smallFileSystem, whyNoSmallFileSystem } from '../support/small-file-system.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import {
  durostore,
  fullPipe,
  jsonLines,
  linesOf,
  MAIN,
  noShell,
  notLinux,
  shell,
  startInto,
} from './command-line.js';

async function waiting(directory: string, codec: 'json' | 'bytes' = 'json'): Promise<unknown[]> {
  const queue = await openQueue<unknown>({ directory, codec });
  const values = await queue.peekMany(Number.POSITIVE_INFINITY);
  await queue.close();
  return values;
}

t.test('enqueue: values', async (t) => {
  const directory = join(await temporaryDirectory(t), 'new', 'store');
  t.same(await durostore(['enqueue', directory, 'one', '', 'drei 🌲']), {
    code: 0,
    stdout: '1\n2\n3\n',
    stderr: '',
  });
  t.same(await durostore(['enqueue', directory, '--json', '--', '--four']), {
    code: 0,
    stdout: '{"index":4}\n',
    stderr: '',
  });
  const json = ['enqueue', directory, '--json-lines', '-q', '{"a":[1,null]}', '"text"', '5'];
  t.same(await durostore(json), { code: 0, stdout: '', stderr: '' });
  t.same(await waiting(directory), ['one', '', 'drei 🌲', '--four', { a: [1, null] }, 'text', 5]);

  const headers = ['--header', 'kind=mail', '--header', 'to=a=b', '--durability', 'written'];
  t.equal((await durostore(['enqueue', directory, 'with headers', ...headers])).stdout, '8\n');
  const store = await openStore({ directory });
  t.same((await store.entry(8))?.headers, { kind: 'mail', to: 'a=b' });
  await store.close();
});

t.test('enqueue: a place in line', async (t) => {
  const directory = await temporaryDirectory(t);
  const enqueue = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await durostore(['enqueue', directory, '-q', ...args]);
    t.same({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
  };
  await enqueue('plain');
  await enqueue('high', 'high, too', '--priority', '9');
  await enqueue('front', 'front, too', '--front');
  await enqueue('later', '--delay', '3600000');
  await enqueue('keyed', 'keyed, too', '--key', 'ada');
  const queue = await openQueue<string>({ directory });
  const claimed = await queue.claimMany(20);
  t.same(
    claimed.map(({ value }) => value),
    ['high', 'high, too', 'front', 'front, too', 'plain', 'keyed'],
  );
  t.match(await queue.stats(), { delayed: 1 });
  await claimed.at(-1)?.ack();
  t.match(await queue.claim(), { value: 'keyed, too' }, 'one of a key at a time');
  await queue.close();
});

t.test('enqueue: an id', async (t) => {
  const cwd = await temporaryDirectory(t);
  const once = ['enqueue', 'q', '--id', 'order 7'];
  const first = await durostore([...once, 'pay'], { cwd });
  t.same(first, { code: 0, stdout: '1\n', stderr: '' });
  t.same(await durostore([...once, 'pay again'], { cwd }), first, 'the index that it got first');
  t.same(await durostore(once, { cwd, input: 'by line\n' }), first);
  t.same(await durostore([...once.slice(0, 3), 'order 8', 'pay'], { cwd }), { ...first, stdout: '2\n' });
  t.same(await waiting(join(cwd, 'q')), ['pay', 'pay'], 'stored once');
  const forgotten = await durostore([...once, '--id-window', '0', 'pay anew'], { cwd });
  t.same(forgotten, { ...first, stdout: '3\n' });

  const several = ['enqueue', 'never', '--id', 'several'];
  const lines = await durostore(several, { cwd, input: 'one\ntwo\n' });
  t.same({ code: lines.code, stdout: lines.stdout }, { code: 2, stdout: '' });
  t.match(lines.stderr, /^durostore: option '--id <id>' is for one line, and there are several\n/);
  t.notOk(existsSync(join(cwd, 'never')), 'nothing was written');
});

t.test('who adds or takes forgets no id that a program remembers for longer', async (t) => {
  const directory = await temporaryDirectory(t);
  const agoMs = 3_600_000;
  const clock = {
    ...systemClock,
    now: () => systemClock.now() - agoMs,
    monotonic: () => systemClock.monotonic(),
  };
  const options = { directory, maxFileSize: 4096, deduplication: { windowMs: 2 * agoMs } };
  const before = await openQueue<string>({ ...options, clock });
  t.equal(await before.enqueue('once', { id: 'order 7' }), 1);
  for (let n = 0; n < 8; n++) await before.enqueue('x'.repeat(1000));
  await before.close();
  const { code, stderr } = await durostore(['dequeue', directory, '--all']);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  await durostore(['enqueue', directory, 'last', '-q']);
  t.notOk(existsSync(join(directory, 'duro_00000000000000000001.dat')), 'its segment has gone');
  const queue = await openQueue<string>(options);
  t.equal(await queue.enqueue('once more', { id: 'order 7' }), 1);
  await queue.close();
});

/** Everything that a line can be. */
const LINES = Array.from({ length: 10_000 }, (_, n) => {
  const forms = [
    '',
    '\r',
    `line ${n}`,
    `ünï ${n} 🌲\u2028\u2029`,
    '\ufeff',
    `\u0000\t${n}\r`,
    ' ',
    'x'.repeat(n % 700),
  ];
  return forms[n % forms.length] ?? '';
});

t.test('lines go through a queue as they are', { skip: noShell }, async (t) => {
  const cwd = await temporaryDirectory(t);
  const input = LINES.join('\n');
  writeFileSync(join(cwd, 'in'), input);
  const piped = await shell(t, 'cat in | durostore enqueue q > indexes; durostore dequeue q --all > out', {
    cwd,
  });
  t.same(piped, { code: 0, stdout: '', stderr: '' });
  t.ok(readFileSync(join(cwd, 'out'), 'utf8') === `${input}\n`, 'byte for byte, the last one with a newline');
  t.same(
    linesOf(readFileSync(join(cwd, 'indexes'), 'utf8')),
    LINES.map((_, at) => String(at + 1)),
  );

  const both =
    'durostore enqueue r -q < in; durostore dequeue r --all --json-lines | durostore enqueue s --json-lines | tail -1';
  t.same(await shell(t, both, { cwd }), { code: 0, stdout: '10000\n', stderr: '' }, 'from queue to queue');
  t.same(await waiting(join(cwd, 's')), LINES);
});

t.test('bytes go through a queue as they are', { skip: noShell }, async (t) => {
  const cwd = await temporaryDirectory(t);
  const bytes = Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7919) % 256));
  writeFileSync(join(cwd, 'in'), bytes);
  const script = 'durostore enqueue q -q --codec bytes < in && durostore dequeue q --all --codec bytes > out';
  t.same(await shell(t, script, { cwd }), { code: 0, stdout: '', stderr: '' });
  t.ok(readFileSync(join(cwd, 'out')).equals(Buffer.concat([bytes, Buffer.from('\n')])));
});

t.test('enqueue: what is no message ends it, and what stands before it is enqueued', async (t) => {
  const directory = await temporaryDirectory(t);
  const input = Buffer.concat([Buffer.from('one\ntwo\n'), Buffer.from([0xff, 0x0a]), Buffer.from('four\n')]);
  const { code, stdout, stderr } = await durostore(['enqueue', directory], { input });
  t.same({ code, stdout }, { code: 2, stdout: '1\n2\n' });
  t.same(linesOf(stderr), [
    'durostore: 2 lines were enqueued, the last as index 2',
    "durostore: INVALID_VALUE: line 3 is not UTF-8, which the codec 'json' cannot hold. Correct it, or use --codec bytes",
  ]);
  const json = await durostore(['enqueue', directory, '--json-lines', '--json'], {
    input: '{"a":1}\n{"a":\n',
  });
  t.same({ code: json.code, stdout: json.stdout }, { code: 2, stdout: '{"index":3}\n' });
  const [told, error] = jsonLines<Record<string, unknown>>(json.stderr);
  t.same(told, { enqueued: { count: 1, lastIndex: 3 } });
  t.match(error, { error: { code: 'INVALID_VALUE', message: /^line 2 is not JSON: / } });
  t.same(await waiting(directory), ['one', 'two', { a: 1 }]);
});

t.test('enqueue: no room', async (t) => {
  const directory = await temporaryDirectory(t);
  const bounds = ['--max-files', '1', '--max-file-size', '4096'];
  // Each line comes in a batch of its own, so that some fit.
  const child = spawnEnqueue(directory, ...bounds);
  t.teardown(() => child.kill('SIGKILL'));
  let acknowledged = 0;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.write(`${'x'.repeat(1000)}\n`);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    acknowledged += linesOf(chunk).length;
    child.stdin.write(`${'x'.repeat(1000)}\n`);
  });
  t.same(await once(child, 'close'), [2, null]);
  t.equal(acknowledged, 3);
  t.match(linesOf(stderr), [
    'durostore: 3 lines were enqueued, the last as index 3',
    /^durostore: STORE_FULL: .*maxFiles/,
  ]);
  t.equal((await waiting(directory)).length, acknowledged);
});

t.test('enqueue: a full disk', { skip: whyNoSmallFileSystem() ?? false }, async (t) => {
  const directory = await smallFileSystem(t, 1024 * 1024);
  const input = `${'x'.repeat(1000)}\n`.repeat(3000);
  const { code, stdout, stderr } = await durostore(['enqueue', directory], { input });
  t.equal(code, 2);
  const told = linesOf(stdout).length;
  t.match(linesOf(stderr), [
    new RegExp(`^durostore: ${told} lines were enqueued`),
    /^durostore: DISK_FULL: /,
  ]);
  t.equal((await waiting(directory)).length, told, 'what was told is there, and nothing else');
});

t.test('enqueue: lines that fit into a file, though not together', async (t) => {
  const directory = await temporaryDirectory(t);
  const input = `${'x'.repeat(1000)}\n`.repeat(20);
  const bounds = ['--max-file-size', '4096'];
  const { code, stdout, stderr } = await durostore(['enqueue', directory, ...bounds], { input });
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.same(linesOf(stdout).map(Number), range(1, 20));
  const large = await durostore(['enqueue', directory, ...bounds], {
    input: `small\n${'x'.repeat(5000)}\nlast\n`,
  });
  t.same({ code: large.code, stdout: large.stdout }, { code: 2, stdout: '21\n' });
  t.match(linesOf(large.stderr), [/^durostore: 1 line was enqueued/, /^durostore: RECORD_TOO_LARGE: /]);
});

t.test('enqueue: a signal ends it behind what was acknowledged', async (t) => {
  const directory = await temporaryDirectory(t);
  const child = spawnEnqueue(directory);
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.write('one\ntwo\nhalf a l');
  const [indexes] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  child.kill('SIGINT');
  t.same(await once(child, 'close'), [130, null], 'its input is still open');
  t.equal(indexes, '1\n2\n');
  t.equal(stderr, 'durostore: 2 lines were enqueued, the last as index 2\n');
  t.same(await waiting(directory), ['one', 'two']);
});

t.test('a signal ends it where nothing is left to do but to print', { skip: notLinux }, async (t) => {
  const directory = await temporaryDirectory(t);
  const child = startInto(await fullPipe(t), 'enqueue', directory, 'one');
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const closed = () =>
    repair({ directory }).then(
      ({ records }) => records === 1,
      () => false,
    );
  await until('it has closed the store', closed);
  child.kill('SIGINT');
  t.same(await exit, [130, null]);
});

t.test('enqueue: a reader of indexes that goes away stops nothing', { skip: noShell }, async (t) => {
  const cwd = await temporaryDirectory(t);
  const script = 'seq 1 100000 | durostore enqueue q | head -1';
  t.same(await shell(t, script, { cwd }), { code: 0, stdout: '1\n', stderr: '' });
  const queue = await openQueue({ directory: join(cwd, 'q') });
  t.equal(await queue.length(), 100_000);
  await queue.close();
});

function spawnEnqueue(directory: string, ...args: string[]) {
  const [command, nodeArgs] = plainNode([join(compiled, MAIN), 'enqueue', directory, ...args]);
  return spawn(command, nodeArgs, { stdio: 'pipe' });
}
