/** Waits for one message and has nothing else to do: no channel, no timer, nothing but the wait keeps it alive. */
import { writeSync } from 'node:fs';
import { openQueue } from '../../src/mod.js';
import { type Orders, orders } from './child.js';

const { directory, options } = orders<Orders>();
process.disconnect?.();
const queue = await openQueue<string>({ ...options, directory });
const coming = queue.dequeue({ waitMs: Number.POSITIVE_INFINITY });
writeSync(1, 'waiting\n');
writeSync(1, `got ${await coming}\n`);
