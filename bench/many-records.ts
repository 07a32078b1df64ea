import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStore } from '../src/mod.js';
import { contentOf, type ManyRecordsFigures } from './many-records-child.js';
import { type Figures, figures } from './measure.js';

const READS = 20_000;
const BATCH = 1000;

export interface ManyRecordsResult {
  readonly records: number;
  readonly openMs: Figures;
  /** Megabytes of resident memory: of the process once open, how much of it by opening, and by opening and reading. */
  readonly total: Figures;
  readonly growth: Figures;
  readonly growthWithReads: Figures;
  readonly readMicroseconds: Figures;
  /** Reads that gave something else than was written. */
  readonly wrong: number;
}

/** What it takes to open a store of many small records: each time in a fresh process, its files in the page cache. */
export async function manyRecords(
  records: number,
  rounds: number,
  parent: string,
): Promise<ManyRecordsResult> {
  const directory = mkdtempSync(join(parent, 'many-'));
  try {
    const store = await openStore({ directory, locking: 'os', durability: 'written' });
    const batch = Array.from({ length: BATCH }, () => Buffer.alloc(100));
    for (let first = 1; first <= records; first += BATCH) {
      for (const [at, record] of batch.entries()) contentOf(first + at, record);
      await store.writeMany(batch.slice(0, records - first + 1));
    }
    await store.close();
    const all: ManyRecordsFigures[] = [];
    for (let round = 0; round < rounds; round++) all.push(await inFreshProcess(directory, records));
    const mebibytes = (name: string, of: (one: ManyRecordsFigures) => number): Figures =>
      figures(
        name,
        all.map((one) => of(one) / 1024 / 1024),
      );
    return {
      records,
      openMs: figures(
        'open',
        all.map((one) => one.openMs),
      ),
      total: mebibytes('total', (one) => one.opened),
      growth: mebibytes('growth', (one) => one.opened - one.before),
      growthWithReads: mebibytes('growth with reads', (one) => one.read - one.before),
      readMicroseconds: figures(
        'read',
        all.map((one) => one.readMicroseconds),
      ),
      wrong: all.reduce((sum, one) => sum + one.wrong, 0),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function inFreshProcess(directory: string, records: number): Promise<ManyRecordsFigures> {
  const program = fileURLToPath(new URL('./many-records-child.js', import.meta.url));
  const child = fork(program, [directory, String(records), String(READS)], { execArgv: [] });
  const ended = once(child, 'exit').then(([code]: unknown[]) => {
    throw new Error(`${program} ended with ${String(code)}`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [ManyRecordsFigures];
  ended.catch(() => {});
  if (child.connected) child.disconnect();
  return message;
}
