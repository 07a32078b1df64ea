/**
 * Two processes do things at random, and the power is cut at a random operation, or they die; then others go on with what is left, several
 * times over. What each finds is judged, and is the truth from then on. `ROUNDS`: how many such histories. `SEED` is that of the first
 * one; a failure names its own.
 */
import process from 'node:process';
import t from 'tap';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { PowerCut } from '../../src/disk/memory-power-cut.js';
import { ManualClock } from '../../src/memory/manual-clock.js';
import { DurostoreError } from '../../src/mod.js';
import { type Random, random, randomFrom } from '../support/random.js';
import { Actor, isOfLockDirectory, nextTurn, type Options, SHORT_JOURNALS } from './actor.js';
import { Findings } from './explore.js';
import { History } from './history.js';
import { judge } from './judge.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 15);
const LIVES = 4;
/** More than any call here needs: one that does not end. */
const MOST_TURNS = 5000;
const TURNS_AT_ONCE = 20;

type Act = (actor: Actor, numbers: Random, consumer: string) => Promise<void>;

const size = (numbers: Random): number =>
  numbers.pick([4, 40, numbers.integer(4, 160), numbers.integer(4, 600)]);
const sizes = (numbers: Random, most: number): number[] =>
  Array.from({ length: numbers.integer(1, most) }, () => numbers.integer(4, 120));
const place = (numbers: Random): number => numbers.pick([0, 0, numbers.integer(0, 12), -1]);

/** What may be done beside what another does at the same time, as often as it stands here. */
const BESIDE: readonly (readonly [string, Act])[] = [
  ['write', (actor, numbers) => actor.write(size(numbers))],
  ['write', (actor, numbers) => actor.write(size(numbers))],
  ['write, synced', (actor, numbers) => actor.write(size(numbers), 'synced')],
  ['write, many', (actor, numbers) => actor.writeMany(sizes(numbers, 5))],
  ['stream', (actor, numbers) => actor.writeStream(numbers.integer(4, 1800))],
  ['transaction', (actor, numbers) => actor.transaction(sizes(numbers, 3), ...places(numbers))],
  ['transaction', (actor, numbers) => actor.transaction(sizes(numbers, 3), ...places(numbers))],
  ['dequeue', (actor) => actor.dequeue()],
  ['claim', (actor) => actor.claim()],
  ['ack', (actor) => actor.ack()],
  ['sync', (actor) => actor.sync()],
];

const ALONE: readonly (readonly [string, Act])[] = [
  ...BESIDE,
  ...BESIDE,
  ['delete', (actor, numbers) => actor.delete(place(numbers), numbers.integer(0, 20))],
  ['delete the first', (actor) => actor.deleteFirst()],
  ['dequeue, many', (actor, numbers) => actor.dequeueMany(numbers.integer(1, 4))],
  ['prune', (actor, numbers) => actor.prune(numbers.integer(0, 8), false)],
  ['nack', (actor) => actor.nack()],
  ['extend', (actor) => actor.extend()],
  ['consume', (actor, numbers, consumer) => actor.consume(consumer, numbers.integer(1, 5))],
  ['consume', (actor, numbers, consumer) => actor.consume(consumer, numbers.integer(1, 5))],
  ['seek', (actor, numbers, consumer) => actor.seek(consumer, place(numbers))],
  ['remove the consumer', (actor, _, consumer) => actor.removeConsumer(consumer)],
  ['look', (actor) => actor.read()],
  ['close and open', (actor) => actor.close().then(() => actor.open())],
];

const places = (numbers: Random): number[] =>
  Array.from({ length: numbers.integer(0, 3) }, () => place(numbers));

const chosenCut = (numbers: Random): PowerCut => ({
  writes: numbers.pick(['keep', 'lose', 'random', 'random']),
  names: numbers.pick(['keep', 'lose', 'random', 'random']),
  tear: numbers.pick(['none', 'sector', 'byte']),
  sizes: numbers.pick(['keep', 'lose', 'random']),
  garble: numbers.chance(0.5),
  seed: numbers.integer(0, 2 ** 31),
});

function chosenOptions(numbers: Random, locking: 'os' | 'lockfile'): Options {
  return {
    locking,
    durability: numbers.pick(['written', 'written', 'synced']),
    maxFileSize: numbers.integer(900, 2400),
    syncIntervalMs: numbers.pick([5, 50, 100_000]),
    ...(numbers.chance(0.3) && { limits: SHORT_JOURNALS }),
  };
}

/** What two processes do from one crash to the next. */
class Life {
  readonly machine: MemoryDisk;
  readonly history: History;
  readonly clock = new ManualClock();
  /** What was done, for who has to understand it. */
  readonly trace: string[] = [];
  readonly #options: Options;
  /** What there was when it ended. */
  #left: { readonly machine: MemoryDisk; readonly history: History } | undefined;
  readonly actors: readonly [Actor, Actor];

