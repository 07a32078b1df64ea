import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Importing, type Incoming } from '../../src/cli/importing.js';
import type { Session } from '../../src/cli/session.js';
import { type Entry, openQueue, openStore, type Queue, type Store } from '../../src/mod.js';
import { plainNode } from '../support/processes.js';
import { random } from '../support/random.js';
import { compiled } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { durostore, jsonLines, linesOf, MAIN, noShell, shell } from './command-line.js';

async function allOf(store: Store): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of store.entries()) entries.push(entry);
  return entries;
}

async function entriesIn(directory: string): Promise<Entry[]> {
  const store = await openStore({ directory });
  const entries = await allOf(store);
  await store.close();
  return entries;
}

const contents = (entries: readonly Entry[]): unknown[] =>
  entries.map(({ data, headers }) => [Buffer.from(data).toString('base64'), Object.entries(headers)]);

t.test('what is exported comes in as it was, behind what is there', { skip: noShell }, async (t) => {
  const cwd = await temporaryDirectory(t);
  const draw = random(t);
  const store = await openStore({ directory: join(cwd, 'from'), durability: 'written' });
  const headers = [{}, { a: 'b', c: 'd' }, { c: 'd', a: 'b' }, { 'ü\ud800': '\u0000"\u2028' }];
  const texts = ['', '\n', '\r', 'plain', 'grün 🌲\u2028', '\ufeffmark', '{"n":1}', '\u0000\u001b'];
  for (let n = 0; n < 3000; n++) {
    const text = texts[n % 8] ?? '';
    const data = n % 3 === 0 ? draw.bytes(n % 400) : Buffer.from(text);
    await store.write(data, { headers: headers[(n >> 3) % 4] });
  }
  await store.delete([7, 8, 3000]);
  await store.close();
  const before = await openStore({ directory: join(cwd, 'to') });
  await before.write(Buffer.from('there before'));
  await before.close();
  const copied = await shell(t, 'durostore export from | durostore import to', { cwd });
  t.same(copied, { code: 0, stdout: '2997\n', stderr: '' });
  const [first, ...rest] = await entriesIn(join(cwd, 'to'));
  t.equal(Buffer.from(first?.data ?? []).toString(), 'there before');
  const source = await entriesIn(join(cwd, 'from'));
  t.equal(source.length, 2997);
  t.strictSame(contents(rest), contents(source));
  t.same(
    rest.map(({ index }) => index),
    source.map((_, at) => at + 2),
    'the indexes are new',
  );
  const exported = await shell(t, 'durostore export from > lines; durostore import again lines --json', {
    cwd,
  });
  t.same(exported, { code: 0, stdout: '{"imported":2997,"lastIndex":2997}\n', stderr: '' });
  t.strictSame(contents(await entriesIn(join(cwd, 'again'))), contents(source), 'from a file');
  const dumped = await shell(t, 'durostore dump from --json --limit 5 | durostore import dumped', { cwd });
  t.same(dumped, { code: 0, stdout: '5\n', stderr: '' }, 'what dump prints is taken, too');
});

t.test('import: messages of a queue', { skip: noShell }, async (t) => {
  const cwd = await temporaryDirectory(t);
  const values = ['text', { a: [1, null] }, 5, { 2: 'b', 1: 'a' }];
  const queue = await openQueue<unknown>({ directory: join(cwd, 'from') });
  for (const [n, value] of values.entries()) await queue.enqueue(value, { headers: { n: String(n) } });
  await queue.close();
  const copied = await shell(t, 'durostore export from | durostore import to --codec json', { cwd });
  t.same(copied, { code: 0, stdout: '4\n', stderr: '' });
  const to = await openQueue<unknown>({ directory: join(cwd, 'to') });
  t.same(await to.peekMany(10), values);
  await to.close();
  t.strictSame(contents(await entriesIn(join(cwd, 'to'))), contents(await entriesIn(join(cwd, 'from'))));
  const bad = await durostore(['import', join(cwd, 'to'), '--codec', 'json'], {
    input: '{"data":"1"}\n{"data":"not JSON"}\n{"data":"2"}\n',
  });
  t.same({ code: bad.code, stdout: bad.stdout }, { code: 2, stdout: '' });
  t.match(linesOf(bad.stderr), [
    'durostore: 1 record was imported, the last as index 5',
    /^durostore: INVALID_VALUE: the data of line 2 is not JSON\./,
  ]);
});

