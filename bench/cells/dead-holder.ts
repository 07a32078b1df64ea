import { openQueue } from '../../src/mod.js';
import type { Cell } from '../cell.js';
import { type Child, start } from '../child.js';
import { deathCell } from './deaths.js';

const HELD = 100;

const holder = (directory: string, count: number): Child =>
  start('programs/holder.js', [directory, String(count)]);

/** Until another process has all of what the dead one held. */
async function takenOver(directory: string): Promise<number> {
  await using queue = await openQueue<number>({ directory, durability: 'written' });
  await queue.enqueueMany(Array.from({ length: HELD }, (_, at) => at));
  const child = holder(directory, HELD);
  const held = await child.message<number>();
  if (held !== HELD) throw new Error(`it holds ${held}`);
  const claimAll = async (): Promise<number> => {
    let had = 0;
    while (had < HELD) had += (await queue.claimMany(HELD, { waitMs: Number.POSITIVE_INFINITY })).length;
    return performance.now();
  };
  const claimed = claimAll();
  const killedAt = performance.now();
  child.kill('SIGKILL');
  return (await claimed) - killedAt;
}

export function deadHolderCell(): Cell {
  const death = { start: (directory: string) => holder(directory, 0), survive: takenOver };
  return deathCell(death, {
    id: 'redelivery after a death',
    name: `a consumer that holds ${HELD} messages is killed, until another one has them`,
    group: 'two processes',
    terms: ', under leases of ten minutes',
    records: HELD,
    atMostMs: 100,
  });
}
