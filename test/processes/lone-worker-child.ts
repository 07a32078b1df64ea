/** A worker and nothing else: no channel, no timer. Paused until SIGUSR1 where that is asked for; closes after one message. */
import { writeSync } from 'node:fs';
import { openQueue } from '../../src/mod.js';
import { type Orders, orders } from './child.js';

export interface LoneWorkerOrders extends Orders {
  readonly paused: boolean;
}

const { directory, options, paused } = orders<LoneWorkerOrders>();
process.disconnect?.();
const queue = await openQueue<string>({ ...options, directory });
const worker = queue.process(({ value }) => {
  writeSync(1, `got ${value}\n`);
  void worker.close();
});
process.on('SIGUSR1', () => worker.resume());
if (paused) worker.pause();
writeSync(1, 'working\n');
