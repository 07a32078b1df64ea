/**
 * One schedule, two processes: each tick is enqueued once, and its run done once, though a process is killed in the midst of
 * one. See README.md.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openQueue, type Queue } from 'durostore';
import { EVERY_MS, HANGS, type News, REPORT, type Report, SCHEDULE } from './report.js';

const RUNS = 10;

/** How many ticks were enqueued, by the time of the last one. */
async function ticksSince(begin: number, queue: Queue<Report>): Promise<number> {
  const [schedule] = await queue.schedules();
  return Math.floor(((schedule?.last?.getTime() ?? begin) - begin) / EVERY_MS);
}

const directory = await mkdtemp(join(tmpdir(), 'durostore-schedule-'));
const queue = await openQueue<Report>({ directory });
const children = new Map<string, ChildProcess>();
/** How eachOnce each run was done. */
const done = new Map<number, number>();

function start(name: string): void {
  const program = fileURLToPath(new URL('./reporter.js', import.meta.url));
  const child = fork(program, [directory, name]);
  children.set(name, child);
  child.on('message', (news) => {
    const { run, attempt, what } = news as News;
    if (what === 'has done') {
      done.set(run, (done.get(run) ?? 0) + 1);
      console.log(`${name} has done run ${run}, attempt ${attempt}`);
    } else if (run === HANGS && attempt === 1) {
      console.log(`${name} begins run ${run}, and is killed`);
      child.once('exit', () => start(name)).kill('SIGKILL');
    }
  });
}

try {
  const begin = Date.now();
  await queue.schedule('report', SCHEDULE, REPORT, { missed: 'all' });
  start('A');
  start('B');
  for (let run = 1; run <= RUNS; run++) while (!done.has(run)) await sleep(20);

  for (const child of children.values()) {
    child.send('stop');
    await once(child, 'exit');
  }

  // This queue is open, too, so it enqueues ticks itself: it is looked when both numbers are of the same moment.
  let ticks = await ticksSince(begin, queue);
  let messages = (await queue.store.nextIndex()) - 1;
  for (let looks = 1; ticks !== messages && looks < 100; looks++) {
    await sleep(20);
    ticks = await ticksSince(begin, queue);
    messages = (await queue.store.nextIndex()) - 1;
  }
  console.log(ticks === messages ? 'each tick is one message' : `${ticks} ticks are ${messages} messages`);
  const eachOnce = [...done.values()].every((times) => times === 1);
  console.log(eachOnce ? 'each run was done once' : 'some runs were done again');
  console.log(`unscheduled: ${await queue.unschedule('report')}`);
} finally {
  for (const child of children.values()) child.kill('SIGKILL');
  await queue.close();
  await rm(directory, { recursive: true });
}
