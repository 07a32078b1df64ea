import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchOf, recordOf } from '../loops.js';
import type { Subject } from '../subject.js';

const TURNS = 1000;
const BATCH = 100;

/**
 * Puts and takes some records elsewhere, for what a process costs in its first moments is not what is compared. Servers
 * are warm already.
 */
export async function warm(subject: Subject, bytes: number): Promise<void> {
  if (subject.serve !== undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'durostore-bench-warm-'));
  const opened = await subject.open({ directory, durability: 'written', as: 'queue' });
  const record = recordOf(bytes);
  const batch = batchOf(BATCH, record);
  for (let turn = 0; turn < TURNS; turn++) {
    await opened.put?.(record);
    await opened.take?.();
  }
  for (let turn = 0; turn < TURNS; turn += BATCH) {
    await opened.putMany?.(batch);
    await opened.takeMany?.(BATCH);
  }
  await opened.close();
  rmSync(directory, { recursive: true, force: true });
}
