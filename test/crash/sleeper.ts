import type { Test } from 'tap';
import type { JournalLimits } from '../../src/journal/journal.js';
import type { Queue } from '../../src/queue/contract.js';
import { Batch } from '../../src/segment/batch.js';
import type { Store } from '../../src/store/contract.js';
import type { Engine } from '../../src/store/engine.js';
import { SHORT_JOURNALS } from './actor.js';

/*
 * With lock files, a process may fall asleep for longer than its lock is good. Meanwhile another takes the lock over, writes
 * and decides. Then the sleeper wakes and goes on as if nothing had happened.
 *
 * Whatever it was told afterwards must be what a third one finds: LOCK_LOST exactly where nobody will ever see its record
 * or its decision, and nothing that was acknowledged lost, doubled or changed.
 */

export const sleeperOptions = { locking: 'lockfile', indexer: false, maxFileSize: 700 } as const;

/** What the sleeper does: calls, each with the values that it enqueues. */
export interface Deed {
  readonly name: string;
  readonly limits?: JournalLimits;
  /** Somebody died with the lock, and left half a record and half a fact: the sleeper itself has to take over. */
  readonly afterDeath?: boolean;
  /** What it deletes together with what it enqueues. */
  readonly deletes?: readonly number[];
  readonly run: (queue: Queue<string>) => readonly (readonly [call: Promise<unknown>, ...values: string[]])[];
}

const [LONG_1, LONG_2] = ['a1'.padEnd(250), 'a2'.padEnd(250)] as const;

const transaction: Deed['run'] = (queue) => [
  [
    queue.store.transaction((tx) => {
      tx.write(Buffer.from('"a1"'));
      tx.delete(3);
      tx.write(Buffer.from('"a2"'));
      tx.delete(2);
    }),
    'a1',
    'a2',
  ],
];

async function* streamOf(text: string): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < text.length; at += 400) yield Buffer.from(text.slice(at, at + 400));
}

export const deeds: readonly Deed[] = [
  { name: 'enqueue', run: (queue) => [[queue.enqueue('a1'), 'a1']] },
  { name: 'enqueue, written', run: (queue) => [[queue.enqueue('a1', { durability: 'written' }), 'a1']] },
  { name: 'a batch', run: (queue) => [[queue.enqueueMany(['a1', 'a2', 'a3']), 'a1', 'a2', 'a3']] },
  { name: 'a roll', run: (queue) => [[queue.enqueueMany([LONG_1, LONG_2]), 'a1', 'a2']] },
  {
    name: 'calls of one tick, with a roll',
    run: (queue) => [
      [queue.enqueue(LONG_1), 'a1'],
      [queue.enqueue(LONG_2), 'a2'],
    ],
  },
  {
    name: 'a stream that is spooled',
    run: (queue) => [[queue.store.writeStream(streamOf('"a1"'.padEnd(1000))), 'a1']],
  },
  { name: 'dequeue', run: (queue) => [[queue.dequeue()]] },
  { name: 'dequeue, and a succession', limits: SHORT_JOURNALS, run: (queue) => [[queue.dequeue()]] },
  { name: 'claim', run: (queue) => [[queue.claim({ leaseMs: 60_000 }).then((delivery) => delivery?.value)]] },
  { name: 'delete', run: (queue) => [[queue.delete([1, 3])]] },
  { name: 'a transaction', deletes: [2, 3], run: transaction },
  { name: 'a transaction, and a succession', deletes: [2, 3], limits: SHORT_JOURNALS, run: transaction },
  { name: 'a transaction, taking over', deletes: [2, 3], afterDeath: true, run: transaction },
  {
    name: 'a transaction with a roll, and what comes behind it',
    deletes: [2, 3],
    run: (queue) => {
      const first = queue.store.transaction((tx) => {
        for (const value of ['a1', 'a2']) tx.write(Buffer.from(value.padEnd(200)));
        tx.delete(2);
        tx.delete(3);
      });
      return [
        [first, 'a1', 'a2'],
        [first.catch(() => {}).then(() => queue.enqueue('a3')), 'a3'],
      ];
    },
  },
  { name: 'enqueue, taking over', afterDeath: true, run: (queue) => [[queue.enqueue('a1'), 'a1']] },
  { name: 'dequeue, taking over', afterDeath: true, run: (queue) => [[queue.dequeue()]] },
  {
    name: 'calls at once, with a roll, taking over',
    afterDeath: true,
    run: (queue) => [
      [queue.enqueue(LONG_1), 'a1'],
      [queue.enqueue(LONG_2), 'a2'],
    ],
  },
];

export interface Told {
  readonly value?: unknown;
  readonly code?: unknown;
}

