/**
 * Prints how far the jobs of a queue have got, whoever does them, until so many are done: `watcher.js DIRECTORY JOBS`.
 */
import { basename } from 'node:path';
import { openQueue } from 'durostore';

const [directory, jobs] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: watcher.js DIRECTORY JOBS');
process.once('disconnect', () => process.exit());

const queue = await openQueue({ directory });
let done = 0;
queue.on('progress', ({ value }) => {
  const { thumbnail, percent } = value as { thumbnail: string; percent: number };
  console.log(`  ${basename(thumbnail)}: ${percent} %`);
  if (percent < 100) return;
  done += 1;
  if (done === Number(jobs)) void queue.close().then(() => process.disconnect());
});
process.send?.('watching');
