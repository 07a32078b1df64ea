/** Enqueues its share of the installed packages: `inventory-producer.js DIRECTORY NODE_MODULES SHARE SHARES`. */
import { openQueue } from 'durostore';
import { findPackages, type Task } from './inventory.js';
import { followParent, tell } from './messages.js';

const [directory, nodeModules, share, shares] = process.argv.slice(2);
if (directory === undefined || nodeModules === undefined) throw new Error('started without its arguments');
const leave = followParent();

const packages = (await findPackages(nodeModules)).filter(
  (_, position) => position % Number(shares) === Number(share),
);
await tell({ kind: 'planned', packages: packages.length });

const queue = await openQueue<Task>({ directory });
for (const path of packages) {
  await queue.enqueue({ path });
  await tell({ kind: 'enqueued' });
}
await queue.close();
leave();
