import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { compiled, repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { durostore, MAIN } from './command-line.js';

const COMMANDS = [
  'stats',
  'verify',
  'dump',
  'tail',
  'enqueue',
  'dequeue',
  'dead',
  'delete',
  'export',
  'import',
  'copy',
  'repair',
  'bench',
];

t.test('there is a file for every command, a test, and a line in the help', async (t) => {
  const files = readdirSync(join(repository, 'src', 'cli', 'commands')).map((name) =>
    name.replace('.ts', ''),
  );
  t.same([...files].sort(), [...COMMANDS].sort());
  const tests = readdirSync(join(repository, 'test', 'cli'));
  t.same(
    COMMANDS.filter((name) => !tests.includes(`${name}.test.ts`)),
    [],
  );
  const { code, stdout, stderr } = await durostore(['--help']);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  const listed = [...stdout.matchAll(/^ {2}(\w+) \[options\] <dir>/gm)].map(([, name]) => name);
  t.same(listed, COMMANDS);
  t.match(stdout, /Exit codes: 0 fine; 1 findings/);
});

t.test('the help of every command teaches', async (t) => {
  await Promise.all(
    COMMANDS.map(async (name) => {
      const { code, stdout, stderr } = await durostore([name, '--help']);
      t.same({ code, stderr }, { code: 0, stderr: '' }, name);
      t.match(stdout, new RegExp(`^Usage: durostore ${name} \\[options\\] <dir>`), name);
      t.match(stdout, /^ {2}--json +JSON instead of text/m, `${name}: --json`);
      t.match(stdout, /^The directory: /m, `${name}: what it does to the directory`);
      t.match(stdout, new RegExp(`^Examples:\n  .*durostore ${name}`, 'm'), `${name}: examples`);
      t.ok(
        stdout.split('\n').every((line) => line.length <= 80 || line.includes('# ')),
        `${name}: fits the terminal`,
      );
    }),
  );
});

t.test('the package brings it as a program', async (t) => {
  const { bin } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { bin: unknown };
  t.same(bin, { durostore: './dist/cli/main.js' });
  t.match(readFileSync(join(compiled, MAIN), 'utf8'), /^#!\/usr\/bin\/env node\n/);
});

t.test('the version is that of the package', async (t) => {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    version: string;
  };
  t.same(await durostore(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
});

const mistakes: readonly [args: string[], message: RegExp][] = [
  [['destroy', 'x'], /^durostore: unknown command 'destroy'\nSee: durostore --help\n$/],
  [['stats'], /^durostore: missing required argument 'dir'\nSee: durostore stats --help\n$/],
  [['stats', 'x', 'y'], /too many arguments/],
  [['stats', 'x', '--what'], /unknown option '--what'/],
  [['stats', 'x', '--prefix'], /argument missing/],
  [['stats', 'x', '--prefix', '../up'], /^durostore: INVALID_OPTION: filePrefix/],
  [['stats', ''], /^durostore: INVALID_OPTION: directory/],
  [['dump', 'x', '--from', 'zero'], /'zero' is invalid.*whole number/],
  [['dump', 'x', '--from', '0'], /'0' is invalid/],
  [['dump', 'x', '--limit', '1e3'], /'1e3' is invalid/],
  [['dump', 'x', '--raw', '--json'], /cannot be used with/],
  [['dequeue', 'x', '--all', '--max', '1'], /cannot be used with/],
  [['enqueue', 'x', '--durability', 'perhaps'], /Allowed choices are written, synced/],
  [['enqueue', 'x', '--header', 'kind'], /Expected NAME=VALUE/],
  [['enqueue', 'x', '--priority', '10', 'a'], /'10' is invalid.*from 0 to 9/],
  [['enqueue', 'x', '--delay', '-1', 'a'], /'-1' is invalid.*whole number/],
  [['enqueue', 'x', '--id', '', 'a'], /'' is invalid. Expected 1 to 1000 bytes/],
  [['enqueue', 'x', '--key', 'ü'.repeat(501), 'a'], /Expected 1 to 1000 bytes/],
  [['enqueue', 'x', '--id', 'one', 'a', 'b'], /^durostore: option '--id <id>' is for one value/],
  [['delete', 'x'], /missing required argument 'indexes'/],
  [['delete', 'x', '0'], /'0' is invalid.*at least 1/],
  [['delete', 'x', '9-5'], /'9-5' is invalid/],
  [['delete', 'x', '1-'], /'1-' is invalid/],
  [['export', 'x', '--from', '0'], /'0' is invalid/],
  [['copy', 'x'], /missing required argument 'to'/],
  [['import', 'x', '--codec', 'v8'], /Allowed choices are json, bytes/],
  [
    ['import', 'x', 'file', '--durostore-go', 'y'],
    /^durostore: option '--durostore-go <path>' takes no file/,
  ],
  [
    ['import', 'x', '--go-prefix', 'y'],
    /^durostore: option '--go-prefix <name>' goes with '--durostore-go <path>'/,
  ],
  [['import', 'x', 'missing'], /^durostore: ENOENT: /],
  [['import', 'x', '--durostore-go', 'missing'], /^durostore: ENOENT: /],
  [['delete', 'x', '1', '9007199254740992'], /'9007199254740992' is invalid/],
];

t.test('wrong usage is told, exits with 2, and creates nothing', async (t) => {
  const cwd = await temporaryDirectory(t);
  await Promise.all(
    mistakes.map(async ([args, message]) => {
      const { code, stdout, stderr } = await durostore(args, { cwd });
      t.same({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
      t.match(stderr, message, args.join(' '));
    }),
  );
  const bare = await durostore([], { cwd });
  t.equal(bare.code, 2, 'no command');
  t.match(bare.stderr, /^Usage: durostore/);
  t.same(readdirSync(cwd), []);
});

t.test('with --json mistakes and errors are JSON, too', async (t) => {
  const cwd = await temporaryDirectory(t);
  const told = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await durostore(args, { cwd });
    t.same({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
    return JSON.parse(stderr);
  };
  t.same(await told('stats', '--json'), {
    error: { code: 'USAGE', message: "missing required argument 'dir'" },
  });
  t.match(await told('verify', 'nowhere', '--json'), {
    error: { code: 'INVALID_OPTION', message: /there is no store/ },
  });
});

t.test('a store that is not there is an error, and none is created', async (t) => {
  const cwd = await temporaryDirectory(t);
  for (const name of [
    'stats',
    'verify',
    'repair',
    'dump',
    'tail',
    'dequeue',
    'dead',
    'delete',
    'export',
    'copy',
  ]) {
    const more = name === 'delete' ? ['1'] : name === 'copy' ? ['there'] : [];
    const { code, stdout, stderr } = await durostore([name, 'nowhere', ...more], { cwd });
    t.same({ code, stdout }, { code: 2, stdout: '' }, name);
    t.match(stderr, /^durostore: INVALID_OPTION: directory: there is no store in \S*nowhere /, name);
  }
  t.equal((await durostore(['bench', 'nowhere'], { cwd })).code, 2);
  t.same(readdirSync(cwd), []);
});
