import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openQueue, openStore } from '../../src/mod.js';
import { contents } from '../store/records.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { durostore, jsonLines, linesOf } from './command-line.js';
import { bytesIn, type GoEntry, goEntry, goFiles, goSequence } from './go-durostore.js';

async function importedInto(directory: string): Promise<string[]> {
  const store = await openStore({ directory });
  const records = await contents(store);
  await store.close();
  return records.map(([, text]) => text);
}

/** Imports, and says how it ended, what came in and what was told; the source must be as it was. */
async function imported(
  t: Test,
  source: string,
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string; records: string[]; told: string[] }> {
  const into = join(await temporaryDirectory(t), 'new');
  const before = bytesIn(source);
  const { code, stdout, stderr } = await durostore(['import', into, '--durostore-go', source, ...args]);
  t.same(bytesIn(source), before, 'nothing of it was changed');
  return {
    code,
    stdout,
    records: await importedInto(into),
    told: stderr === '' ? [] : linesOf(stderr).map((line) => line.replace('durostore: ', '')),
  };
}

t.test('a Go Durostore: the records that are not deleted, in the order of their indexes', async (t) => {
  const source = await temporaryDirectory(t);
  const first = ['zero', 'one', '', 'drei 🌲', 'four'];
  goFiles(source, 'test_001', first.join(''), [
    ...goSequence(0, first).map((entry): GoEntry => (entry.index === 1 ? { ...entry, deleted: 1 } : entry)),
  ]);
  goFiles(source, 'test_002', 'sixfive', [
    { index: 6, start: 0, finish: 3 },
    { index: 5, start: 3, finish: 7 },
  ]);
  goFiles(source, 'test_010', 'eight', goSequence(8, ['eight']));
  goFiles(source, 'test_1000', 'nine', goSequence(9, ['nine']));
  goFiles(source, 'test_003', '', []);
  writeFileSync(join(source, 'test_lock.lock'), '');
  const all = await imported(t, source);
  t.same(all, {
    code: 0,
    stdout: '8\n',
    records: ['zero', '', 'drei 🌲', 'four', 'five', 'six', 'eight', 'nine'],
    told: [],
  });
});

t.test('a Go Durostore: many records, whose bytes are any', async (t) => {
  const source = await temporaryDirectory(t);
  const payloads = Array.from({ length: 2500 }, (_, n) => `${n} `.repeat(n % 300));
  goFiles(source, 'p_001', payloads.slice(0, 1400).join(''), goSequence(0, payloads.slice(0, 1400)));
  goFiles(source, 'p_002', payloads.slice(1400).join(''), goSequence(1400, payloads.slice(1400)));
  const { code, stdout, records, told } = await imported(t, source, '--json', '--durability', 'written');
  t.same({ code, told }, { code: 0, told: [] });
  t.same(JSON.parse(stdout), { imported: 2500, lastIndex: 2500, findings: 0 });
  t.strictSame(records, payloads);
});

t.test('a Go Durostore: one of several in a directory, and messages', async (t) => {
  const source = await temporaryDirectory(t);
  goFiles(source, 't_001', '"short"', goSequence(0, ['"short"']));
  goFiles(source, 't2_001', 'longer', goSequence(0, ['longer']));
  t.same((await imported(t, source, '--go-prefix', 't2')).records, ['longer']);
  const into = join(await temporaryDirectory(t), 'queue');
  const call = ['import', into, '--durostore-go', source, '--codec', 'json', '--go-prefix'];
  t.same(await durostore([...call, 't']), { code: 0, stdout: '1\n', stderr: '' });
  const queue = await openQueue<unknown>({ directory: into });
  t.same(await queue.peekMany(10), ['short']);
  await queue.close();
  const bad = await durostore([...call, 't2']);
  t.equal(bad.code, 2);
  t.match(linesOf(bad.stderr), [
    'durostore: 0 records were imported',
    /^durostore: INVALID_VALUE: the data of record 0 of the Go Durostore is not JSON/,
  ]);

  for (const [args, what] of [
    [[], /there are several in .* --go-prefix t2? \| t2?$/],
    [['--go-prefix', 'other'], /there are no files of a Go Durostore in .* \(other_001\.idx\)/],
  ] as const) {
    const cwd = await temporaryDirectory(t);
    const { code, stderr } = await durostore(['import', 'new', '--durostore-go', source, ...args], { cwd });
    t.equal(code, 2);
    t.match(stderr.trimEnd(), what);
    t.same(bytesIn(cwd), []);
  }
  const same = await durostore(['import', source, '--durostore-go', source, '--go-prefix', 't']);
  t.equal(same.code, 2);
  t.match(same.stderr, /INVALID_OPTION: durostore-go: .* in which nothing is to change/);
  t.equal(bytesIn(source).length, 4);
});

