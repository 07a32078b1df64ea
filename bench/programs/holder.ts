/** Claims what there is, says how many that were, and waits to be killed: `holder.js <directory> <count>`. */
import { openQueue } from '../../src/mod.js';

const LEASE_MS = 600_000;

if (process.send !== undefined) {
  const [directory = '', count = ''] = process.argv.slice(2);
  const queue = await openQueue<number>({ directory, durability: 'written' });
  const held = await queue.claimMany(Number(count), { leaseMs: LEASE_MS });
  process.send(held.length);
  // Nothing else keeps the process alive.
  setInterval(() => {}, 1 << 30);
}
