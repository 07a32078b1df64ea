import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from '../../src/mod.js';
import type { Cell, Contestant } from '../cell.js';
import { start } from '../child.js';
import { percentile } from '../statistics.js';
import { OURS } from './contestants.js';

const PARTITIONS = 16;
const KILLS = 20;
const PROGRAM = 'programs/member.js';

/** Milliseconds from SIGKILL until the member that is left has all partitions and a record of one that the dead one had. */
async function moved(directory: string): Promise<number> {
  await using log = await openLog({ directory, partitions: PARTITIONS, durability: 'written' });
  const topic = await log.topic('words');
  const member = await topic.group('readers');
  const other = start(PROGRAM, [directory, 'words', 'readers']);
  while ((await other.message<number>()) < PARTITIONS / 2);
  const mine = new Set(member.assigned);
  const theirs = Array.from({ length: PARTITIONS }, (_, at) => at).find((number) => !mine.has(number));
  if (theirs === undefined) throw new Error('nothing was given up');
  await (await topic.partition(theirs)).write(Buffer.from('next'));
  const killedAt = performance.now();
  other.kill('SIGKILL');
  const found = await member.next({ waitMs: 60_000 });
  if (found?.partition !== theirs) throw new Error(`a record of ${found?.partition}, not of ${theirs}`);
  while (member.assigned.length < PARTITIONS) await new Promise((resolve) => setImmediate(resolve));
  return performance.now() - killedAt;
}

const ours: Contestant = {
  name: OURS,
  role: 'ours',
  async turn(directory) {
    const times: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) times.push(await moved(mkdtempSync(join(directory, 'l-'))));
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
      const member = start(PROGRAM, [mkdtempSync(join(directory, 'l-')), 'words', 'readers']);
      await member.message();
      const killedAt = performance.now();
      member.kill('SIGKILL');
      await member.ended();
      times.push(performance.now() - killedAt);
    }
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  },
};

export function deadMemberCell(): Cell {
  return {
    id: 'partitions after a death',
    name: `a member of a group dies, until another has its part of ${PARTITIONS} partitions`,
    group: 'streams',
    definition: `${KILLS} deaths a round by SIGKILL; a record of the dead one's was read, too. Control: until the parent of a killed process hears of it.`,
    records: PARTITIONS,
    fixed: true,
    measures: [
      { key: 'p50', name: 'median', unit: 'ms' },
      { key: 'p99', name: '99 of 100', unit: 'ms', targets: [{ of: OURS, atMost: 200 }] },
    ],
    contestants: [ours, exit],
  };
}
