import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openQueue } from '../src/mod.js';

const HELD = 100;
const child = fileURLToPath(new URL('./dead-holder-child.js', import.meta.url));

export interface DeadHolderResult {
  readonly held: number;
  readonly kills: number;
  /** Milliseconds from SIGKILL until another process has all of what the dead one held. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** A consumer is killed while it holds a hundred messages under a lease of ten minutes; another one waits for them. */
export async function deadHolder(scale: number, parent: string): Promise<DeadHolderResult> {
  const kills = Math.max(5, Math.round(50 * scale));
  const times: number[] = [];
  for (let kill = 0; kill < kills; kill++) times.push(await once100(parent));
  times.sort((a, b) => a - b);
  const at = (part: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
  return { held: HELD, kills, p50: at(0.5), p99: at(0.99), worst: at(1) };
}

async function once100(parent: string): Promise<number> {
  const directory = mkdtempSync(join(parent, 'durostore-bench-'));
  const queue = await openQueue<number>({ directory, durability: 'written' });
  try {
    await queue.enqueueMany(Array.from({ length: HELD }, (_, at) => at));
    const holder = fork(child, [directory, String(HELD)]);
    const [held] = await once(holder, 'message');
    if (held !== HELD) throw new Error(`it holds ${held}`);
    const claimAll = async (): Promise<number> => {
      let had = 0;
      while (had < HELD) had += (await queue.claimMany(HELD, { waitMs: Number.POSITIVE_INFINITY })).length;
      return performance.now();
    };
    const claimed = claimAll();
    const killedAt = performance.now();
    holder.kill('SIGKILL');
    return (await claimed) - killedAt;
  } finally {
    await queue.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