export async function told(call: Promise<unknown>): Promise<Told> {
  try {
    return { value: await call };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === undefined) throw error;
    return { code };
  }
}

/**
 * What the other does while the sleeper sleeps, in one stretch: takes the lock over, writes a record, takes a message, whose
 * index goes into `taken`. False where the lock cannot be had.
 */
export function intrude(engine: Engine, taken: number[]): boolean {
  const { locks, tenure, appender, journal, fates, tail } = engine;
  for (const end = performance.now() + 20; !locks.fate.tryEnter(); )
    if (performance.now() > end) return false;
  try {
    if (!locks.write.tryEnter()) throw new Error('one lock, and it cannot be had twice');
    try {
      tenure.enter();
      appender.catchUp();
      const batch = new Batch();
      batch.begin();
      batch.add(Buffer.from('"b"'));
      if (!appender.fits(batch.length)) appender.roll(1);
      appender.append(batch, 0, 1, 1, false);
      journal.catchUpLocked();
      const index = fates.taken.firstAbsent(1);
      journal.begin().gone(index, index + 1);
      journal.decided(1);
      journal.commit();
      if (index < tail.nextIndex) taken.push(index);
      if (tenure.isLost(tail.position())) throw new Error('nobody has taken it from the intruder');
    } finally {
      locks.write.leave();
    }
  } finally {
    locks.fate.leave();
  }
  locks.renounce();
  return true;
}

/** What somebody sees of the store. */
export interface Opinion {
  readonly seen: readonly string[];
  readonly next: number;
  readonly length: number;
}

/** What was there before. */
export async function prepare(queue: Queue<string>): Promise<void> {
  await queue.enqueueMany(['one', 'two', 'three']);
  await queue.enqueue('four');
}

export async function opinionOf(store: Store): Promise<Opinion> {
  const seen: string[] = [];
  for await (const entry of store.entries())
    seen.push(`${entry.index} ${Buffer.from(entry.data).toString().replaceAll('"', '').trim()}`);
  return { seen, next: await store.nextIndex(), length: await store.length() };
}

const FIRST = ['1 one', '2 two', '3 three', '4 four'];

export interface Outcome {
  readonly deed: Deed;
  readonly answers: readonly Told[];
  readonly enqueued: readonly (readonly string[])[];
  readonly taken: readonly number[];
  readonly intruded: boolean;
}

export function judge(t: Test, where: string, outcome: Outcome, { seen, next }: Opinion): void {
  const { deed, answers, enqueued, taken, intruded } = outcome;
  const all = new Map(seen.map((line) => [Number.parseInt(line, 10), line.slice(line.indexOf(' ') + 1)]));
  t.equal(all.size, seen.length, `${where}: no index twice`);
  for (const { code } of answers) if (code !== undefined) t.equal(code, 'LOCK_LOST', where);
  const values = [...all.values()];
  t.equal(values.filter((value) => value === 'b').length, intruded ? 1 : 0, `${where}: the other's, once`);
  const acknowledged = answers.flatMap(({ value }, at) =>
    value === undefined ? [] : [value].flat().map((index, i) => `${index} ${enqueued[at]?.[i]}`),
  );
  const own = seen.filter((line) => / a\d$/.test(line));
  const gone = new Set(taken);
  const answer = answers[0] as Told;
  if (answer.code === undefined) for (const index of deed.deletes ?? []) gone.add(index);
  if (enqueued.flat().length > 0)
    t.same(
      own,
      acknowledged,
      `${where}: what was acknowledged is there once, at its index, and nothing else`,
    );
  else if (answer.code === undefined && deed.name.startsWith('dequeue')) {
    const index = FIRST.findIndex((line) => line.endsWith(` ${answer.value}`)) + 1;
    t.notOk(gone.has(index), `${where}: nobody else has it`);
    gone.add(index);
  } else if (answer.code === undefined && deed.name === 'delete') {
    // The other took the first before or after it.
    t.equal(answer.value, gone.has(1) ? 1 : 2, `${where}: how many were there`);
    for (const index of [1, 3]) gone.add(index);
  } else if (answer.code === undefined) {
    t.notOk(
      gone.has(FIRST.findIndex((line) => line.endsWith(` ${answer.value}`)) + 1),
      `${where}: nobody else has it`,
    );
  }
  const left = FIRST.filter((line) => !gone.has(Number.parseInt(line, 10)));
  t.same(
    seen.filter((line) => FIRST.includes(line)),
    left,
    `${where}: what was there before`,
  );
  t.equal(next, 1 + FIRST.length + own.length + (intruded ? 1 : 0), `${where}: no index is skipped`);
}
