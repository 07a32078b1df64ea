import t from 'tap';
import { openQueue, openStore } from '../../src/mod.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { damage, durostore, jsonLines } from './command-line.js';

t.test('delete: one, several, ranges, wherever they stand', async (t) => {
  const directory = await temporaryDirectory(t);
  const queue = await openQueue<string>({ directory });
  await queue.enqueueMany(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11']);
  await queue.enqueue('12', { delayMs: 3_600_000 });
  const signal = (await queue.claim())?.signal;
  t.equal(signal?.aborted, false);
  await (await queue.claim())?.reject('dead');
  const remove = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await durostore(['delete', directory, ...args]);
    t.same({ code, stderr }, { code: 0, stderr: '' }, args.join(' '));
    return stdout;
  };
  t.equal(await remove('3'), '1\n');
  t.equal(await remove('3'), '0\n', 'it was not there any more, and that is fine');
  t.equal(await remove('5-7', '9', '6-7'), '4\n', 'both ends of a range, each once');
  t.same(await queue.peekMany(20), ['4', '8', '10', '11'], 'these and no others');
  t.equal(await remove('1-2', '12', '--json'), '{"deleted":3}\n', 'claimed, dead and delayed');
  await until('whoever had it is told', () => signal?.aborted === true);
  t.match(await queue.stats(), { length: 4, waiting: 4, claimed: 0, delayed: 0, dead: 0 });
  t.equal(await remove('10-9007199254740991'), '2\n', 'as far as there are any');
  t.same(await queue.peekMany(20), ['4', '8']);
  t.equal(await remove('13', '20-30'), '0\n');
  t.equal(await queue.enqueue('next'), 13, 'what is not there yet is not deleted');
  t.same(await queue.peekMany(20), ['4', '8', 'next']);
  await queue.close();
});

t.test('delete: more than are deleted at a time', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory, durability: 'written' });
  await store.writeMany(new Array(25_000).fill(Buffer.from('x')));
  t.same(await durostore(['delete', directory, '2-24999']), { code: 0, stdout: '24998\n', stderr: '' });
  const left: number[] = [];
  for await (const { index } of store.entries()) left.push(index);
  t.same(left, [1, 25_000]);
  await store.close();
});

t.test('what cannot be had at the head is named by dequeue and removed by delete', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await openStore({ directory });
  await store.write(Buffer.from('no JSON'));
  await store.close();
  const queue = await openQueue<string>({ directory });
  await queue.enqueueMany(['damaged', 'whole']);
  await queue.close();
  damage(directory, 'damaged');

  const other = await durostore(['dequeue', directory]);
  t.same({ code: other.code, stdout: other.stdout }, { code: 2, stdout: '' });
  t.match(other.stderr, /^durostore: .*: durostore delete DIR 1 removes it\ndurostore: CODEC: record 1 /);
  t.equal((await durostore(['delete', directory, '1'])).stdout, '1\n');

  const corrupt = await durostore(['dequeue', directory, '--json']);
  t.same({ code: corrupt.code, stdout: corrupt.stdout }, { code: 2, stdout: '' });
  t.match(jsonLines(corrupt.stderr), [{ unreadable: { from: 2, to: 2 } }, { error: { code: 'CORRUPT' } }]);
  t.equal((await durostore(['delete', directory, '2'])).stdout, '1\n');

  t.same(await durostore(['dequeue', directory]), { code: 0, stdout: 'whole\n', stderr: '' });
});
