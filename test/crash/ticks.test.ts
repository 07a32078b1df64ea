/**
 * A process dies at each operation while schedules tick, before it and within its writes; and the power with it. Whoever comes
 * then enqueues each tick that is due, and none twice, also where somebody had the record before it was known what it is.
 */
import t from 'tap';
import type { MemoryDisk } from '../../src/disk/memory.js';
import type { Operation } from '../../src/disk/memory-fault.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions, type StoreOptions } from '../../src/store/options.js';
import { settle } from '../queue/settle.js';
import { eventually, openOn, START, ticksThere, type WrittenTick } from '../queue/tick-world.js';
import { MovedClock } from '../store/moved-clock.js';
import { random } from '../support/random.js';
import { DIRECTORY, machineFor, type Options, SHORT_JOURNALS } from './actor.js';
import { CUTS, Findings } from './explore.js';
import { History } from './history.js';
import { torn } from './moments.js';

const TICKS = 3;
const EVERY_MS = 1000;
const END = START + TICKS * EVERY_MS;

interface TickMoment {
  readonly operation: Operation | undefined;
  readonly machine: MemoryDisk;
  readonly history: History;
  /** Whether the call that made the schedule had resolved. */
  readonly isScheduled: boolean;
  /** What the records were that may be gone by then. */
  readonly seen: ReadonlyMap<number, WrittenTick | undefined>;
}

const openEngineOn = (machine: MemoryDisk, options: Partial<StoreOptions>): Promise<Engine> => {
  const resolved = resolveStoreOptions({ directory: DIRECTORY, indexer: false, ...options }, new Set());
  return Engine.open(machine.opener('watcher'), resolved);
};

/** All moments of two processes that have ticks enqueued, while one of them consumes. */
async function moments(options: Options): Promise<readonly TickMoment[]> {
  const { limits, ...store } = options;
  const machine = machineFor(options);
  const clock = new MovedClock();
  const found: TickMoment[] = [];
  const history = new History();
  let isScheduled = false;
  let seen: ReadonlyMap<number, WrittenTick | undefined> = new Map();
  const record = (operation: Operation | undefined): undefined => {
    if (operation?.opener === 'watcher') return undefined;
    machine.digest();
    const fork = machine.fork(1);
    fork.age(machine.deathTakesMs);
    const write = operation?.write && {
      position: operation.write.position,
      bytes: Uint8Array.from(operation.write.bytes),
    };
    found.push({
      operation: operation && { ...operation, write },
      machine: fork,
      history,
      isScheduled,
      seen,
    });
    return undefined;
  };
  const a = await openOn(machine.opener('a'), clock, store, limits);
  const b = await openOn(machine.opener('b'), clock, store, limits);
  const watcher = await openEngineOn(machine, { ...store, clock });
  const look = (): void => {
    seen = new Map([...seen, ...ticksThere(watcher)]);
  };
  machine.onOperation = record;
  await a.enqueue('before');
  await b.schedule('s', { everyMs: EVERY_MS }, 'tick', { missed: 'all' });
  isScheduled = true;
  for (let tick = 1; tick <= TICKS; tick++) {
    clock.advance(EVERY_MS);
    // Somebody writes while it ticks, and may get the index that was meant for it.
    const [other] = await Promise.all([a.enqueue(`beside ${tick}`, { durability: 'written' }), settle(2)]);
    const last = START + tick * EVERY_MS;
    const ticked = await eventually(async () => (await b.schedules())[0]?.last?.getTime() === last);
    if (!ticked) throw new Error(`no tick ${tick} beside ${other}`);
    look();
    if (tick % 2 === 1) await b.dequeueMany(2);
    else await (await a.claim())?.ack();
  }
  machine.onOperation = undefined;
  record(undefined);
  await a.close();
  await b.close();
  await watcher.close();
  return found;
}

/**
 * What is wrong with a state after a crash. `consume`: before anybody ticks again, somebody writes, which may get the index that
 * was meant for a tick, and consumes everything.
 */
