import t from 'tap';
import { openQueue, openStore, type Queue } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { damage, durostore, jsonLines, linesOf } from './command-line.js';

/** A queue whose first messages were given up. */
async function withDead(
  directory: string,
  values: readonly unknown[],
  reasons: readonly string[],
): Promise<Queue<unknown>> {
  const queue = await openQueue<unknown>({ directory });
  await queue.enqueueMany(values, { headers: { kind: 'test' } });
  for (const reason of reasons) await (await queue.claim())?.reject(reason);
  return queue;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

async function indexesOfDead(queue: Queue<unknown>): Promise<number[]> {
  const indexes: number[] = [];
  for await (const { index } of queue.deadLetters.list()) indexes.push(index);
  return indexes;
}

t.test('dead: lists what was given up, and changes nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const values = ['text\twith\u001b', { object: [1] }, 'waiting'];
  const queue = await withDead(directory, values, ['no\nnetwork', 'no such person']);
  const letters = [];
  for await (const letter of queue.deadLetters.list()) letters.push(letter);
  const [first, second] = letters.map(({ firstFailedAt, lastFailedAt }) => ({
    firstFailedAt: firstFailedAt.toISOString(),
    lastFailedAt: lastFailedAt.toISOString(),
  }));

  const text = await durostore(['dead', directory]);
  t.same({ code: text.code, stderr: text.stderr }, { code: 0, stderr: '' });
  t.same(
    linesOf(text.stdout).map((line) => line.split('\t')),
    [
      ['1', '1', first?.firstFailedAt, first?.lastFailedAt, 'no\\nnetwork', '"text\\twith\\u001b"'],
      ['2', '1', second?.firstFailedAt, second?.lastFailedAt, 'no such person', '{"object":[1]}'],
    ],
  );
  const json = await durostore(['dead', directory, '--json']);
  t.same({ code: json.code, stderr: json.stderr }, { code: 0, stderr: '' });
  const rest = { attempts: 1, headers: { kind: 'test' } };
  t.same(jsonLines(json.stdout), [
    { index: 1, ...rest, reason: 'no\nnetwork', ...first, value: values[0] },
    { index: 2, ...rest, reason: 'no such person', ...second, value: values[1] },
  ]);
  t.same(await indexesOfDead(queue), [1, 2]);
  t.same(await queue.peekMany(9), ['waiting']);
  await queue.close();
});

t.test('dead: none is fine', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await withDead(directory, ['one'], []);
  t.same(await durostore(['dead', directory]), { code: 0, stdout: '', stderr: '' });
  t.same(await durostore(['dead', directory, '--requeue', '--all']), { code: 0, stdout: '0\n', stderr: '' });
  t.same(await durostore(['dead', directory, '--purge', '1']), { code: 0, stdout: '0\n', stderr: '' });
  t.same(await queue.peekMany(9), ['one'], 'what is not dead is not purged');
  await queue.close();
});

t.test('dead: who looks gives up no message of a program that allows more attempts', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory, durability: 'written', maxAttempts: 100 });
  await queue.enqueue('one');
  for (let n = 1; n <= 10; n++) await (await queue.claim())?.nack();
  t.same(await durostore(['dead', directory]), { code: 0, stdout: '', stderr: '' });
  t.match(await queue.claim(), { attempt: 11 });
  await queue.close();
});

t.test('dead: what another codec wrote is shown as it is stored', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.writeMany([Buffer.from('plain'), Buffer.from([0xff, 0x00])]);
  await store.close();
  const queue = await openQueue({ directory, codec: 'bytes' });
  for (const delivery of await queue.claimMany(2)) await delivery.reject('unwanted');
  await queue.close();
  const { code, stdout, stderr } = await durostore(['dead', directory]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.same(
    linesOf(stdout).map((line) => line.split('\t').at(-1)),
    ['plain', 'hex:ff00'],
  );
  const lines = jsonLines<Record<string, unknown>>((await durostore(['dead', directory, '--json'])).stdout);
  t.match(lines, [{ data: 'plain' }, { base64: '/wA=' }]);
  t.ok(lines.every((line) => !('value' in line)));
});

t.test('dead: damaged ones are told of and passed over', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await withDead(directory, ['one', 'damaged', 'three'], ['a', 'b', 'c']);
  await queue.close();
  damage(directory, 'damaged');
  const { code, stdout, stderr } = await durostore(['dead', directory]);
  t.equal(code, 1);
  t.same(
    linesOf(stdout).map((line) => line.split('\t')[0]),
    ['1', '3'],
  );
  t.match(linesOf(stderr), [/^durostore: CORRUPT: .*records 2 to 2/]);
  t.same(await durostore(['dead', directory, '--purge', '2']), { code: 0, stdout: '1\n', stderr: '' });
  t.equal((await durostore(['dead', directory])).code, 0);
});

t.test('dead: requeues and purges one, several, or all', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await withDead(directory, numbers(10), new Array(9).fill('no reason'));
  const dead = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await durostore(['dead', directory, ...args]);
    t.same({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
    return stdout;
  };
  t.equal(await dead('--requeue', '2'), '1\n');
  t.equal(await dead('--requeue', '2'), '0\n');
  t.same(await queue.peekMany(20), [2, 10], 'at its place');
  t.match(await queue.claim(), { index: 2, attempt: 1 }, 'with no attempts counted');
  t.equal(await dead('--requeue', '4-5', '8', '--json'), '{"requeued":3}\n');
  t.same(await indexesOfDead(queue), [1, 3, 6, 7, 9]);
  t.equal(await dead('--purge', '1', '6-9007199254740991'), '4\n', 'of what is dead, as far as it goes');
  t.same(await indexesOfDead(queue), [3]);
  t.same(await queue.peekMany(20), [4, 5, 8, 10]);
  t.equal(await queue.read(6), undefined);
  t.equal(await dead('--purge', '--all', '--json'), '{"purged":1}\n');
  t.equal(await dead(), '');
  t.same(await queue.peekMany(20), [4, 5, 8, 10]);
  for (const delivery of await queue.claimMany(4)) await delivery.reject('again');
  t.equal(await dead('--requeue', '--all'), '4\n');
  t.same(await queue.peekMany(20), [4, 5, 8, 10]);
  await queue.close();
});

t.test('dead: who leaves something out changes nothing', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await withDead(directory, numbers(3), new Array(3).fill('no reason'));
  const takes = (name: string): RegExp =>
    new RegExp(`^durostore: option '--${name}' takes either indexes or '--all'\n`);
  const mistakes: readonly [args: string[], message: RegExp][] = [
    [['--requeue'], takes('requeue')],
    [['--purge'], takes('purge')],
    [['--requeue', '1', '--all'], takes('requeue')],
    [['--purge', '1-2', '--all'], takes('purge')],
    [['--all'], /^durostore: option '--all' is for '--requeue' and '--purge'\n/],
    [['--purge', '1', '--requeue', '2'], /cannot be used with/],
    [['--purge', 'all'], /'all' is invalid/],
  ];
  await Promise.all(
    mistakes.map(async ([args, message]) => {
      const { code, stdout, stderr } = await durostore(['dead', directory, ...args]);
      t.same({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
      t.match(stderr, message, args.join(' '));
    }),
  );
  t.same(await indexesOfDead(queue), [1, 2, 3]);
  await queue.close();
});
