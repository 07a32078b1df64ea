import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openQueue, type Queue } from '../src/mod.js';
import type { IdleCost } from './idle-child.js';

const WAITERS = 50;
/** What others hold is looked after all the while: the dead among them raise no notice. */
const HELD_ELSEWHERE = 10;

const child = fileURLToPath(new URL('./idle-child.js', import.meta.url));

export interface IdleResult {
  readonly name: string;
  readonly waiters: number;
  readonly seconds: number;
  readonly cost: IdleCost;
}

/** What a process costs in which fifty calls wait for messages that do not come. */
export async function idle(seconds: number, parent: string): Promise<IdleResult[]> {
  return [
    await waiting('nothing happens', seconds, parent, async () => {}),
    await waiting('another process holds messages', seconds, parent, async (queue) => {
      await queue.enqueueMany(Array.from({ length: HELD_ELSEWHERE }, (_, at) => at));
      await queue.claimMany(HELD_ELSEWHERE, { leaseMs: 60 * 60 * 1000 });
    }),
  ];
}

async function waiting(
  name: string,
  seconds: number,
  parent: string,
  prepare: (queue: Queue<number>) => Promise<void>,
): Promise<IdleResult> {
  const directory = mkdtempSync(join(parent, 'idle-'));
  const queue = await openQueue<number>({ directory, durability: 'written' });
  try {
    await prepare(queue);
    const waiter = fork(child, [directory, String(WAITERS), String(seconds)], { execArgv: [] });
    const exited = once(waiter, 'exit');
    const [cost] = (await once(waiter, 'message')) as [IdleCost];
    await exited;
    return { name, waiters: WAITERS, seconds, cost };
  } finally {
    await queue.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
