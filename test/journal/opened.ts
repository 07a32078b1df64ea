import { FileNames } from '../../src/disk/file-names.js';
import { MemoryDisk } from '../../src/disk/memory.js';
import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { Epochs } from '../../src/epoch/epochs.js';
import { Fates } from '../../src/journal/fates.js';
import { Journal } from '../../src/journal/journal.js';

export const names = new FileNames('/q', 'duro');
export const storeId = Buffer.from('0123456789abcdef', 'hex');

export interface Opened {
  readonly journal: Journal;
  readonly fates: Fates;
}

/** Opens the journal as the first one in the directory does, which syncs all names before. */
export function openFirst(disk: MemoryOpener): Opened {
  disk.syncDirectoryNow('/q');
  const fates = new Fates('00');
  const journal = new Journal(disk, names, storeId, new Epochs(disk, names, storeId, false), fates);
  for (const name of disk.list('/q')) if (names.parse(name)?.kind === 'temporary') disk.unlink(`/q/${name}`);
  if (!journal.exists()) journal.create();
  journal.open();
  journal.catchUpLocked(true);
  return { journal, fates };
}

/** Says that the record behind the last that is gone is gone. */
export function decide({ journal, fates }: Opened): void {
  const facts = journal.begin();
  facts.gone(fates.highestGone + 1, fates.highestGone + 2);
  journal.decided(1);
  journal.commit();
}

export function start(): { machine: MemoryDisk; disk: MemoryOpener } {
  const machine = new MemoryDisk();
  const disk = machine.opener();
  disk.makeDirectory('/q');
  disk.syncDirectoryNow('/');
  machine.operations = 0;
  return { machine, disk };
}

/** What the facts say is gone. */
export const gone = ({ fates }: Opened): string =>
  [...fates.goneSet.ranges()].map(({ from, to }) => `${from}-${to}`).join(' ');
