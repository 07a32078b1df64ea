/**
 * Does what the schedule says, until it is told to stop: `reporter.js DIRECTORY NAME`. Start as many as you like: each tick is
 * enqueued once, by whichever process is there, and handled by one of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from 'durostore';
import { HANGS, type News, REPORT, type Report, SCHEDULE } from './report.js';

const [directory, name] = process.argv.slice(2);
if (directory === undefined || name === undefined) throw new Error('usage: reporter.js DIRECTORY NAME');
process.once('disconnect', () => process.exit());
const tell = (news: News): unknown => process.send?.(news);

const queue = await openQueue<Report>({ directory });
// Every process says so when it starts. The same schedule again changes nothing: its ticks go on.
await queue.schedule('report', SCHEDULE, REPORT, { missed: 'all' });

const worker = queue.process(async ({ index: run, attempt }) => {
  tell({ name, run, attempt, what: 'begins' });
  // So that there is somebody to kill in the midst of a run.
  await sleep(run === HANGS && attempt === 1 ? 600_000 : 20);
  tell({ name, run, attempt, what: 'has done' });
});

process.once('message', () => {
  void worker.close().then(async () => {
    await queue.close();
    process.disconnect();
  });
});
