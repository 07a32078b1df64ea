import { getEventListeners } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Delivery, DurostoreError } from '../../src/mod.js';
import { threadHandler } from '../../src/threads/mod.js';
import { range } from '../store/records.js';
import { osWorld } from '../store/world.js';
import { startCommand, startProgram } from '../support/processes.js';
import { compiled, repository } from '../support/repository.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { Job } from './work.js';

const WORK = new URL('./work.js', import.meta.url);
const FOR_EVER = 600_000;

/** A delivery whose signal the test aborts, and that notes progress. */
class Given<T> implements Delivery<T> {
  readonly index = 7;
  readonly attempt = 2;
  readonly enqueuedAt = new Date(1_700_000_000_000);
  readonly headers = { trace: 'abc' };
  readonly abort = new AbortController();
  readonly signal = this.abort.signal;
  readonly told: unknown[] = [];
  refusal: Error | undefined;

  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }

  async progress(value: unknown): Promise<void> {
    // It is written, which takes a while.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.refusal !== undefined) throw this.refusal;
    this.told.push(value);
  }

  async ack(): Promise<void> {}
  async nack(): Promise<void> {}
  async extend(): Promise<void> {}
  async reject(): Promise<void> {}
}

const job = (what: Job['do'], ms = 0): Given<Job> => new Given({ do: what, ms });

t.test(
  'work that takes three leases and never lets go is delivered once, and the rest in order',
  async (t) => {
    const world = await osWorld(t);
    const queue = await world.openQueue<Job>({ durability: 'written' });
    const other = await world.openQueue<Job>();
    const errors: DurostoreError[] = [];
    queue.on('error', (error) => errors.push(error));
    await using handler = threadHandler<Job>(WORK, { threads: 1 });
    await queue.enqueue({ do: 'deaf', ms: 1800 });
    const seen: [number, number, string][] = [];
    const worker = queue.process(
      async (delivery) => {
        const { index, attempt } = delivery;
        try {
          await handler(attempt > 1 ? job('nothing') : delivery);
          seen.push([index, attempt, 'returned']);
        } catch (error) {
          seen.push([index, attempt, error instanceof Error ? error.message : String(error)]);
          throw error;
        }
      },
      { leaseMs: 600 },
    );
    await until('it is claimed', async () => (await other.stats()).claimed === 1);
    while (seen.length === 0)
      t.same(await other.claimMany(1, { waitMs: 100 }), [], 'nobody else gets it meanwhile');
    await queue.enqueueMany([{ do: 'throw' }, { do: 'nothing' }, { do: 'nothing' }]);
    await until('the rest', () => worker.stats().done === 4, 30_000);
    await worker.close();
    t.same(seen, [
      [1, 1, 'returned'],
      [2, 1, 'too far'],
      [2, 2, 'returned'],
      [3, 1, 'returned'],
      [4, 1, 'returned'],
    ]);
    t.same(errors, []);
  },
);

t.test('the function gets the message, in a thread', async (t) => {
  await using handler = threadHandler<number[]>(WORK, { name: 'echo', threads: 1 });
  const delivery = new Given([1, 2, 3]);
  t.equal(await handler(delivery), undefined);
  const { index, attempt, headers, enqueuedAt, value } = delivery;
  t.same(delivery.told, [{ value, index, attempt, headers, enqueuedAt, isThread: true }]);
  t.equal(getEventListeners(delivery.signal, 'abort').length, 0, 'and nothing listens afterwards');
  await using byPath = threadHandler(WORK.pathname, { name: 'echo', threads: 1 });
  await byPath(delivery);
  await using byUrl = threadHandler(WORK.href, { name: 'echo', threads: 1 });
  await byUrl(delivery);
  t.equal(delivery.told.length, 3);
});

t.test('progress comes in its order and before the end, awaited or not', async (t) => {
  await using handler = threadHandler<Job>(WORK, { threads: 2 });
  const calculation = job('calculate', 50);
  await handler(calculation);
  t.same(
    calculation.told,
    range(1, 10).map((tenth) => tenth * 10),
  );
  const report = job('report');
  await handler(report);
  t.same(report.told, ['half', 'done', 'forgotten']);
  const refused = job('report badly');
  refused.refusal = new DurostoreError('LEASE_LOST', 'it is gone');
  await t.rejects(handler(refused), { message: 'told: it is gone', code: 'LEASE_LOST' });
});

