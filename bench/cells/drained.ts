import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cell, Contestant } from '../cell.js';
import { BATCH, putBy, RECORD_BYTES, recordOf, takeBy } from '../loops.js';
import type { Subject } from '../subject.js';
import { durostore } from '../subjects/durostore.js';
import { OURS, roleOf } from './contestants.js';

const RECORDS = 100_000;
const LOOK_MS = 50;
const QUIET_MS = 1000;
/** The active segment, as large as files are by default, and a few KB. */
const LEFT_MIB = 64.1;

function drained(subject: Subject, role: Contestant['role']): Contestant {
  return {
    name: subject.name,
    role,
    async turn(directory) {
      const opened = await subject.open({ directory, durability: 'written', as: 'queue' });
      await putBy(BATCH, recordOf(RECORD_BYTES))(opened, RECORDS);
      await takeBy(BATCH)(opened, RECORDS);
      const open = (await settled(directory)) / 1024 ** 2;
      await opened.close();
      return { open, closed: bytesIn(directory) / 1024 ** 2 };
    },
  };
}

/** The same once it changes no more: files are removed in the background. */
async function settled(directory: string): Promise<number> {
  let bytes = bytesIn(directory);
  for (let quiet = 0; quiet < QUIET_MS; quiet += LOOK_MS) {
    await sleep(LOOK_MS);
    const now = bytesIn(directory);
    if (now !== bytes) quiet = 0;
    bytes = now;
  }
  return bytes;
}

/** What the files of a directory take up on the disk. */
function bytesIn(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(directory, entry.name);
    return sum + (entry.isDirectory() ? bytesIn(path) : lstatSync(path).blocks * 512);
  }, 0);
}

export function drainedCell(peers: readonly Subject[]): Cell {
  return {
    id: 'left on disk',
    name: `left on the disk when ${RECORDS} records of 1,024 bytes were enqueued and dequeued`,
    group: 'footprint',
    definition:
      'What the files take up when they have not changed for a second, and after closing. The library keeps the segment that it writes to, at most 64 MiB by default (`maxFileSize`).',
    records: RECORDS,
    fixed: true,
    rounds: 1,
    measures: [
      { key: 'open', name: 'still open', unit: 'MiB', targets: [{ of: OURS, atMost: LEFT_MIB }] },
      { key: 'closed', name: 'closed', unit: 'MiB' },
    ],
    contestants: [
      drained(durostore, 'ours'),
      ...peers
        .filter(({ inProcess, aside }) => inProcess && aside !== true)
        .map((peer) => drained(peer, roleOf(peer))),
    ],
  };
}
