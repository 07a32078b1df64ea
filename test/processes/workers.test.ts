import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type DeadLetter, openQueue } from '../../src/mod.js';
import { type Program, startProgram } from '../support/processes.js';
import { random } from '../support/random.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import { type Job, jobs, type Note, thrownFor, timedOutAfter, type WorkersOrders } from './workers-jobs.js';

/** 20,000 for a longer run: `JOBS=20000`. */
const JOBS = Number(process.env['JOBS'] ?? 2000);
const WORKERS = 4;
const CONCURRENCY = 8;
const MAX_ATTEMPTS = 5;
const TIMEOUT_MS = 400;
const KEYS = 40;
const DONE_WITHIN_MS = 120_000 + JOBS * 20;

/** One process, from its beginning to its end. */
interface Life {
  readonly notes: readonly Note[];
  readonly killed: boolean;
}

const isMessage = (message: unknown): message is { error?: string; closed?: { done: number } } =>
  typeof message === 'object' && message !== null;

t.test(
  `${WORKERS} worker processes, and jobs that throw, hang and kill: each is done once, or dead`,
  async (t) => {
    const chance = random(t);
    const [directory, scratch] = [await temporaryDirectory(t), await temporaryDirectory(t)];
    const options = { durability: 'written', maxAttempts: MAX_ATTEMPTS, backoff: { initialMs: 5 } } as const;
    const queue = await openQueue<Job>({ directory, ...options });
    t.teardown(() => queue.close());
    const planned = jobs(chance, JOBS, Math.max(12, JOBS / 500));
    const keyOf = (n: number): string | undefined =>
      queue.capabilities.key && n % 2 === 0 ? `key-${n % KEYS}` : undefined;

    const lives: Life[] = [];
    const errors: string[] = [];
    let isStopping = false;
    const live = async (place: number): Promise<void> => {
      for (let life = 0; ; life++) {
        const notes = join(scratch, `${place}-${life}`);
        const orders: WorkersOrders = {
          directory,
          options,
          notes,
          concurrency: CONCURRENCY,
          timeoutMs: TIMEOUT_MS,
        };
        const program = startProgram(t, 'test/processes/workers-child.js', {
          args: [JSON.stringify(orders)],
        });
        const { signal, code } = await lived(program, () => isStopping, errors);
        lives.push({ notes: readNotes(notes), killed: signal === 'SIGKILL' });
        if (signal === 'SIGKILL') continue;
        if (code !== 0) errors.push(`exit code ${code}: ${program.stderr}`);
        return;
      }
    };
    const living = Array.from({ length: WORKERS }, (_, place) => live(place));
    for (let from = 0; from < JOBS; from += 100) {
      const some = planned.slice(from, from + 100);
      if (queue.capabilities.key) for (const job of some) await queue.enqueue(job, { key: keyOf(job.n) });
      else await queue.enqueueMany(some);
    }
    await until(
      'all is done',
      async () => {
        const { waiting, claimed, delayed } = await queue.stats();
        return waiting + claimed + delayed === 0;
      },
      DONE_WITHIN_MS,
    );
    isStopping = true;
    await Promise.all(living);

    const letters = new Map<number, DeadLetter<Job>>();
    for await (const letter of queue.deadLetters.list()) letters.set(letter.value().n, letter);
    t.comment(`${letters.size} dead, ${lives.filter(({ killed }) => killed).length} processes killed`);
    t.same(errors, [], 'nobody met an error');
    judge(t, planned, lives, letters);
    if (queue.capabilities.key)
      t.same(brokenKeys(lives, keyOf), [], 'one at a time and in order, for each key');
    const { waiting, claimed, delayed, dead } = await queue.stats();
    t.same({ waiting, claimed, delayed, dead }, { waiting: 0, claimed: 0, delayed: 0, dead: letters.size });
    t.equal(await queue.deadLetters.purge(), letters.size);
    t.equal(await queue.store.length(), 0);
  },
);

/** Resolves with its end. Whoever lives on when it is time to stop is told. */
async function lived(
  program: Program,
  isStopping: () => boolean,
  errors: string[],
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  let isTold = false;
  const hear = async (): Promise<void> => {
    for (;;) {
      const { error } = await program.message(isMessage, DONE_WITHIN_MS);
      if (error !== undefined) errors.push(error);
    }
  };
  hear().catch(() => undefined);
  await until(
    'its end',
    () => {
      if (isStopping() && !isTold && program.running) {
        isTold = true;
        program.send('stop');
      }
      return !program.running;
    },
    2 * DONE_WITHIN_MS,
  );
  return program.ended();
}

function readNotes(path: string): Note[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Note);
}

const byTime = (a: Note, b: Note): number => (BigInt(a.at) < BigInt(b.at) ? -1 : 1);

