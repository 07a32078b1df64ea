import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openQueue } from '../src/mod.js';
import type { Turns } from './fairness-child.js';

const program = fileURLToPath(new URL('./fairness-child.js', import.meta.url));
/** So much is there before anybody begins that consumers, who are slower singly, need not wait for producers. */
const STOCK_EACH_SECOND = 100_000;
/** A turn's end is told to all before it comes. */
const BEGIN_WITHIN_MS = 50;

/** How the turns were shared among those who did the same. */
export interface Shares {
  readonly total: number;
  /** Of all in a second. */
  readonly rate: number;
  /** The largest share as a multiple of the smallest. */
  readonly spread: number;
  /** The longest that one of them went without a turn. */
  readonly longestMs: number;
}

export interface FairnessResult {
  /** Processes of each kind. */
  readonly processes: number;
  readonly producers: Shares;
  readonly consumers: Shares;
}

/** So many processes enqueue singly, and as many dequeue singly, all flat out, for some seconds on one queue. */
export async function fairness(
  processes: number,
  seconds: number,
  parent: string,
  locking: 'os' | 'lockfile' = 'os',
): Promise<FairnessResult> {
  const directory = mkdtempSync(join(parent, 'fairness-'));
  try {
    await stock(directory, seconds, locking);
    const roles = Array.from({ length: 2 * processes }, (_, at) => (at % 2 === 0 ? 'enqueue' : 'dequeue'));
    const children = roles.map((role) => fork(program, [directory, role, locking], { execArgv: [] }));
    const exits = children.map((child) => once(child, 'exit'));
    await Promise.all(children.map((child) => once(child, 'message')));
    const results = children.map((child) => once(child, 'message') as Promise<[Turns]>);
    const until = process.hrtime.bigint() + BigInt(Math.round((seconds * 1000 + BEGIN_WITHIN_MS) * 1e6));
    for (const child of children) child.send(String(until));
    const turns = (await Promise.all(results)).map(([told]) => told);
    await Promise.all(exits);
    const of = (role: string): Shares =>
      shares(
        turns.filter((_, at) => roles[at] === role),
        seconds,
      );
    return { processes, producers: of('enqueue'), consumers: of('dequeue') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function stock(directory: string, seconds: number, locking: 'os' | 'lockfile'): Promise<void> {
  const queue = await openQueue<Uint8Array>({ directory, codec: 'bytes', locking, durability: 'written' });
  const some = Array.from({ length: 1000 }, () => Buffer.alloc(200));
  for (let stocked = 0; stocked < STOCK_EACH_SECOND * seconds; stocked += some.length)
    await queue.enqueueMany(some);
  await queue.close();
}

function shares(turns: readonly Turns[], seconds: number): Shares {
  const counts = turns.map(({ done }) => done);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return {
    total,
    rate: total / seconds,
    spread: Math.max(...counts) / Math.min(...counts),
    longestMs: Math.max(...turns.map(({ longestMs }) => longestMs)),
  };
}
