import { join } from 'node:path';
import type { Test } from 'tap';
import { openQueue } from '../../src/mod.js';
import { pause } from '../support/pause.js';
import { type Program, startProgram } from '../support/processes.js';
import { type Random, random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { Orders } from './child.js';
import type { ConsumerOrders } from './consumer-child.js';
import { readNotes } from './notes.js';
import type { ProducerOrders } from './producer-child.js';

/** Longer than any soak takes: what comes back does so because its holder is seen to be dead. */
const LEASE_MS = 60_000;
/** From when a holder is known to be dead to the next delivery of what it held; under a busy machine. */
const BACK_WITHIN_MS = 10_000;
const DRAINED_WITHIN_MS = 20_000;
const LONGEST_STOP_MS = 300;
const NEVER = 1e9;

export interface SoakPlan {
  readonly options: Orders['options'];
  readonly producers: { readonly count: number; readonly batch: number };
  readonly consumers: {
    readonly count: number;
    readonly batch: number;
    readonly how: 'claim' | 'dequeue';
    /** Where nothing but its end tells that the holder is dead. */
    readonly leaseMs?: number;
    /** One claim in so many is given back. */
    readonly nackOneIn?: number;
  };
  /** Everybody closes and opens again after so many calls. */
  readonly reopenEvery?: number;
  /** Which blows fall, each at random on one process, or now and then on all. */
  readonly blows: readonly ('kill' | 'stop')[];
  readonly forMs: number;
}

/** One life of a place that somebody always fills. */
interface Life {
  readonly program: Program;
  readonly notes: string;
  /** Wall time of its SIGKILL. */
  killedAt: number | undefined;
}

interface Place {
  readonly role: 'producer' | 'consumer';
  readonly name: string;
  readonly lives: Life[];
}

/** A message in a consumer's hands. */
export interface Witnessed {
  readonly at: number;
  readonly index: number;
  readonly attempt: number;
  readonly id: string;
  readonly life: Life;
  /** Whether its consumer noted that the acknowledgement had resolved. */
  readonly acked: boolean;
  /** Or gave it back. */
  readonly nacked: boolean;
}

export interface SoakResult {
  /** Acknowledged to producers, in any order. */
  readonly acknowledged: readonly { readonly index: number; readonly id: string }[];
  readonly witnessed: readonly Witnessed[];
  readonly kills: number;
  readonly killedConsumers: number;
  /** How long after a death the next delivery may come. */
  readonly backWithinMs: number;
}

/** Producers and consumers at work while blows fall; then peace, until everything is drained and everybody has left. */
export async function soak(t: Test, plan: SoakPlan): Promise<SoakResult> {
  const { options, reopenEvery = NEVER } = plan;
  const chance = random(t);
  const directory = await temporaryDirectory(t);
  const scratch = await temporaryDirectory(t);
  const places = [
    ...Array.from({ length: plan.producers.count }, (_, n) => place('producer', n)),
    ...Array.from({ length: plan.consumers.count }, (_, n) => place('consumer', n)),
  ];
  const begin = (place: Place): void => {
    const name = `${place.name}.${place.lives.length}`;
    const notes = join(scratch, name);
    const orders: ProducerOrders | ConsumerOrders =
      place.role === 'producer'
        ? { directory, options, name, notes, batch: plan.producers.batch, count: NEVER, reopenEvery }
        : {
            directory,
            options,
            notes,
            how: plan.consumers.how,
            batch: plan.consumers.batch,
            leaseMs: plan.consumers.leaseMs ?? LEASE_MS,
            count: NEVER,
            nackOneIn: plan.consumers.nackOneIn ?? NEVER,
            reopenEvery,
          };
    const program = startProgram(t, `test/processes/${place.role}-child.js`, {
      args: [JSON.stringify(orders)],
    });
    place.lives.push({ program, notes, killedAt: undefined });
  };
  for (const place of places) begin(place);

  const end = performance.now() + plan.forMs;
  // With lock files nobody gets in for seconds where the one who had the lock was killed.
  const [least, most] = plan.options.locking === 'lockfile' ? [1500, 3000] : [100, 400];
  while (performance.now() < end) {
    await pause(chance.integer(least, most));
    for (const place of places) assertAlive(place);
    const struck = chance.chance(0.1) ? places : [chance.pick(places)];
    await strike(chance, plan.blows, struck);
    for (const place of struck) if (last(place).killedAt !== undefined) begin(place);
  }

  const ofRole = (role: Place['role']): Place[] => places.filter((place) => place.role === role);
  await endInPeace(ofRole('producer'));
  const queue = await openQueue<string>({ ...options, directory });
  await until(
    'the queue is drained',
    async () => {
      const { waiting, claimed } = await queue.stats();
      return waiting === 0 && claimed === 0;
    },
    DRAINED_WITHIN_MS,
  );
  await endInPeace(ofRole('consumer'));
  const stats = await queue.stats();
  t.strictSame(
    { waiting: stats.waiting, claimed: stats.claimed, files: stats.files, lost: stats.lost },
    { waiting: 0, claimed: 0, files: 1, lost: 0 },
    'nothing is left, and nothing was lost',
  );
  await queue.close();

  const killed = (some: readonly Place[]): number =>
    some.flatMap((place) => place.lives).filter((life) => life.killedAt !== undefined).length;
  const result: SoakResult = {
    acknowledged: ofRole('producer').flatMap(readAcknowledged),
    witnessed: ofRole('consumer').flatMap(readWitnessed),
    kills: killed(places),
    killedConsumers: killed(ofRole('consumer')),
    backWithinMs: BACK_WITHIN_MS + (plan.consumers.leaseMs ?? 0),
  };
  t.comment(
    `${result.acknowledged.length} acknowledged, ${result.witnessed.length} deliveries, ${result.kills} kills`,
  );
  return result;
}

/** Acknowledged messages that nobody had. */
export function unseen({ acknowledged, witnessed }: SoakResult): string[] {
  const seen = new Set(witnessed.map(({ id }) => id));
  return acknowledged.filter(({ id }) => !seen.has(id)).map(({ id }) => id);
}

/** Indexes that stand for two messages, and messages that stand at two. */
export function givenTwice({ acknowledged, witnessed }: SoakResult): string[] {
  const idOf = new Map<number, string>();
  const indexOf = new Map<string, number>();
  const wrong: string[] = [];
  for (const { index, id } of [...acknowledged, ...witnessed]) {
    if ((idOf.get(index) ?? id) !== id) wrong.push(`index ${index}: ${idOf.get(index)} and ${id}`);
    if ((indexOf.get(id) ?? index) !== index) wrong.push(`${id}: index ${indexOf.get(id)} and ${index}`);
    idOf.set(index, id);
    indexOf.set(id, index);
  }
  const once = new Set<string>();
  for (const { id } of acknowledged) {
    if (once.has(id)) wrong.push(`${id} was acknowledged twice`);
    once.add(id);
  }
  return wrong;
}

/** Deliveries again of what was not in the hands of a consumer that was killed, or that came back late. */
export function unjustified({ witnessed, backWithinMs }: SoakResult): string[] {
  const byIndex = new Map<number, Witnessed[]>();
  for (const one of witnessed) byIndex.set(one.index, [...(byIndex.get(one.index) ?? []), one]);
  const wrong: string[] = [];
  for (const [index, deliveries] of byIndex) {
    const inOrder = deliveries.sort((a, b) => a.attempt - b.attempt);
    for (const [at, next] of inOrder.entries()) {
      const before = inOrder[at - 1];
      if (before === undefined) continue;
      const { killedAt } = before.life;
      if (next.attempt === before.attempt) wrong.push(`message ${index} twice as attempt ${next.attempt}`);
      if (before.nacked) continue;
      if (killedAt === undefined) wrong.push(`message ${index} again, though its holder lived`);
      else if (before.acked) wrong.push(`message ${index} again after its acknowledgement`);
      else if (next.at - killedAt > backWithinMs)
        wrong.push(`message ${index} came back ${next.at - killedAt} ms after its holder's death`);
    }
  }
  return wrong;
}

const place = (role: Place['role'], n: number): Place => ({ role, name: `${role}${n}`, lives: [] });

function last(place: Place): Life {
  const life = place.lives.at(-1);
  if (life === undefined) throw new Error(`${place.name} never lived`);
  return life;
}

/** A program that ended by itself has failed, and says why. */
function assertAlive(place: Place): void {
  const { program } = last(place);
  if (!program.running) throw new Error(`${place.name} ended by itself: ${program.stderr}`);
}

async function strike(
  chance: Random,
  blows: readonly ('kill' | 'stop')[],
  struck: readonly Place[],
): Promise<void> {
  const blow = chance.pick(blows);
  const lives = struck.map(last);
  if (blow === 'stop') {
    for (const { program } of lives) program.pause();
    await pause(chance.integer(1, LONGEST_STOP_MS));
    for (const { program } of lives) program.resume();
    return;
  }
  await Promise.all(
    lives.map((life) => {
      life.killedAt = Date.now();
      return life.program.kill();
    }),
  );
}

async function endInPeace(places: readonly Place[]): Promise<void> {
  for (const place of places) last(place).program.send('stop');
  for (const place of places) {
    const { program } = last(place);
    const { code, signal } = await program.ended();
    if (code !== 0) throw new Error(`${place.name} ended with ${signal ?? code}: ${program.stderr}`);
  }
}

function readAcknowledged({ lives }: Place): { index: number; id: string }[] {
  return lives.flatMap(({ notes }) =>
    readNotes(notes).map(([index, id]) => ({ index: Number(index), id: id ?? 'none' })),
  );
}

function readWitnessed({ lives }: Place): Witnessed[] {
  return lives.flatMap((life) => {
    const lines = readNotes(life.notes);
    const settled = new Set(lines.filter(([word]) => word !== 'got').map((words) => words.join(' ')));
    return lines
      .filter(([word]) => word === 'got')
      .map(([, at, index, attempt, id]) => ({
        at: Number(at),
        index: Number(index),
        attempt: Number(attempt),
        id: id ?? 'none',
        life,
        acked: settled.has(`acked ${index} ${attempt}`),
        nacked: settled.has(`nacked ${index} ${attempt}`),
      }));
  });
}
