/**
 * Waits for messages that do not come: `idle-child.js <directory> <waiters> <seconds> <locking>`. Tells what that costs once all
 * wait and a second has passed.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from '../src/mod.js';

export interface IdleCost {
  /** Of one core, in percent. */
  readonly cpu: number;
  /** Each second. */
  readonly contextSwitches: number;
}

/** Of all threads: the process gave up the processor, or had to. */
function contextSwitches(): number {
  if (process.platform === 'linux') return ofAllThreads();
  const { voluntaryContextSwitches, involuntaryContextSwitches } = process.resourceUsage();
  return voluntaryContextSwitches + involuntaryContextSwitches;
}

function ofAllThreads(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  let sum = 0;
  for (const [, count] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) sum += Number(count);
  return sum;
}

async function idle(directory: string, waiters: number, seconds: number, locking: string): Promise<void> {
  const queue = await openQueue({ directory, locking: locking === 'lockfile' ? 'lockfile' : 'os' });
  const enough = new AbortController();
  const waits = Array.from({ length: waiters }, () =>
    queue.dequeue({ waitMs: Number.POSITIVE_INFINITY, signal: enough.signal }).catch(() => {}),
  );
  await sleep(1000);
  const before = { ...process.cpuUsage(), switches: contextSwitches(), at: performance.now() };
  await sleep(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const took = performance.now() - before.at;
  const cost: IdleCost = {
    cpu: (100 * (user + system)) / 1000 / took,
    contextSwitches: ((contextSwitches() - before.switches) * 1000) / took,
  };
  enough.abort();
  await Promise.all(waits);
  await new Promise<void>((resolve) => process.send?.(cost, () => resolve()));
  await queue.close();
  process.disconnect?.();
}

const [directory, waiters, seconds, locking = 'os'] = process.argv.slice(2);
if (process.send !== undefined && directory !== undefined)
  await idle(directory, Number(waiters), Number(seconds), locking);
