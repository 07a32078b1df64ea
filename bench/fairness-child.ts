/**
 * One of many who work on the same queue: `fairness-child.js <directory> <enqueue|dequeue> <locking>`. Says when it is ready, is told
 * until when to work, in nanoseconds on the machine's monotonic clock, and tells how often it had its turn.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue } from '../src/mod.js';

const VALUE = Buffer.alloc(200, 1);
const WARM_TURNS = 10_000;

export interface Turns {
  readonly done: number;
  /** Milliseconds between the ends of two turns, at most. */
  readonly longestMs: number;
}

async function work(directory: string, role: string, locking: 'os' | 'lockfile'): Promise<void> {
  const queue = await openQueue<Uint8Array>({ directory, codec: 'bytes', locking, durability: 'written' });
  const turn = role === 'enqueue' ? () => queue.enqueue(VALUE) : () => queue.dequeue({ waitMs: 100 });
  await warmUp(locking);
  const told = once(process, 'message') as Promise<[string]>;
  process.send?.('ready');
  const [until] = await told;
  const end = BigInt(until);
  let done = 0;
  let longestMs = 0;
  let last = performance.now();
  while (process.hrtime.bigint() < end) {
    const had = await turn();
    const now = performance.now();
    if (process.hrtime.bigint() >= end) break;
    if (had !== undefined) done += 1;
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  const turns: Turns = { done, longestMs: Math.max(longestMs, performance.now() - last) };
  await new Promise<void>((resolve) => process.send?.(turns, () => resolve()));
  await queue.close();
  process.disconnect?.();
}

/** What a process costs in its first moments is not what is to be shared here. */
async function warmUp(locking: 'os' | 'lockfile'): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'fairness-warm-'));
  const queue = await openQueue<Uint8Array>({ directory, codec: 'bytes', locking, durability: 'written' });
  for (let turn = 0; turn < WARM_TURNS; turn++) {
    await queue.enqueue(VALUE);
    await queue.dequeue();
  }
  await queue.close();
  rmSync(directory, { recursive: true, force: true });
}

const [directory, role, locking] = process.argv.slice(2);
if (process.send !== undefined && directory !== undefined && role !== undefined)
  await work(directory, role, locking === 'lockfile' ? 'lockfile' : 'os');