t.test('what the function throws is what the handler throws', async (t) => {
  await using handler = threadHandler<Job>(WORK, { threads: 1 });
  await t.rejects(handler(job('throw')), { name: 'RangeError', message: 'too far', code: 'E_FAR' });
  await t.rejects(handler(job('throw')), Error);
  await t.rejects(handler(job('throw a text')), { message: 'text' });
  await t.rejects(handler(job('throw what has no text')), { message: /without a text/ });
  await t.rejects(handler(job('exit')), { message: /exited with code: 3/ });
  await t.rejects(handler(job('fail outside')), { message: 'outside' });
  await handler(job('nothing'));
  t.pass('and the threads are there again');
  await t.rejects(handler(new Given({ do: () => 1 } as unknown as Job)), { name: 'DataCloneError' });
  await handler(job('nothing'));
  for (const name of ['notAFunction', 'missing']) {
    await using none = threadHandler(WORK, { name, threads: 1 });
    await t.rejects(none(job('nothing')), { message: new RegExp(`exports no function '${name}'`) });
  }
});

t.test('an abort reaches the function, whether it awaits or not', async (t) => {
  await using handler = threadHandler<Job>(WORK, { threads: 2, graceMs: FOR_EVER });
  for (const what of ['listen', 'poll'] as const) {
    const delivery = job(what, FOR_EVER);
    const run = handler(delivery);
    await until('it has begun', () => delivery.told.length === 1);
    delivery.abort.abort(new DOMException('over', 'TimeoutError'));
    await t.rejects(run, { name: 'TimeoutError', message: 'over' }, what);
    t.equal(getEventListeners(delivery.signal, 'abort').length, 0);
  }
});

t.test('a thread whose function goes on after its grace is ended, and replaced', async (t) => {
  await using handler = threadHandler<Job>(WORK, { threads: 1, graceMs: 50 });
  await handler(job('nothing'));
  const deaf = job('deaf', FOR_EVER);
  const waiting = job('nothing');
  const given = job('nothing');
  const run = handler(deaf);
  const [behind, aborted] = [handler(waiting), handler(given)];
  given.abort.abort(new Error('not wanted'));
  await t.rejects(aborted, { message: 'not wanted' }, 'what has not begun needs no grace');
  deaf.abort.abort(new DurostoreError('LEASE_LOST', 'lost'));
  await t.rejects(run, { code: 'LEASE_LOST' });
  await behind;
  const already = job('nothing');
  already.abort.abort(new Error('before'));
  await t.rejects(handler(already), { message: 'before' });
});

t.test('close waits for what runs, and nothing comes after it', async (t) => {
  const handler = threadHandler<Job>(WORK, { threads: 1 });
  const runs = [handler(job('deaf', 100)), handler(job('nothing'))];
  let ended = 0;
  for (const run of runs) void run.then(() => (ended += 1));
  await Promise.all([handler.close(), handler.close()]);
  t.equal(ended, 2);
  await t.rejects(handler(job('nothing')), { code: 'CLOSED' });
  const unused = threadHandler(WORK);
  await unused.close();
});

t.test('impossible options are refused at once', async (t) => {
  for (const [module, options, message] of [
    [new URL('./missing.js', import.meta.url), {}, /^module/],
    ['https://example.org/work.js', {}, /^module/],
    [7, {}, /^module/],
    [WORK, { threads: 0 }, /^threads/],
    [WORK, { threads: 1.5 }, /^threads/],
    [WORK, { graceMs: -1 }, /^graceMs/],
    [WORK, { name: '' }, /^name/],
    [WORK, { thread: 1 }, /^thread/],
    [WORK, null, /^options/],
  ] as const)
    t.throws(() => threadHandler(module as URL, options as object), { code: 'INVALID_OPTION', message });
  await threadHandler(WORK, { threads: undefined, name: undefined, graceMs: undefined }).close();
});

t.test('without piscina it says what to install', async (t) => {
  const directory = await temporaryDirectory(t);
  cpSync(join(compiled, 'src'), join(directory, 'src'), { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  mkdirSync(join(directory, 'node_modules'));
  for (const name of Object.keys(dependencies))
    symlinkSync(join(repository, 'node_modules', name), join(directory, 'node_modules', name), 'junction');
  // Whatever stands in a folder above: nothing is to be had under that name.
  mkdirSync(join(directory, 'node_modules', 'piscina'));
  writeFileSync(join(directory, 'node_modules', 'piscina', 'package.json'), '{ "exports": {} }');
  writeFileSync(
    join(directory, 'main.js'),
    `import { threadHandler } from './src/threads/mod.js';
     try { threadHandler(import.meta.url); } catch ({ code, message }) { console.log(code, message); }`,
  );
  const program = startCommand(t, join(directory, 'main.js'));
  t.same(await program.ended(), { code: 0, signal: null }, program.stderr);
  t.match(program.stdout, /^UNSUPPORTED .*npm install piscina\n$/);
});

t.test('threads that have nothing to do keep no process alive', async (t) => {
  const program = startProgram(t, 'test/threads/idle-threads-child.js');
  await program.line((line) => line === 'done');
  t.same(await program.ended(), { code: 0, signal: null }, program.stderr);
});