const wrong: readonly [line: string | Uint8Array, what: RegExp][] = [
  ['', /it is not JSON \(/],
  ['{"data":"x"', /it is not JSON \(/],
  [Buffer.from([0x22, 0xff, 0x22]), /it is not UTF-8/],
  ['[]', /it is not a JSON object/],
  ['null', /it is not a JSON object/],
  ['"text"', /it is not a JSON object/],
  ['{}', /it has no 'data' and no 'base64'/],
  ['{"data":5}', /it has no 'data' and no 'base64'/],
  ['{"data":"x","base64":"eA=="}', /it has both/],
  ['{"base64":"eA"}', /its 'base64' is not base64/],
  ['{"base64":"e-_="}', /its 'base64' is not base64/],
  ['{"data":"\\ud800"}', /half a character/],
  ['{"data":"x","headers":null}', /its 'headers' are not/],
  ['{"data":"x","headers":[]}', /its 'headers' are not/],
  ['{"data":"x","headers":{"a":1}}', /its 'headers' are not/],
  ['{"data":"x","priority":5}', /it has 'priority'/],
];

t.test('import: a line that is no record ends it, and what stands before it is there', async (t) => {
  await Promise.all(
    wrong.map(async ([line, what]) => {
      const directory = await temporaryDirectory(t);
      const input = Buffer.concat([
        Buffer.from('{"data":"one"}\n{"base64":"dHdv","headers":{"a":"b"}}\n'),
        Buffer.from(line),
        Buffer.from('\n{"data":"four"}\n'),
      ]);
      const { code, stdout, stderr } = await durostore(['import', directory], { input });
      t.same({ code, stdout }, { code: 2, stdout: '' });
      const [told, error] = linesOf(stderr);
      t.equal(told, 'durostore: 2 records were imported, the last as index 2');
      t.match(error, /^durostore: INVALID_VALUE: line 3 is no record: /);
      t.match(error, what);
      t.same(contents(await entriesIn(directory)), [
        ['b25l', []],
        ['dHdv', [['a', 'b']]],
      ]);
    }),
  );
  const directory = await temporaryDirectory(t);
  const none = await durostore(['import', directory, '--json'], { input: 'x' });
  t.equal(none.code, 2);
  t.match(jsonLines(none.stderr), [{ imported: 0, lastIndex: null }, { error: { code: 'INVALID_VALUE' } }]);
  t.same(await durostore(['import', directory, '--json']), {
    code: 0,
    stdout: '{"imported":0,"lastIndex":null}\n',
    stderr: '',
  });
});

t.test('import: no room, and what does not fit together', async (t) => {
  const bounds = ['--max-files', '2', '--max-file-size', '4096', '--durability', 'written'];
  const directory = await temporaryDirectory(t);
  const line = (n: number): string => `{"data":"${'x'.repeat(1000)}","headers":{"n":"${n >> 3}"}}\n`;
  const input = Array.from({ length: 20 }, (_, n) => line(n)).join('');
  const { code, stdout, stderr } = await durostore(['import', directory, ...bounds], { input });
  t.same({ code, stdout }, { code: 2, stdout: '' });
  const there = await entriesIn(directory);
  t.ok(there.length >= 4 && there.length < 8);
  t.match(linesOf(stderr), [
    `durostore: ${there.length} records were imported, the last as index ${there.length}`,
    /^durostore: STORE_FULL: /,
  ]);
  const roomy = await temporaryDirectory(t);
  const fits = await durostore(['import', roomy, '--max-file-size', '4096'], { input });
  t.same(fits, { code: 0, stdout: '20\n', stderr: '' });
  t.same(
    (await entriesIn(roomy)).map(({ headers }) => headers['n']),
    Array.from({ length: 20 }, (_, n) => String(n >> 3)),
  );
});

t.test('import: a signal ends it behind what was imported', async (t) => {
  const directory = join(await temporaryDirectory(t), 'new');
  const [command, nodeArgs] = plainNode([join(compiled, MAIN), 'import', directory]);
  const child = spawn(command, nodeArgs, { stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.write('{"data":"one"}\n{"data":"two"}\n{"data":"hal');
  const store = await openStore({ directory });
  for await (const { index } of store.entries({ follow: true, waitMs: 60_000 })) if (index === 2) break;
  await store.sync();
  child.kill('SIGINT');
  t.same(await once(child, 'close'), [130, null], 'its input is still open');
  t.match(stderr, /^durostore: [02] records were imported/);
  t.same(
    (await allOf(store)).map(({ data }) => Buffer.from(data).toString()),
    ['one', 'two'],
  );
  await store.close();
});

t.test('import: a file that is not there creates nothing', async (t) => {
  const cwd = await temporaryDirectory(t);
  const { code, stderr } = await durostore(['import', 'new', 'missing'], { cwd });
  t.equal(code, 2);
  t.match(stderr, /^durostore: ENOENT: /);
  t.notOk(existsSync(join(cwd, 'new')));
  writeFileSync(join(cwd, 'empty'), '');
  t.same(await durostore(['import', 'new', 'empty'], { cwd }), { code: 0, stdout: '0\n', stderr: '' });
});

t.test('import: what is counted is on the device, a batch at a time', async (t) => {
  const calls: string[] = [];
  let index = 0;
  const queue = {
    enqueueMany: async (values: readonly unknown[]) => {
      if (values.includes('no room')) throw new Error('no room');
      calls.push(`write ${values.length}`);
      return values.map(() => ++index);
    },
    store: {
      sync: async () => {
        calls.push('sync');
      },
    },
  } as unknown as Queue<unknown>;
  const told: unknown[] = [];
  const session = {
    signal: new AbortController().signal,
    notes: { note: (_: string, facts: unknown) => told.push(facts) },
  } as unknown as Session;
  const record = (n: number, bytes = 1): Incoming => ({ value: n, bytes, headers: {} });
  async function* source(...arrays: Incoming[][]): AsyncGenerator<Incoming[]> {
    yield* arrays;
  }
  const synced = new Importing(queue, session, 'synced', () => calls.push('progress'));
  const many = Array.from({ length: 2001 }, (_, n) => record(n));
  await synced.all(source(many, [record(1, 1_000_000), record(2, 48_576), record(3), record(4, 5_000_000)]));
  const batches = [1000, 1000, 1, 2, 1, 1];
  t.same(
    calls,
    batches.flatMap((size) => [`write ${size}`, 'sync', 'progress']),
    'up to a thousand records, and up to 1 MiB',
  );
  t.same(synced.outcome, { imported: 2005, lastIndex: 2005 });
  calls.length = 0;
  const full = { value: 'no room', bytes: 1, headers: { a: 'b' } };
  await t.rejects(synced.all(source([record(1), full, record(2)])), { message: 'no room' });
  t.same(calls, ['write 1', 'sync'], 'also what was written before a failure');
  t.same(told, [{ imported: 2006, lastIndex: 2006 }]);
  calls.length = 0;
  await new Importing(queue, session, 'written', () => {}).all(source([record(1)]));
  t.same(calls, ['write 1']);
});
