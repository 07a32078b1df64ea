import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { FileNames } from '../../src/disk/file-names.js';
import { osDisk } from '../../src/disk/os.js';
import { openQueue } from '../../src/mod.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { deeds, intrude, judge, opinionOf, sleeperOptions } from '../crash/sleeper.js';
import { checkDirectory } from '../support/consistency.js';
import { type Program, startProgram } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { until } from '../support/until.js';
import type { Report, Round } from './sleeper-child.js';

/*
 * `crash/sleepers` in earnest: a process with a lock file is stopped before each operation of a commit, another one takes
 * its lock, writes and takes a message, and the first one is continued.
 */

/** Beyond the time after which a lock is stale, and that in which it is noticed. */
const STALE_WITHIN_MS = 20_000;

const isReport =
  <K extends Report['is']>(is: K) =>
  (message: unknown): message is Extract<Report, { is: K }> =>
    typeof message === 'object' && message !== null && 'is' in message && message.is === is;

/** Whether a signal has stopped it; the name of a program may hold anything, a parenthesis among it. */
function isStopped({ pid }: Program): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

/** One round; false where the sleeper was done before it could stop there. */
async function sleepOnce(
  t: Test,
  sleeper: Program,
  round: Omit<Round, 'directory'>,
  waits: boolean,
): Promise<boolean> {
  const directory = await temporaryDirectory(t);
  const options = { directory, ...sleeperOptions };
  sleeper.send({ ...round, directory } satisfies Round);
  await sleeper.message(isReport('ready'));
  const other = await Engine.open(osDisk, resolveStoreOptions(options, new Set()));
  // The sleeper has not kept it either: both begin without it.
  other.locks.renounce();
  sleeper.send('go');
  const answered = sleeper.message(isReport('answered'), 2 * STALE_WITHIN_MS);
  let isDone = false;
  const done = answered.then(() => {
    isDone = true;
  });
  await until('it stops or is done', () => isDone || isStopped(sleeper));
  const taken: number[] = [];
  let intruded = false;
  if (!isDone) {
    if (waits) intruded = await until('the lock is stale', () => intrude(other, taken), STALE_WITHIN_MS);
    else {
      osDisk.setModifiedAt(new FileNames(directory, 'duro').lockDirectory(), 1);
      intruded = intrude(other, taken);
    }
    sleeper.resume();
    await done;
  }
  const { answers, enqueued, stoppedAt } = await answered;
  const where = `${round.deed}, stopped at ${round.stopsBefore}: ${stoppedAt}; told ${JSON.stringify(answers)}`;
  const fresh = await openQueue<string>(options);
  const opinion = await opinionOf(fresh.store);
  other.catchUp();
  t.same([other.tail.nextIndex, other.length], [opinion.next, opinion.length], `${where}: so does the other`);
  sleeper.send('look');
  const { is: _, ...seen } = await sleeper.message(isReport('seen'));
  t.same(seen, opinion, `${where}: the sleeper sees what a new one sees`);
  const deed = deeds.find(({ name }) => name === round.deed);
  if (deed === undefined) throw new Error(round.deed);
  judge(t, where, { deed, answers, enqueued, taken, intruded }, opinion);
  t.equal(intruded, stoppedAt !== undefined, `${where}: there was an intruder`);
  await Promise.all([sleeper.message(isReport('closed')), fresh.close(), other.close()]);
  t.same(checkDirectory(directory), [], where);
  return stoppedAt !== undefined;
}

const start = (t: Test): Program => startProgram(t, 'test/processes/sleeper-child.js');

async function end(t: Test, sleeper: Program): Promise<void> {
  sleeper.send('stop');
  t.same(await sleeper.ended(), { code: 0, signal: null });
}

const where = {
  skip: existsSync('/proc/self/stat') ? false : 'nothing here says whether a process is stopped',
};

for (const deed of ['enqueue', 'calls of one tick, with a roll', 'dequeue', 'dequeue, and a succession']) {
  t.test(`the holder of a lock file is stopped at each step, and continued: ${deed}`, where, async (t) => {
    const sleeper = start(t);
    let n = 1;
    while (await sleepOnce(t, sleeper, { deed, stopsBefore: n }, false)) n += 1;
    t.ok(n > 10, `${n} steps`);
    await end(t, sleeper);
  });
}

t.test('the same with the time that it takes until a lock is stale', where, async (t) => {
  await Promise.all(
    ['enqueue', 'dequeue'].map(async (deed) => {
      const sleeper = start(t);
      t.ok(await sleepOnce(t, sleeper, { deed, stopsBefore: 'write' }, true));
      await end(t, sleeper);
    }),
  );
});
