import type { Cell, Contestant, Readings } from '../cell.js';
import { start } from '../child.js';
import { BATCH, putBy, RECORD_BYTES, recordOf } from '../loops.js';
import type { Worked } from '../programs/producer.js';
import type { Subject } from '../subject.js';
import { bareFiles } from '../subjects/bare.js';
import { durostore } from '../subjects/durostore.js';
import { tail } from '../subjects/tail.js';
import { roleOf } from './contestants.js';

const PROCESSES = [1, 2, 4, 8];
const TURN_MS = 500;
/** Before it all do the same, uncounted, for so long for each of them: they share the processors. */
const WARM_MS = 500;
/** As much as most can take in a turn; it ends earlier where nothing is left. */
const FILLED = 60_000;

type What = 'put' | 'take';

function together(subject: Subject, role: Contestant['role'], processes: number, what: What): Contestant {
  const turn = async (directory: string): Promise<Readings> => {
    const place = { directory, durability: 'written', as: 'queue', shared: true } as const;
    const served = await subject.serve?.(place);
    const opened = await subject.open(place);
    const args = [subject.name, directory, what, String(TURN_MS), String(processes * WARM_MS)];
    if (what === 'take') await putBy(BATCH, recordOf(RECORD_BYTES))(opened, FILLED);
    const children = Array.from({ length: processes }, () => start('programs/producer.js', args));
    try {
      await Promise.all(children.map((child) => child.message()));
      for (const child of children) child.send('go');
      const worked = await Promise.all(children.map((child) => child.message<Worked>()));
      await Promise.all(children.map((child) => child.ended()));
      const shares = worked.map(({ done }) => done);
      const all = shares.reduce((sum, one) => sum + one, 0);
      const ms = Math.max(...worked.map((one) => one.ms));
      return { each: (ms * 1000) / all, share: Math.max(...shares) / Math.min(...shares) };
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await opened.close();
      await served?.stop();
    }
  };
  return { name: subject.name, role, turn };
}

export function contentionCells(peers: readonly Subject[]): Cell[] {
  const embedded = peers.filter(({ inProcess, aside }) => inProcess && aside !== true);
  return (['put', 'take'] as const).flatMap((what) =>
    PROCESSES.map((processes): Cell => {
      const who = processes === 1 ? '1 process' : `${processes} processes`;
      const control = what === 'put' ? tail(RECORD_BYTES) : bareFiles(RECORD_BYTES);
      const shares = { key: 'share', name: 'largest share over smallest', unit: 'times' };
      return {
        id: `${what === 'put' ? 'enqueue' : 'dequeue'} from ${who}`,
        name: `${who} ${what === 'put' ? 'enqueue' : 'dequeue'} at the same time`,
        group: 'contention',
        column: { table: what === 'put' ? 'enqueue together' : 'dequeue together', head: who },
        definition: `Records of 1,024 bytes, one at a time, for ${TURN_MS} ms, behind ${WARM_MS} ms for each process that are not counted; microseconds by the records of all. Control: ${
          what === 'put'
            ? 'processes that append to one file without a lock.'
            : 'processes that read one file, each with a file of its own for what became of it.'
        }`,
        records: BATCH,
        fixed: true,
        measures: [{ key: 'each', name: '', unit: 'µs a record' }, ...(processes === 8 ? [shares] : [])],
        contestants: [
          together(durostore, 'ours', processes, what),
          together(control, 'control', processes, what),
          ...embedded.map((peer) => together(peer, roleOf(peer), processes, what)),
        ],
      };
    }),
  );
}
