/**
 * Takes jobs from a queue, does them and says so, until Ctrl-C. Start it in as many terminals as you like, on one
 * directory. Kill one while it works: another gets its job at once.
 *
 *     node build/examples/producer-consumer/consumer.js DIRECTORY
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from 'durostore';

interface Job {
  readonly number: number;
  readonly from: number;
}

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: consumer.js DIRECTORY');

let running = true;
process.once('SIGINT', () => {
  running = false;
});

const queue = await openQueue<Job>({ directory });
while (running) {
  const delivery = await queue.claim({ waitMs: 500 });
  if (delivery === undefined) continue;
  const { number, from } = delivery.value;
  console.log(`doing job ${number} of process ${from}, attempt ${delivery.attempt}`);
  await sleep(1000);
  // Not before the work is done: a job whose consumer dies without this goes to the next one.
  await delivery.ack();
}
await queue.close();