function judge(
  t: Test,
  planned: readonly Job[],
  lives: readonly Life[],
  letters: ReadonlyMap<number, DeadLetter<Job>>,
): void {
  const notes = new Map<number, Note[]>(planned.map(({ n }) => [n, []]));
  for (const note of lives.flatMap((life) => life.notes).sort(byTime)) notes.get(note.n)?.push(note);
  const wrong: string[] = [];
  let done = 0;
  let neverBegun = 0;
  for (const { n, deeds } of planned) {
    const own = notes.get(n) ?? [];
    const attempts = own.filter(({ what }) => what === 'begin').map(({ attempt }) => attempt);
    const successes = own.filter(({ what }) => what === 'return' || what === 'ack');
    const letter = letters.get(n);
    const said = `job ${n} (${deeds}): ${own.map(({ what, attempt }) => `${what} ${attempt}`).join(', ')}`;
    done += successes.length;
    if (successes.length + (letter === undefined ? 0 : 1) !== 1)
      wrong.push(`${said}; ${letter === undefined ? 'not dead' : 'dead'}: done or dead, once`);
    if (attempts.some((attempt, at) => attempt <= (attempts[at - 1] ?? 0)))
      wrong.push(`${said}: attempts repeat`);
    if ((attempts.at(-1) ?? 0) > MAX_ATTEMPTS) wrong.push(`${said}: too many attempts`);
    const last = letter?.attempts ?? attempts.at(-1) ?? 0;
    neverBegun += last - attempts.length;
    if (letter !== undefined && letter.attempts !== MAX_ATTEMPTS)
      wrong.push(`${said}: dead after ${letter.attempts} attempts`);
    const isHopeless = !deeds.includes('return') && !deeds.includes('ack');
    if (isHopeless && letter === undefined) wrong.push(`${said}: it can never have succeeded`);
    const end = own.at(-1);
    if (letter !== undefined && end?.attempt === MAX_ATTEMPTS) {
      if (end.what === 'throw' && letter.reason !== thrownFor(n, MAX_ATTEMPTS))
        wrong.push(`${said}: ${letter.reason}`);
      if (end.what === 'timeout' && letter.reason !== timedOutAfter(TIMEOUT_MS))
        wrong.push(`${said}: ${letter.reason}`);
    }
  }
  t.same(wrong, []);
  t.equal(done + letters.size, planned.length, 'the totals are exact');
  const killed = lives.filter(({ killed }) => killed);
  t.ok(
    killed.every(({ notes }) => notes.at(-1)?.what === 'die'),
    'each that was killed noted it last',
  );
  t.equal(
    lives.flatMap((life) => life.notes).filter(({ what }) => what === 'die').length,
    killed.length,
    'and nobody else did',
  );
  t.ok(killed.length > 0 && letters.size > 0, 'there was something to see');
  t.ok(
    neverBegun <= killed.length * CONCURRENCY,
    `${neverBegun} attempts were claimed and not begun, in processes that were killed`,
  );
}

/** Handlings of one key that overlap, and messages of one key whose first handling came before an earlier one's. */
function brokenKeys(lives: readonly Life[], keyOf: (n: number) => string | undefined): string[] {
  const handlings = lives.flatMap(({ notes }) => handlingsOf(notes)).sort((a, b) => byTime(a.begin, b.begin));
  const last = new Map<string, { readonly index: number; readonly until: bigint }>();
  const begun = new Set<number>();
  const broken: string[] = [];
  for (const { begin, until } of handlings) {
    const key = keyOf(begin.n);
    if (key === undefined) continue;
    const before = last.get(key) ?? { index: 0, until: 0n };
    const said = `${key}: message ${begin.index}, attempt ${begin.attempt}, behind ${before.index}`;
    if (BigInt(begin.at) < before.until) broken.push(`${said}: at the same time`);
    if (!begun.has(begin.index) && begin.index < before.index) broken.push(`${said}: out of order`);
    begun.add(begin.index);
    last.set(key, { index: Math.max(before.index, begin.index), until });
  }
  return broken;
}

/** From each beginning to its end, or to the end of its process. */
function handlingsOf(notes: readonly Note[]): { readonly begin: Note; readonly until: bigint }[] {
  const ends = new Map<string, bigint>();
  // Backwards, so that the first thing said behind the beginning is what stays.
  for (const { what, index, attempt, at } of [...notes].reverse())
    if (what !== 'begin') ends.set(`${index} ${attempt}`, BigInt(at));
  const over = BigInt(notes.at(-1)?.at ?? 0);
  return notes
    .filter(({ what }) => what === 'begin')
    .map((begin) => ({ begin, until: ends.get(`${begin.index} ${begin.attempt}`) ?? over }));
}
