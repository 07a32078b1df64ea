import type { Test } from 'tap';
import { repairOn } from '../../src/care/repair.js';
import type { Finding, Report } from '../../src/care/report.js';
import { verifyOn } from '../../src/care/verify.js';
import type { MemoryDisk } from '../../src/disk/memory.js';
import { openQueueOn } from '../../src/queue/queue.js';
import type { Store } from '../../src/store/contract.js';
import type { StoreOptions } from '../../src/store/options.js';
import { openStoreOn } from '../../src/store/store.js';
import { bytes, fileOf, range } from '../store/records.js';

export const DIRECTORY = '/store';
export const JOURNAL = `${DIRECTORY}/duro.fate.1`;
export const data = (first: number): string => `${DIRECTORY}/duro_${String(first).padStart(20, '0')}.dat`;
export const entries = (first: number): string => data(first).replace('.dat', '.idx');

export const payload = (index: number): string => `payload of ${String(index).padStart(4, '0')}`;
const PAYLOAD_BYTES = 15;

/** What a record's frame takes. */
export const FRAME = 36 + PAYLOAD_BYTES;
/** Where the frame of a record stands in a segment of four. */
export const frameAt = (index: number): number => 32 + ((index - 1) % 4) * FRAME;

/** Four records a segment. */
export const OPTIONS: StoreOptions = {
  directory: DIRECTORY,
  maxFileSize: fileOf(4, PAYLOAD_BYTES),
  indexer: false,
};

export const open = (machine: MemoryDisk): Promise<Store> => openStoreOn(machine.opener(), OPTIONS);

/** Records 1 to 10 in three segments, of which 2 and 6 are deleted; closed. */
export async function fill(machine: MemoryDisk): Promise<void> {
  const store = await open(machine);
  for (const index of range(1, 10)) await store.write(bytes(payload(index)), { durability: 'written' });
  for (const index of [2, 6]) await store.delete(index);
  await store.close();
}

/** The same, left by a process that was killed. */
export async function leave(machine: MemoryDisk): Promise<void> {
  const opener = machine.opener();
  const store = await openStoreOn(opener, OPTIONS);
  for (const index of range(1, 10)) await store.write(bytes(payload(index)), { durability: 'written' });
  for (const index of [2, 6]) await store.delete(index);
  machine.kill(opener);
}

/** Files and what is in them, as one can compare them. */
export const files = (machine: MemoryDisk): Record<string, string> =>
  Object.fromEntries(
    [...machine.snapshot()].map(([path, content]) => [path, Buffer.from(content).toString('base64')]),
  );

/** Verifies, and sees that nothing was changed by it. */
export async function verified(t: Test, machine: MemoryDisk): Promise<Report> {
  const before = files(machine);
  const allowed = new Set(['open', 'read', 'list']);
  const others = new Set<string>();
  machine.onOperation = ({ kind, path }) => {
    if (!allowed.has(kind)) others.add(`${kind} ${path}`);
    return undefined;
  };
  try {
    return await verifyOn(machine.opener(), { directory: DIRECTORY });
  } finally {
    machine.onOperation = undefined;
    t.same([...others], [], 'nothing is done but reading');
    t.same(files(machine), before, 'nothing was changed');
  }
}

export const repaired = (machine: MemoryDisk): Promise<Report> =>
  repairOn(machine.opener(), { directory: DIRECTORY });

/** The findings but for the notes. */
export const serious = ({ findings }: Report): Finding[] =>
  findings.filter(({ severity, repaired }) => severity !== 'note' && !repaired);

export const covers = ({ file, position, bytes }: Finding, path: string, at: number): boolean =>
  file === path && position <= at && at < position + Math.max(bytes, 1);

export async function openAsQueue(machine: MemoryDisk): ReturnType<typeof openQueueOn<string>> {
  return openQueueOn<string>(machine.opener(), { ...OPTIONS, leaseMs: 1000 });
}
