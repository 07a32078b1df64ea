import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openQueue } from '../../src/mod.js';
import type { Cell, Contestant } from '../cell.js';
import { start } from '../child.js';
import { percentile } from '../statistics.js';
import { OURS } from './contestants.js';

const HELD = 100;
const KILLS = 20;

/** Milliseconds from SIGKILL until another process has all of what the dead one held. */
async function takenOver(directory: string): Promise<number> {
  await using queue = await openQueue<number>({ directory, durability: 'written' });
  await queue.enqueueMany(Array.from({ length: HELD }, (_, at) => at));
  const holder = start('programs/holder.js', [directory, String(HELD)]);
  const held = await holder.message<number>();
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
}

const ours: Contestant = {
  name: OURS,
  role: 'ours',
  async turn(directory) {
    const times: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) times.push(await takenOver(mkdtempSync(join(directory, 'q-'))));
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};

/** How long the system takes to tell that a process has died, which nobody can be faster than. */
const exit: Contestant = {
  name: 'its parent hears of it',
  role: 'control',
  async turn(directory) {
    const times: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const holder = start('programs/holder.js', [mkdtempSync(join(directory, 'q-')), '0']);
      await holder.message();
      const killedAt = performance.now();
      holder.kill('SIGKILL');
      await holder.ended();
      times.push(performance.now() - killedAt);
    }
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};

export function deadHolderCell(): Cell {
  return {
    id: 'redelivery after a death',
    name: `a consumer that holds ${HELD} messages is killed, until another one has them`,
    group: 'two processes',
    definition: `${KILLS} deaths a round by SIGKILL, under leases of ten minutes. Control: until the parent of a killed process hears of it.`,
    records: HELD,
    fixed: true,
    measures: [
      { key: 'p50', name: 'median', unit: 'ms' },
      { key: 'p99', name: '99 of 100', unit: 'ms', targets: [{ of: OURS, atMost: 100 }] },
    ],
    contestants: [ours, exit],
  };
}
