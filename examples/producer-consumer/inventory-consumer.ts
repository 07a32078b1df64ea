/**
 * Claims packages, inspects them and writes what it found, until it is told to stop:
 * `inventory-consumer.js DIRECTORY NODE_MODULES RESULTS`.
 */
import { rename, writeFile } from 'node:fs/promises';
import { openQueue } from 'durostore';
import { inspectPackage, resultFile, type Task } from './inventory.js';
import { followParent, tell } from './messages.js';

const [directory, nodeModules, results] = process.argv.slice(2);
if (directory === undefined || nodeModules === undefined || results === undefined) {
  throw new Error('started without its arguments');
}
const leave = followParent();

let running = true;
process.on('message', (message) => {
  if (message === 'stop') running = false;
});

// The lease is long on purpose: the messages of a killed consumer must not have to wait for its end.
const queue = await openQueue<Task>({ directory, leaseMs: 60_000 });
while (running) {
  const delivery = await queue.claim({ waitMs: 200 });
  if (delivery === undefined) continue;
  const { path } = delivery.value;
  await tell({ kind: 'claimed', path, attempt: delivery.attempt });
  const facts = await inspectPackage(nodeModules, path);
  // The result is safe before the message is acknowledged. Dying in between means that another consumer does the
  // package again and writes the same file.
  const file = resultFile(results, path);
  await writeFile(`${file}.${process.pid}`, JSON.stringify(facts), { flush: true });
  await rename(`${file}.${process.pid}`, file);
  await delivery.ack();
  await tell({ kind: 'acknowledged', index: delivery.index });
}
await queue.close();
leave();
