/**
 * With lock files, who has a tick enqueued may fall asleep over it at each of its operations. Meanwhile another takes the lock
 * over, and enqueues the tick itself, or something else. Then the sleeper wakes and goes on: the tick is there once.
 */
import t, { type Test } from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { tickRecord } from '../../src/queue/tick-record.js';
import { Batch } from '../../src/segment/batch.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { type NewTick, TickWriter } from '../../src/store/tick-writer.js';
import { DIRECTORY, openOn, START, ticksThere } from '../queue/tick-world.js';
import { MovedClock } from '../store/moved-clock.js';
import { until } from '../support/until.js';

const names = new FileNames(DIRECTORY, 'duro');
const TIME = START + 1000;
const WAIT_MS = 20_000;
const OPTIONS = { locking: 'lockfile', indexer: false } as const;

const openEngineOn = (opener: MemoryOpener, clock: MovedClock): Promise<Engine> =>
  Engine.open(opener, resolveStoreOptions({ directory: DIRECTORY, ...OPTIONS, clock }, new Set()));

const timesThere = (engine: Engine): string =>
  [...ticksThere(engine).values()].flatMap((tick) => (tick === undefined ? [] : [tick.time])).join();

type Deed = 'ticks' | 'writes' | 'only looks';

/** Has the tick enqueued that is due, unless it was. */
const tickOnce = (engine: Engine): (() => NewTick[]) => {
  return () => {
    const state = engine.fates.schedules.get('s');
    if (state === undefined || state.last !== undefined) return [];
    return [{ name: 's', time: TIME, record: tickRecord(state.schedule, TIME, TIME), durable: true }];
  };
};

/** What the other does while the sleeper sleeps, in one stretch. False where the lock cannot be had. */
function intrude(engine: Engine, deed: Deed): boolean {
  const { locks, tenure, journal, appender, tail, clock } = engine;
  for (const end = performance.now() + 20; !locks.fate.tryEnter(); )
    if (performance.now() > end) return false;
  try {
    if (!locks.write.tryEnter()) throw new Error('one lock, and it cannot be had twice');
    try {
      if (deed === 'writes') {
        tenure.enter();
        journal.catchUpLocked();
        appender.catchUp();
        const batch = new Batch();
        batch.begin();
        batch.add(Buffer.from('"other"'));
        appender.append(batch, 0, 1, clock.now(), false);
      } else {
        const outcome = new TickWriter(engine).commit(deed === 'ticks' ? tickOnce(engine) : () => []);
        if (typeof outcome === 'string') throw new Error(`the intruder is ${outcome}`);
      }
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

async function run(t: Test, deed: Deed, n: number): Promise<boolean> {
  const machine = new MemoryDisk();
  const clock = new MovedClock();
  const options = { ...OPTIONS, clock };
  const openEngine = (): Promise<Engine> => openEngineOn(machine.opener(), clock);
  const queue = await openOn(machine.opener('sleeper'), clock, options);
  await queue.enqueue('before');
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  const other = await openEngine();
  other.locks.renounce();
  let slept: Operation | undefined;
  let intruded = false;
  let count = 0;
  machine.onOperation = (operation) => {
    if (operation.opener !== 'sleeper') return undefined;
    count += 1;
    if (count === n) {
      slept = operation;
      machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
      intruded = intrude(other, deed);
    }
    return undefined;
  };
  clock.advance(1000);
  const ticked = async (): Promise<boolean> => (await queue.schedules())[0]?.last?.getTime() === TIME;
  await until('the tick', ticked, WAIT_MS);
  machine.onOperation = undefined;
  const where = `${deed}, asleep at ${n}: ${slept?.kind} ${slept?.path}, intruded: ${intruded}`;
  const fresh = await openEngine();
  const times = timesThere(fresh);
  if (times !== `${TIME}`) t.fail(where, { times });
  await Promise.all([queue.close(), fresh.close(), other.close()]);
  return slept !== undefined;
}

for (const deed of ['ticks', 'writes', 'only looks'] as const) {
  t.test(`who ticks sleeps at each of its operations, and another ${deed}`, async (t) => {
    let n = 1;
    while (await run(t, deed, n)) n += 1;
    t.ok(n > 10, `${n} operations`);
  });
}

/** The sleeper is about to begin, and wakes at the n-th operation of who takes over, before that has read everything. */
async function wakeAmidst(t: Test, deed: Deed, n: number): Promise<boolean> {
  const machine = new MemoryDisk();
  const clock = new MovedClock();
  const queue = await openOn(machine.opener(), clock, OPTIONS);
  await queue.enqueue('before');
  await queue.schedule('s', { everyMs: 1000 }, 'tick');
  await queue.close();
  const sleeper = await openEngineOn(machine.opener('sleeper'), clock);
  const other = await openEngineOn(machine.opener('other'), clock);
  other.locks.renounce();
  await sleeper.locks.fate.enter();
  await sleeper.locks.write.enter();
  sleeper.tenure.enter();
  sleeper.journal.catchUpLocked();
  sleeper.appender.catchUp();
  machine.opener('time').setModifiedAt(names.lockDirectory(), 1);
  let woke: Operation | undefined;
  let count = 0;
  machine.onOperation = (operation) => {
    if (operation.opener !== 'other') return undefined;
    count += 1;
    if (count === n) {
      woke = operation;
      new TickWriter(sleeper).commit(tickOnce(sleeper));
    }
    return undefined;
  };
  const intruded = intrude(other, deed);
  machine.onOperation = undefined;
  sleeper.locks.write.leave();
  sleeper.locks.fate.leave();
  const where = `${deed}, awake at ${n}: ${woke?.kind} ${woke?.path}, intruded: ${intruded}`;
  clock.setWall(TIME);
  const last = await openOn(machine.opener(), clock, OPTIONS);
  await until('the tick', async () => (await last.schedules())[0]?.last?.getTime() === TIME, WAIT_MS);
  const fresh = await openEngineOn(machine.opener(), clock);
  const times = timesThere(fresh);
  if (times !== `${TIME}`) t.fail(where, { times });
  await Promise.all([last.close(), fresh.close(), other.close(), sleeper.close()]);
  return woke !== undefined;
}

for (const deed of ['ticks', 'writes', 'only looks'] as const) {
  t.test(`who ticks wakes amidst the take-over by another, which ${deed}`, async (t) => {
    let n = 1;
    while (await wakeAmidst(t, deed, n)) n += 1;
    t.ok(n > 10, `${n} operations`);
  });
}
