/** A group over several processes, killed and added at random, for as long as one likes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from '../../src/mod.js';
import { pause } from '../support/pause.js';
import { type Program, type Starter, startProgram } from '../support/processes.js';
import type { Random } from '../support/random.js';
import { until } from '../support/until.js';

const PARTITIONS = 16;
const MEMBERS = 4;
const MOST_MEMBERS = 6;
const LEAST_MEMBERS = 2;
const KEYS = 97;

export interface GroupPlan {
  readonly locking: 'os' | 'lockfile';
  readonly deaths: number;
  /** So long at least; deaths go on until then. */
  readonly forMs: number;
  /** After so long without a sign of life a member counts as dead, where nobody sees its death. */
  readonly drainedWithinMs: number;
  readonly onDeath?: (soFar: { deaths: number; appended: number }) => void;
}

export interface GroupSite {
  readonly starter: Starter;
  readonly chance: Random;
  /** The log's, empty. */
  readonly directory: string;
  /** Where notes go. */
  readonly notes: string;
}

export interface GroupResult {
  readonly appended: number;
  readonly deaths: number;
  readonly joined: number;
  /** Times that a record was returned, the first among them. */
  readonly returned: number;
  readonly wrong: readonly string[];
}

const isJoined = (message: unknown): message is string => message === 'joined';

/** What the notes of one partition say that must not be, and how many records they tell of. */
function judgeNotes(text: string, records: readonly string[], partition: number): [number, string[]] {
  const wrong: string[] = [];
  let [before, last, greatest, returned] = ['', 0, 0, 0];
  // The last one may have been killed in the midst of a line.
  for (const line of text.split('\n').slice(0, -1)) {
    const [name = '', index, value] = line.split(' ');
    const at = Number(index);
    // Another one begins where the group was: what the one before had not committed comes again.
    const isNext = name === before ? at === last + 1 : at >= 1 && at <= greatest + 1;
    if (!isNext) wrong.push(`partition ${partition}: ${line}, behind ${last} of ${before}`);
    if (value !== records[at - 1]) wrong.push(`partition ${partition}: ${line} is another record`);
    before = name;
    last = at;
    greatest = Math.max(greatest, at);
    returned += 1;
  }
  if (greatest !== records.length)
    wrong.push(`partition ${partition}: ${greatest} of ${records.length} came`);
  return [returned, wrong];
}

export async function killMembers(
  { starter, chance, directory, notes }: GroupSite,
  plan: GroupPlan,
): Promise<GroupResult> {
  const { locking } = plan;
  const log = await openLog({ directory, durability: 'written', locking, partitions: PARTITIONS });
  starter.teardown(() => log.close());
  const topic = await log.topic('words');
  let joined = 0;
  const start = async (): Promise<Program> => {
    joined += 1;
    const args = [directory, join(notes, 'notes'), `${joined}`, locking];
    const program = startProgram(starter, 'test/processes/group-child.js', { args });
    await program.message(isJoined);
    return program;
  };
  const living = await Promise.all(Array.from({ length: MEMBERS }, start));
  const records: string[][] = Array.from({ length: PARTITIONS }, () => []);
  let appended = 0;
  const append = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      appended += 1;
      const key = `key ${chance.integer(1, KEYS)}`;
      const { partition, index } = await topic.append(Buffer.from(`${appended}`), { key });
      const own = records[partition] ?? [];
      own.push(`${appended}`);
      if (own.length !== index) throw new Error(`partition ${partition}: index ${index} is ${own.length}`);
    }
  };
  const end = performance.now() + plan.forMs;
  let deaths = 0;
  const assertAlive = (): void => {
    for (const program of living)
      if (!program.running) throw new Error(`a member ended by itself: ${program.stderr}`);
  };
  for (; deaths < plan.deaths || performance.now() < end; deaths++) {
    assertAlive();
    const isFew = living.length <= LEAST_MEMBERS;
    const isMany = living.length >= MOST_MEMBERS;
    const appending = append(100 + chance.integer(0, 200));
    await pause(chance.integer(0, 50));
    await living.splice(chance.integer(0, living.length - 1), 1)[0]?.kill();
    await appending;
    // Mostly one for one; now and then nobody, or two at once.
    const many = isFew ? 2 : isMany ? 0 : chance.pick([0, 1, 1, 2]);
    living.push(...(await Promise.all(Array.from({ length: many }, start))));
    if (plan.forMs > 0) await pause(chance.integer(0, 300));
    plan.onDeath?.({ deaths: deaths + 1, appended });
  }
  await append(100);
  const committed = async (): Promise<number[]> =>
    Promise.all(
      records.map(async (_, number) => {
        const found = await (await topic.partition(number)).consumers();
        return found.find(({ name }) => name === 'readers')?.committed ?? 0;
      }),
    );
  const all = String(records.map(({ length }) => length));
  await until(
    'everything committed',
    async () => {
      assertAlive();
      return String(await committed()) === all;
    },
    plan.drainedWithinMs,
  );
  for (const program of living) await program.kill();
  const wrong: string[] = [];
  let returned = 0;
  for (const [partition, own] of records.entries()) {
    const text = own.length === 0 ? '' : readFileSync(join(notes, `notes.${partition}`), 'utf8');
    const [count, found] = judgeNotes(text, own, partition);
    returned += count;
    wrong.push(...found);
  }
  return { appended, deaths, joined, returned, wrong };
}