t.test('a Go Durostore: what its configuration says', async (t) => {
  const cwd = await temporaryDirectory(t);
  goFiles(join(cwd, 'data'), 'mail_001', 'hello', goSequence(0, ['hello']));
  goFiles(join(cwd, 'data'), 'other_001', 'other', goSequence(0, ['other']));
  goFiles(join(cwd, 'a #b'), '_001', 'no prefix', goSequence(0, ['no prefix']));
  const absolute = join(cwd, 'data');
  const good: readonly [text: string, expected: string, ...args: string[]][] = [
    [
      `{"directory": ${JSON.stringify(absolute)}, "max_files": 10, "file_prefix": "mail", "file_locking": true}`,
      'hello',
    ],
    ['  {"directory":"data","file_prefix":"mail"}', 'hello'],
    ['{"directory":"data","file_prefix":"mail"}', 'other', '--go-prefix', 'other'],
    [
      '---\n# where it is\ndirectory: data # here\nmax_files: 10\n\nfile_prefix: mail\r\nfile_locking: true\n',
      'hello',
    ],
    ['directory: "data"   # quoted\nfile_prefix: \'mail\'', 'hello'],
    ["directory: 'a #b'\nfile_prefix:\n", 'no prefix'],
    ['{"directory":"a #b"}', 'no prefix'],
  ];
  for (const [at, [text, expected, ...args]] of good.entries()) {
    writeFileSync(join(cwd, 'config'), text);
    const call = ['import', `new${at}`, '--durostore-go', 'config', ...args];
    t.same(await durostore(call, { cwd }), { code: 0, stdout: '1\n', stderr: '' }, text);
    t.same(await importedInto(join(cwd, `new${at}`)), [expected], text);
  }
  const line = (n: number): RegExp => new RegExp(`line ${n} is not a 'key: value' of its own`);
  const bad: readonly [text: string, what: RegExp][] = [
    ['{"directory":"data"', /is no configuration of a Go Durostore: .*JSON/],
    ['{"directory":5}', /names no directory/],
    ['{"directory":"data","file_prefix":5}', /'file_prefix' is no string/],
    ['file_prefix: mail\n', /names no directory/],
    ['durostore:\n  directory: data\n', line(2)],
    ['directory: data\ndirectory: other\n', line(2)],
    ['directory: |\n  data\n', line(1)],
    ['directory: &here data\n', line(1)],
    ['directory: "da\\x74a"\n', line(1)],
    ['directory: [data]\n', line(1)],
    ['directory: a: b\n', line(1)],
    ['- directory: data\n', line(1)],
    ['directory = "data"\n', line(1)],
    ['directory:data\n', line(1)],
    ['{"directory":"data"}', /there are no files of a Go Durostore in data \(_001\.idx\)/],
    ['{"directory":"missing"}', /ENOENT/],
  ];
  await Promise.all(
    bad.map(async ([text, what], at) => {
      writeFileSync(join(cwd, `bad${at}`), text);
      const { code, stdout, stderr } = await durostore(['import', 'never', '--durostore-go', `bad${at}`], {
        cwd,
      });
      t.same({ code, stdout }, { code: 2, stdout: '' }, text);
      t.match(stderr, what, text);
    }),
  );
  t.notOk(readdirSync(cwd).includes('never'));
});

t.test('a Go Durostore: an end that is torn', async (t) => {
  const source = await temporaryDirectory(t);
  const torn = goEntry({ index: 2, start: 6, finish: 11 }).subarray(0, 10);
  goFiles(source, 'test_001', 'zeroonetwo', [...goSequence(0, ['zero', 'one']), torn]);
  t.same(await imported(t, source), {
    code: 1,
    stdout: '2\n',
    records: ['zero', 'one'],
    told: [
      'test_001.idx: ends with 10 bytes of an entry that is not whole; not imported',
      'test_001.dat: has bytes that belong to no entry: 7-9. A record there has lost its entry to another one (a write after a restart takes the last index again), or never got one; not imported',
    ],
  });
});

t.test('a Go Durostore: entries behind one that was torn are not where entries begin', async (t) => {
  const source = await temporaryDirectory(t);
  const [zero, one, two, three] = goSequence(0, ['zero', 'one', 'two', 'three']).map(goEntry);
  if (!zero || !one || !two || !three) throw new Error('four of them');
  goFiles(source, 'test_001', 'zeroonetwothree', [zero, one.subarray(0, 10), two, three]);
  const { code, records, told } = await imported(t, source);
  t.same({ code, records }, { code: 1, records: ['zero'] });
  t.match(told, [
    'test_001.idx: ends with 10 bytes of an entry that is not whole; not imported',
    'test_001.idx: has no entries that can be told apart from byte 25 on, as one was torn; not imported',
    /^test_001\.dat: has bytes that belong to no entry: 4-14\./,
  ]);
});

