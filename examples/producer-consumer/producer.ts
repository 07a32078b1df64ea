/**
 * Puts a job into a queue twice a second until Ctrl-C. Start it in as many terminals as you like, on one directory:
 *
 *     node build/examples/producer-consumer/producer.js DIRECTORY
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from 'durostore';

interface Job {
  readonly number: number;
  readonly from: number;
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: producer.js DIRECTORY');

let running = true;
process.once('SIGINT', () => {
  running = false;
});

const queue = await openQueue<Job>({ directory });
for (let number = 1; running; number++) {
  // Once this resolves the job is on the device: neither a killed process nor a power cut takes it away.
  const index = await queue.enqueue({ number, from: process.pid });
  console.log(`enqueued job ${number} as message ${index}; ${await queue.length()} waiting`);
  await sleep(500);
}
await queue.close();
