import { openLog } from '../../src/mod.js';
import type { Cell } from '../cell.js';
import { type Child, start } from '../child.js';
import { deathCell } from './deaths.js';

const PARTITIONS = 16;

const member = (directory: string): Child => start('programs/member.js', [directory, 'words', 'readers']);

/** Until the member that is left has all partitions and a record of one that the dead one had. */
async function moved(directory: string): Promise<number> {
  await using log = await openLog({ directory, partitions: PARTITIONS, durability: 'written' });
  const topic = await log.topic('words');
  const own = await topic.group('readers');
  const child = member(directory);
  while ((await child.message<number>()) < PARTITIONS / 2);
  const mine = new Set(own.assigned);
  const theirs = Array.from({ length: PARTITIONS }, (_, at) => at).find((number) => !mine.has(number));
  if (theirs === undefined) throw new Error('nothing was given up');
  await (await topic.partition(theirs)).write(Buffer.from('next'));
  const killedAt = performance.now();
  child.kill('SIGKILL');
  const found = await own.next({ waitMs: 60_000 });
  if (found?.partition !== theirs) throw new Error(`a record of ${found?.partition}, not of ${theirs}`);
  while (own.assigned.length < PARTITIONS) await new Promise((resolve) => setImmediate(resolve));
  return performance.now() - killedAt;
}

export function deadMemberCell(): Cell {
  return deathCell(
    { start: member, survive: moved },
    {
      id: 'partitions after a death',
      name: `a member of a group dies, until another has its part of ${PARTITIONS} partitions`,
      group: 'streams',
      terms: "; a record of the dead one's was read, too",
      records: PARTITIONS,
      atMostMs: 200,
    },
  );
}