t.test('a Go Durostore: entries that point beyond the data, or are none', async (t) => {
  const source = await temporaryDirectory(t);
  goFiles(source, 'test_001', 'zeroonetw', [
    ...goSequence(0, ['zero', 'one', 'two', 'three']),
    { index: 4, start: 15, finish: 20, deleted: 1 },
  ]);
  goFiles(source, 'test_002', 'five', [
    { index: 6, start: 0, finish: 0, deleted: 2 },
    { index: 5, start: 0, finish: 4 },
    { index: 7, start: -1, finish: 2 },
    { index: 8, start: 3, finish: 2 },
    { index: 2n ** 64n - 1n, start: 0, finish: 2 },
  ]);
  goFiles(source, 'test_003', '', goSequence(9, ['', 'x']));
  rmSync(join(source, 'test_003.dat'));
  goFiles(source, 'test_004', 'lost', []);
  rmSync(join(source, 'test_004.idx'));
  const { code, stdout, records, told } = await imported(t, source);
  t.same({ code, stdout, records }, { code: 1, stdout: '3\n', records: ['zero', 'one', 'five'] });
  t.match(told, [
    'test_001.idx: points beyond the end of test_001.dat for 2-3; not imported',
    /^test_001\.dat: has bytes that belong to no entry: 7-8\./,
    'test_002.idx: has bytes that are no entry, at 0, 50, 75, 100; not imported',
    'test_003.dat: is missing',
    'test_003.idx: points beyond the end of test_003.dat for 9-10; not imported',
    'test_004.idx: is missing',
    /^test_004\.dat: has bytes that belong to no entry: 0-3\./,
  ]);
  t.equal(told.length, 7);
  const asJson = await imported(t, source, '--json');
  t.same(JSON.parse(asJson.stdout), { imported: 3, lastIndex: 3, findings: 7 });
  t.match(jsonLines(asJson.told.join('\n')), [{ finding: { file: 'test_001.idx', what: /^points beyond/ } }]);
});

t.test('a Go Durostore: a last index that was taken again', async (t) => {
  const first = await temporaryDirectory(t);
  // In the first file the entry is overwritten: index 2 was 'two'.
  goFiles(first, 'test_001', 'zeroonetwonew', [
    ...goSequence(0, ['zero', 'one']),
    { index: 2, start: 10, finish: 13 },
  ]);
  const overwritten = await imported(t, first);
  t.same(overwritten.records, ['zero', 'one', 'new']);
  t.equal(overwritten.code, 1);
  t.match(overwritten.told, [/^test_001\.dat: has bytes that belong to no entry: 7-9\./]);

  // In others it is added, and both records are there.
  const second = await temporaryDirectory(t);
  goFiles(second, 'test_001', 'zero', goSequence(0, ['zero']));
  goFiles(second, 'test_002', 'onetwonewmore', [
    ...goSequence(1, ['one', 'two']),
    { index: 2, start: 6, finish: 9 },
    { index: 3, start: 9, finish: 13 },
  ]);
  const doubled =
    'test_001.idx: 2 have several entries in the index files: records at different places are taken, each once, but where an entry of the place says that it was deleted';
  t.same(await imported(t, second), {
    code: 1,
    stdout: '5\n',
    records: ['zero', 'one', 'two', 'new', 'more'],
    told: [doubled],
  });

  // A deletion that was added as an entry is one all the same; the same entry twice is one record.
  const marked = await temporaryDirectory(t);
  goFiles(marked, 'test_001', 'zero', goSequence(0, ['zero']));
  goFiles(marked, 'test_002', 'onetwothree', [
    ...goSequence(1, ['one', 'two', 'three']),
    { index: 2, start: 3, finish: 6, deleted: 1 },
    { index: 3, start: 6, finish: 11 },
  ]);
  t.same(await imported(t, marked), {
    code: 1,
    stdout: '3\n',
    records: ['zero', 'one', 'three'],
    told: [doubled.replace(' 2 have', ' 2-3 have')],
  });
});

t.test('a Go Durostore: two writers at once, whose entries have the same bytes', async (t) => {
  const source = await temporaryDirectory(t);
  goFiles(source, 'test_001', 'zeroAAABBBBlast', [
    ...goSequence(0, ['zero', 'AAA']),
    { index: 1, start: 4, finish: 8 },
    { index: 2, start: 11, finish: 15 },
  ]);
  const { code, records, told } = await imported(t, source);
  t.same({ code, records }, { code: 1, records: ['zero', 'last'] });
  t.match(told, [
    'test_001.idx: entries of 1 have the same bytes of test_001.dat; not imported: 1',
    /^test_001\.dat: has bytes that belong to no entry: 8-10\./,
  ]);
});
