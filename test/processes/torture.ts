/** Transactions, streams and named consumers of one store while processes are killed and stopped at random, and a judgement. */
import { join } from 'node:path';
import { systemClock } from '../../src/clock.js';
import { openStore, type Report, verify } from '../../src/mod.js';
import { checkDirectory } from '../support/consistency.js';
import { pause } from '../support/pause.js';
import { type Program, startProgram } from '../support/processes.js';
import { until } from '../support/until.js';
import { readNotes } from './notes.js';
import type { SoakSite } from './soak.js';
import type { SoakOrders } from './soak-plan.js';
import { judgeTorture, type TortureEnd, type TortureJudgement, type TortureLife } from './torture-judge.js';
import { originOf } from './torture-records.js';

type Role = 'transactor' | 'streamer' | 'committer' | 'follower' | 'verifier';

const PLACES: readonly Role[] = [
  ...(['transactor', 'transactor', 'streamer', 'streamer'] as const),
  ...(['committer', 'committer', 'committer', 'follower', 'verifier'] as const),
];

export interface TortureOrders extends Omit<SoakOrders, 'role'> {
  readonly role: Role;
  /** The name of a committer's consumer. */
  readonly consumer: string;
}

export interface TorturePlan {
  readonly locking: 'os' | 'lockfile';
  readonly forMs: number;
  readonly killEveryMs: number;
  /** Between two stops, about; none without. */
  readonly stopEveryMs?: number;
  readonly longestStopMs?: number;
}

export interface TortureResult extends TortureJudgement {
  readonly kills: number;
  readonly stops: number;
  readonly report: Report;
  readonly problems: readonly string[];
}

const ALL_ONE_IN = 20;
const ENDED_WITHIN_MS = 90_000;
const LONGEST_STOP_MS = 300;

/** Everything small, so that files are rolled, removed and succeeded all the time. */
const soakPlan = ({ locking, forMs }: TorturePlan): SoakOrders['plan'] => ({
  options: { locking, maxFileSize: 32 * 1024 },
  limits: {
    reserveBytes: 16 * 1024,
    leastReserveBytes: 4096,
    leastGainBytes: 1024,
    shortenFromBytes: 16 * 1024,
    shortenFactor: 2,
  },
  producers: { count: 0, batch: 1 },
  consumers: { count: 0, batch: 1, deeds: {} },
  reopenEvery: 100,
  forMs,
});

interface Incumbent {
  readonly program: Program;
  readonly notes: string;
  resumeAt: number | undefined;
}

export async function torture(site: SoakSite, plan: TorturePlan): Promise<TortureResult> {
  const { starter, chance, directory, scratch, signal } = site;
  const origin = systemClock.monotonic();
  const lives: string[] = [];
  const incumbents: Incumbent[] = [];
  const begin = (place: number): Incumbent => {
    const role = PLACES[place] ?? 'follower';
    const notes = join(scratch, `${role}.${lives.length}`);
    const orders: TortureOrders = {
      directory,
      options: soakPlan(plan).options,
      plan: soakPlan(plan),
      role,
      // Two share one, and one has another alone.
      consumer: place % 2 === 0 ? 'mail' : 'audit',
      seed: chance.integer(0, 2 ** 32 - 1),
      life: lives.length,
      notes,
      origin,
    };
    lives.push(notes);
    const args = [JSON.stringify(orders)];
    return {
      program: startProgram(starter, 'test/processes/torture-child.js', { args }),
      notes,
      resumeAt: undefined,
    };
  };
  for (const place of PLACES.keys()) incumbents.push(begin(place));
  const worked = ['done', 'streamed', 'committed'];
  await until(
    'all are at work',
    () => worked.every((word) => lives.some((path) => hasNoted(path, word))),
    60_000,
  );
  let [kills, stops] = [0, 0];
  const now = (): number => systemClock.monotonic() - origin;
  const end = now() + plan.forMs;
  const next = (everyMs: number | undefined): number =>
    everyMs === undefined ? Number.POSITIVE_INFINITY : now() + everyMs * (0.5 + chance.next());
  let [killAt, stopAt] = [next(plan.killEveryMs), next(plan.stopEveryMs)];
  const assertAlive = (): void => {
    for (const { program } of incumbents)
      if (!program.running) throw new Error(`a process ended by itself: ${program.stderr}`);
  };
  /** Mostly somebody who works already: on a busy machine nobody would ever get so far. */
  const someone = (): number[] => {
    const working = [...PLACES.keys()].filter((place) => hasNoted(incumbents[place]?.notes ?? '', ''));
    return [chance.pick(chance.chance(0.9) && working.length > 0 ? working : [...PLACES.keys()])];
  };
  const kill = async (place: number): Promise<void> => {
    await incumbents[place]?.program.kill();
    incumbents[place] = begin(place);
    kills += 1;
  };
  while (now() < end && !signal?.aborted) {
    await pause(Math.max(0, Math.min(killAt, stopAt, now() + 20) - now()));
    for (const one of incumbents)
      if (one.resumeAt !== undefined && one.resumeAt <= now()) {
        one.program.resume();
        one.resumeAt = undefined;
      }
    assertAlive();
    if (now() >= killAt) {
      const all = chance.integer(1, ALL_ONE_IN) === 1;
      await Promise.all((all ? [...PLACES.keys()] : someone()).map(kill));
      killAt = next(plan.killEveryMs);
    }
    if (now() >= stopAt) {
      const one = chance.pick(incumbents);
      if (one.resumeAt === undefined) {
        one.program.pause();
        // Mostly short ones: while somebody sleeps with a lock, all the others do.
        const most = chance.chance(0.9) ? LONGEST_STOP_MS : (plan.longestStopMs ?? LONGEST_STOP_MS);
        one.resumeAt = now() + chance.integer(1, most);
        stops += 1;
      }
      stopAt = next(plan.stopEveryMs);
    }
  }
  for (const { program, resumeAt } of incumbents) if (resumeAt !== undefined) program.resume();
  for (const { program } of incumbents) program.send('stop');
  for (const { program } of incumbents) {
    const { code, signal: by } = await program.ended(ENDED_WITHIN_MS);
    if (code !== 0) throw new Error(`a process ended with ${by ?? code}: ${program.stderr}`);
  }
  const heard: TortureLife[] = lives.map((path, number) => ({ number, notes: readNotes(path) }));
  return {
    ...judgeTorture(heard, await whatIsThere(directory)),
    kills,
    stops,
    report: await verify({ directory }),
    problems: checkDirectory(directory),
  };
}

/** Whether a line of somebody's notes begins with the word. */
const hasNoted = (path: string, word: string): boolean =>
  readNotes(path).some(([first]) => word === '' || first === word);

async function whatIsThere(directory: string): Promise<TortureEnd> {
  const store = await openStore({ directory });
  try {
    const records: { index: number; origin: ReturnType<typeof originOf> }[] = [];
    for await (const { index, data } of store.entries()) records.push({ index, origin: originOf(data) });
    return { records, consumers: await store.consumers() };
  } finally {
    await store.close();
  }
}
