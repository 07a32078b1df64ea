import t from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Fault, Operation } from '../../src/disk/memory-fault.js';
import type { Queue } from '../../src/queue/contract.js';
import { openQueueOn } from '../../src/queue/queue.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { until } from '../support/until.js';

/* What becomes of calls, claims and segments of one who was overtaken in the middle of a commit, and of what it does next. */

const directory = '/store';
const names = new FileNames(directory, 'duro');
const options = { directory, locking: 'lockfile', indexer: false, maxFileSize: 700 } as const;

interface Overtaken {
  readonly machine: MemoryDisk;
  readonly queue: Queue<string>;
  readonly other: Engine;
  /** The other one takes the lock over just before the sleeper's next operation that is meant; `then` is the disk's hook. */
  overtakeAt(
    meant: (operation: Operation) => boolean,
    work?: () => void,
    then?: (operation: Operation) => Fault | undefined,
  ): void;
}

async function begin(): Promise<Overtaken> {
  const machine = new MemoryDisk();
  const queue = await openQueueOn<string>(machine.opener('sleeper'), options);
  const other = await Engine.open(machine.opener('other'), resolveStoreOptions(options, new Set()));
  other.locks.renounce();
  const overtake = (work: () => void): void => {
    machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
    const { locks, tenure } = other;
    for (const end = performance.now() + 1000; !locks.fate.tryEnter(); )
      if (performance.now() > end) throw new Error('the lock is not to be had');
    locks.write.tryEnter();
    tenure.enter();
    work();
    locks.write.leave();
    locks.fate.leave();
    locks.renounce();
  };
  return {
    machine,
    queue,
    other,
    overtakeAt(meant, work = () => {}, then) {
      machine.onOperation = (operation) => {
        if (operation.opener !== 'sleeper' || !meant(operation)) return undefined;
        machine.onOperation = undefined;
        overtake(work);
        machine.onOperation = then;
        return undefined;
      };
    },
  };
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => value,
    (error: { code?: unknown }) => error.code,
  );

const isWriteOf =
  (path: RegExp) =>
  (operation: Operation): boolean =>
    operation.kind === 'write' && path.test(operation.path);

for (const [what, path, call] of [
  ['a write', /\.dat$/, (queue: Queue<string>) => queue.enqueue('lost')],
  ['a decision', /fate/, (queue: Queue<string>) => queue.dequeue()],
] as const) {
  t.test(`${what} over a fence of which nobody can find out more may exist`, async (t) => {
    const { machine, queue, other, overtakeAt } = await begin();
    await queue.enqueueMany(['one', 'two']);
    overtakeAt(isWriteOf(path), undefined, ({ opener, path: at }) =>
      opener === 'sleeper' && /takeover/.test(at) ? { error: 'EIO' } : undefined,
    );
    t.equal(await codeOf(call(queue)), 'STORE_FAILED');
    machine.onOperation = undefined;
    other.catchUp();
    t.same([other.tail.nextIndex, other.length], [3, 2], 'here it did not');
    await codeOf(queue.close());
    await other.close();
  });
}

t.test('who was overtaken when it first claimed is nobody else afterwards', async (t) => {
  const { machine, queue, other, overtakeAt } = await begin();
  await queue.enqueueMany(['one', 'two', 'three']);
  overtakeAt(isWriteOf(/fate/), () => {
    // What another's first claim writes, under the number that the sleeper gave itself.
    const { journal, clock, boot } = other;
    journal.catchUpLocked();
    const facts = journal.begin();
    const incarnation = journal.fact + 1;
    facts.slotTaken(0, incarnation, boot);
    facts.claimed(1, 2, incarnation, 1, { until: Math.ceil(clock.monotonic() + 60_000), lengthMs: 60_000 });
    journal.decided(1);
    journal.commit();
  });
  t.equal(await codeOf(queue.claim({ leaseMs: 60_000 })), 'LOCK_LOST');
  t.equal(machine.onOperation, undefined);
  t.equal((await queue.claim({ leaseMs: 60_000 }))?.value, 'two');
  other.catchUp();
  const holders = [...other.fates.claims].map(([index, { incarnation }]) => ({ index, incarnation }));
  t.equal(new Set(holders.map(({ incarnation }) => incarnation)).size, 2, JSON.stringify(holders));
  await queue.close();
  other.catchUp();
  t.same([...other.fates.claims.keys()], [1], 'what the other has stays its own');
  await other.close();
});

t.test('who looks at what it knows follows a take-over', async (t) => {
  const { queue, other, overtakeAt } = await begin();
  await queue.enqueueMany(['one', 'two']);
  overtakeAt(isWriteOf(/\.dat$/), () => {
    const { journal } = other;
    journal.catchUpLocked();
    journal.begin().gone(1, 2);
    journal.decided(1);
    journal.commit();
  });
  t.equal(await codeOf(queue.enqueue('lost')), 'LOCK_LOST');
  t.equal(await queue.read(1), undefined);
  t.equal(await queue.read(2), 'two');
  await queue.close();
  await other.close();
});

t.test('a consumer that only waits gets past a fence whose maker died', async (t) => {
  const { machine, queue, other } = await begin();
  await other.close();
  const waiting = await openQueueOn<string>(machine.opener('waits'), {
    ...options,
    indexer: { intervalMs: 20 },
  });
  const value = waiting.dequeue({ waitMs: 20_000 });
  await queue.enqueue('one');
  // It comes between the write and the look of the one that waits.
  machine.opener().create(names.epoch(1))?.close();
  t.equal(await value, 'one');
  await waiting.close();
  await queue.close();
});

t.test('a fact that may not count removes no segment', async (t) => {
  const machine = new MemoryDisk();
  const resolved = resolveStoreOptions(options, new Set());
  const sleeper = await Engine.open(machine.opener('sleeper'), resolved);
  for (const value of ['a', 'b', 'c', 'd'])
    await sleeper.writer.write([{ payload: Buffer.from(value.padEnd(250)) }], true);
  const second = sleeper.tail.segments.after(1) ?? 0;
  await sleeper.decider.decide((facts) => facts.gone(1, second - 1), true);
  const other = await Engine.open(machine.opener('other'), resolved);
  other.locks.renounce();
  let isOvertaken = false;
  machine.onOperation = (operation) => {
    if (operation.opener !== 'sleeper' || !isWriteOf(/fate/)(operation)) return undefined;
    machine.onOperation = undefined;
    machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
    if (!other.locks.write.tryEnter()) throw new Error('the lock is not to be had');
    other.tenure.enter();
    other.locks.write.leave();
    isOvertaken = true;
    return undefined;
  };
  const last = codeOf(sleeper.decider.decide((facts) => facts.gone(second - 1, second), true));
  await until('it was overtaken', () => isOvertaken);
  // The answer to an earlier decision comes now.
  sleeper.sweeper.check(1, second - 1);
  await sleeper.sweeper.idle();
  other.locks.renounce();
  t.equal(await last, 'LOCK_LOST');
  other.catchUp();
  t.equal(other.read(second - 1)?.payload.length, 250, 'it is there');
  await sleeper.close();
  await other.close();
});
