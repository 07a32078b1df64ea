import { openQueue } from '../src/mod.js';

/** Claims what there is, says so, and waits to be killed. */
const [directory = '', count = '0'] = process.argv.slice(2);
const queue = await openQueue<number>({ directory, durability: 'written' });
const held = await queue.claimMany(Number(count), { leaseMs: 600_000 });
process.send?.(held.length);
setInterval(() => {}, 1 << 30);