async function judge(
  machine: MemoryDisk,
  moment: TickMoment,
  options: Options,
  consume: boolean,
): Promise<string[]> {
  const { limits, ...store } = options;
  const clock = new MovedClock();
  clock.setWall(END);
  const seen = new Map(moment.seen);
  const look = (engine: Engine): void => {
    for (const [index, tick] of ticksThere(engine)) seen.set(index, tick);
  };
  try {
    if (consume) {
      const consumer = await openEngineOn(machine, { ...store, clock });
      await consumer.writer.write([{ payload: Buffer.from('other') }], false);
      look(consumer);
      const { tail, decider, sweeper } = consumer;
      await decider.decide((facts) => {
        if (tail.nextIndex > 1) facts.gone(1, tail.nextIndex);
      }, true);
      sweeper.checkAll();
      await consumer.close();
    }
    const queue = await openOn(machine.opener('next'), clock, store, limits);
    const [schedule] = await queue.schedules();
    if (schedule === undefined) {
      if (moment.isScheduled) return ['the schedule is gone'];
    } else if (!(await eventually(async () => (await queue.schedules())[0]?.last?.getTime() === END)))
      return [`it does not go on: ${JSON.stringify(await queue.schedules())}`];
    const engine = await openEngineOn(machine, { ...store, clock });
    look(engine);
    const times: number[] = [];
    for (let index = 1; index < engine.tail.nextIndex; index++) {
      const tick = engine.fates.lostSet.has(index) ? undefined : seen.get(index);
      if (tick !== undefined) times.push((tick.time - START) / EVERY_MS);
    }
    const expected = schedule === undefined ? [] : Array.from({ length: TICKS }, (_, at) => at + 1);
    await engine.close();
    await queue.close();
    return times.join() === expected.join() ? [] : [`ticks ${times.join()}, not ${expected.join()}`];
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

const variants: readonly (readonly [string, Options])[] = [
  ['synced', { durability: 'synced' }],
  ['written', { durability: 'written' }],
  ['small segments, journals that are succeeded all the time', { maxFileSize: 512, limits: SHORT_JOURNALS }],
  ['lock files', { locking: 'lockfile' }],
];

for (const [name, options] of variants) {
  t.test(`each tick once, whenever a process dies or the power fails: ${name}`, async (t) => {
    const numbers = random(t);
    const findings = new Findings(t);
    const known = new Set<string>();
    const all = await moments(options);
    const look = async (
      state: MemoryDisk,
      moment: TickMoment,
      where: string,
      ways: readonly boolean[] = [false, true],
    ): Promise<void> => {
      const key = `${state.digest()} ${moment.isScheduled} ${[...moment.seen.keys()].join()}`;
      if (known.has(key)) return;
      known.add(key);
      for (const consume of ways)
        findings.add(
          `${where}${consume ? ', then all is consumed' : ''}`,
          await judge(state.fork(1), moment, options, consume),
        );
    };
    for (const moment of all) {
      const { operation } = moment;
      const where = `at ${operation?.n}, ${operation?.kind ?? 'the end'} ${operation?.path ?? ''} by ${operation?.opener}`;
      await look(moment.machine.fork(1), moment, where);
      const length = operation?.write?.bytes.length ?? 0;
      const half = length > 1 ? torn(moment, numbers.integer(1, length - 1)) : undefined;
      if (half !== undefined) await look(half, moment, `${where}, torn`);
      for (const cut of CUTS) {
        // With lock files each opening has to take over, which takes its time.
        if (numbers.chance(options.locking === 'lockfile' ? 0.8 : 0.5)) continue;
        const state = (numbers.chance(0.3) ? half : undefined)?.fork(1) ?? moment.machine.fork(1);
        const chosen = { ...cut, seed: numbers.integer(0, 2 ** 31) };
        state.powerCut(chosen);
        await look(state, moment, `${where}; ${JSON.stringify(chosen)}`, [numbers.chance(0.5)]);
      }
    }
    t.comment(`${known.size} states of ${all.length} moments`);
    findings.end(name);
  });
}
