import t from 'tap';
import { openStore, type Store } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { damage, durostore, linesOf, noShell, shell, start } from './command-line.js';

async function numbered(directory: string, count: number): Promise<Store> {
  const store = await openStore({ directory });
  await store.writeMany(Array.from({ length: count }, (_, at) => Buffer.from(`record ${at + 1}`)));
  return store;
}

t.test('tail: the last records', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await numbered(directory, 12);
  await store.delete(11);
  const tail = async (...args: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await durostore(['tail', directory, '--data-only', ...args]);
    t.same({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
    return linesOf(stdout);
  };
  t.same((await tail()).length, 10, 'ten');
  t.same(await tail('-n', '3'), ['record 9', 'record 10', 'record 12']);
  t.same((await tail('--lines', '100')).length, 11, 'no more than there are');
  t.same(await tail('-n', '0'), ['']);
  const line = await durostore(['tail', directory, '-n', '1']);
  t.match(line.stdout, /^12\t[^\t]+Z\t9\t-\trecord 12\n$/, 'in the form of dump');
  const json = await durostore(['tail', directory, '-n', '1', '--json']);
  t.match(JSON.parse(json.stdout), { index: 12, data: 'record 12' });
  await store.close();
});

t.test('tail: follows what others write, until it is interrupted', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await numbered(directory, 3);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const program = start(t, 'tail', directory, '-n', '1', '--follow', '--data-only');
    const last = await store.nextIndex();
    await program.line((line) => line === `record ${last - 1}`);
    for (let n = 0; n < 50; n++) await store.write(Buffer.from(`record ${last + n}`));
    await program.line((line) => line === `record ${last + 49}`);
    process.kill(program.pid, signal);
    t.same(await program.ended(), { code: 0, signal: null }, signal);
    const expected = Array.from({ length: 51 }, (_, at) => `record ${last - 1 + at}`);
    t.same(linesOf(program.stdout), expected, 'each once, in order');
    t.equal(program.stderr, '');
  }
  await store.close();
});

t.test('tail: --wait ends it', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await numbered(directory, 3)).close();
  const { code, stdout } = await durostore(['tail', directory, '-n', '1', '--wait', '20', '--data-only']);
  t.same({ code, stdout }, { code: 0, stdout: 'record 3\n' });
});

t.test('tail: a reader that goes away ends it', { skip: noShell }, async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await numbered(directory, 3);
  let writing = true;
  const work = (async () => {
    while (writing) await store.write(Buffer.from('another record'));
  })();
  const script = `durostore tail ${directory} -n 3 --follow --data-only | grep --line-buffered record | head -2`;
  // grep dies of the pipe it writes to, and is not ours.
  const { stdout, stderr } = await shell(t, `${script}; echo "\${PIPESTATUS[0]}"`);
  writing = false;
  await work;
  t.equal(stderr, '');
  t.match(stdout, /^(.*record.*\n){2}0\n$/);
  await store.close();
});

t.test('tail: damaged records', async (t) => {
  const directory = await temporaryDirectory(t);
  await (await numbered(directory, 5)).close();
  damage(directory, 'record 4');
  const { code, stdout, stderr } = await durostore(['tail', directory, '-n', '3', '--data-only']);
  t.same({ code, stdout }, { code: 1, stdout: 'record 3\nrecord 5\n' });
  t.match(stderr, /^durostore: CORRUPT: .*records 4 to 4/);
});