  constructor(machine: MemoryDisk, history: History, options: Options) {
    this.machine = machine;
    this.history = history;
    this.#options = { ...options, clock: this.clock };
    this.actors = [this.#actor('a'), this.#actor('b')];
  }

  #actor(name: string): Actor {
    return new Actor(this.machine.opener(name), this.history, this.#options);
  }

  get isOver(): boolean {
    return this.#left !== undefined;
  }

  /** It ends before that operation from now, if not earlier. */
  endsAt(operations: number): void {
    let left = operations;
    this.machine.onOperation = (operation) => {
      if (this.isOver) return 'die';
      // How often that is tried depends on the time.
      if (isOfLockDirectory(operation)) return undefined;
      left -= 1;
      if (left > 0) return undefined;
      this.trace.push(`the end, at ${operation.kind} ${operation.path}`);
      this.end();
      return 'die';
    };
  }

  /** What there is now is what the next ones find. */
  end(): { readonly machine: MemoryDisk; readonly history: History } {
    this.#left ??= { machine: this.machine.fork(1), history: this.history.fork() };
    return this.#left;
  }

  /** Does it while time goes on, as long as nobody has cut it short. */
  async does(what: string, ...calls: readonly Promise<unknown>[]): Promise<void> {
    this.trace.push(what);
    let isDone = false;
    const outcomes = Promise.allSettled(calls);
    outcomes.then(() => {
      isDone = true;
    });
    for (let turn = 1; !isDone && !this.isOver; turn++) {
      if (turn > MOST_TURNS) throw new Error(`${what}: this does not end`);
      await nextTurn();
      if (turn % TURNS_AT_ONCE === 0) await this.clock.advance(5);
    }
    if (this.isOver) return;
    for (const outcome of await outcomes)
      if (outcome.status === 'rejected' && !isLockLost(outcome.reason)) throw outcome.reason;
  }
}

/** While one dies, time passes for the locks of the other. */
const isLockLost = (error: unknown): boolean => error instanceof DurostoreError && error.code === 'LOCK_LOST';

async function live(life: Life, numbers: Random): Promise<void> {
  const [a, b] = life.actors;
  if (!b.isOpen) await life.does('b opens', b.open());
  for (let step = numbers.integer(3, 30); step > 0 && !life.isOver; step--) {
    const [one, other, name] = numbers.chance(0.5) ? [a, b, 'a'] : [b, a, 'b'];
    const [what, act] = numbers.pick(ALONE);
    const time = numbers.integer(0, 25);
    if (numbers.chance(0.15)) {
      const [first, second] = [numbers.pick(BESIDE), numbers.pick(BESIDE)];
      const both = [first[1](one, numbers, ''), second[1](other, numbers, '')];
      await life.does(`at once: ${first[0]}, ${second[0]}`, ...both);
    } else if (numbers.chance(0.1)) await life.does(`${time} ms`, life.clock.advance(time));
    else if (numbers.chance(0.02)) {
      life.trace.push(`${name} dies`);
      one.die();
      await life.does(`${name} opens again`, one.open());
    } else await life.does(`${name}: ${what}`, act(one, numbers, name));
  }
}

/** Somebody opens what a crash has left; returns what is wrong with it. What is there is the truth from then on. */
async function find(life: Life, after: 'death' | 'cut'): Promise<string[]> {
  const { history } = life;
  const [finder] = life.actors;
  const told = history.fork();
  await life.does('a opens', finder.open());
  const entries = await finder.entries();
  const positions = history.isAboutConsumers ? await finder.positions() : [];
  const next = await finder.nextIndex();
  const problems = [...told.judge(entries, after), ...told.judgePositions(positions, after)];
  if (next <= told.highestKept(after)) problems.push(`index ${next} is given again`);
  history.survived(entries, positions, after);
  return problems;
}

async function round(seed: number, locking: 'os' | 'lockfile'): Promise<string[]> {
  const numbers = randomFrom(seed);
  const options = chosenOptions(numbers, locking);
  const trace = [JSON.stringify(options)];
  let machine = new MemoryDisk({
    seed: numbers.integer(1, 2 ** 31),
    canLock: locking === 'os' || numbers.chance(0.5),
    syncKeepsNames: numbers.chance(0.3),
    deathTakesMs: locking === 'lockfile' ? 60_000 : 0,
  });
  let history = new History();
  let after: 'death' | 'cut' = 'cut';
  for (let number = 1; number <= LIVES; number++) {
    const life = new Life(machine, history, options);
    try {
      const problems = await find(life, after);
      if (problems.length > 0) return [...problems, ...trace];
      if (numbers.chance(0.7)) life.endsAt(numbers.integer(1, 600));
      await live(life, numbers);
    } catch (error) {
      return [
        error instanceof Error ? (error.stack ?? error.message) : String(error),
        ...trace,
        ...life.trace,
      ];
    }
    ({ machine, history } = life.end());
    // What judges the last of them takes records for lost only by a power cut.
    after = number === LIVES || numbers.chance(0.85) ? 'cut' : 'death';
    const cut = chosenCut(numbers);
    if (after === 'cut') machine.powerCut(cut);
    else machine.age(machine.deathTakesMs);
    trace.push(...life.trace, after === 'cut' ? JSON.stringify(cut) : 'they die');
  }
  const problems = await judge(machine, history, options, after);
  return problems.length > 0 ? [...problems, ...trace] : [];
}

for (const locking of ['os', 'lockfile'] as const) {
  t.test(`random calls of two processes, and random power cuts: ${locking}`, async (t) => {
    const { seed } = random(t);
    const findings = new Findings(t);
    for (let at = 0; at < ROUNDS; at++)
      findings.add(`SEED=${seed + at} ROUNDS=1`, await round(seed + at, locking));
    findings.end('random power cuts');
  });
}
