import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { damagedLine, decodeFormatLine, encodeFormatLine } from '../disk/format-line.js';
import { laterVersion } from '../disk/later-version.js';
import { publishFile } from '../disk/publish-file.js';
import { SyncFailure } from '../disk/sync-failure.js';
import { CorruptError, DurostoreError } from '../errors.js';
import { assertAvailable, chooseLockMode, type LockMode } from '../lock/locks.js';
import { invalid } from './options.js';

/** What a directory is: one line of JSON in `duro.meta`, written once and never changed. */
export interface Meta {
  readonly locking: LockMode;
  /** Eight random bytes that every file of the store repeats, so that one that strayed in from another store is told. */
  readonly id: Buffer;
}

const LARGEST_META = 4096;

/**
 * The directory's meta, which is born here if there is none: written whole under a temporary name, synced, and given
 * its own, so that it is there wholly or not at all; the loser of a race obeys the winner's. The name, and those of
 * directories that were created, are on the device when this resolves.
 */
export async function readOrCreateMeta(
  disk: Disk,
  names: FileNames,
  locking: 'auto' | LockMode,
): Promise<Meta> {
  disk.makeDirectory(names.directory);
  for (let attempt = 0; attempt < 100; attempt++) {
    const meta = readMeta(disk, names);
    if (meta !== undefined) {
      await disk.syncDirectory(names.directory);
      return meta;
    }
    refuseCaseTwin(disk, names);
    refuseOrphans(disk, names);
    await syncNamesAbove(disk, names.directory);
    const mode = locking === 'auto' ? chooseLockMode(disk, names.directory) : locking;
    // What cannot be had is not recorded, or the directory could not be opened in any other way.
    assertAvailable(disk, names, mode);
    writeMeta(disk, names, mode);
  }
  throw new DurostoreError('STORE_FAILED', `${names.meta()} cannot be created: somebody keeps removing it`);
}

/**
 * Syncs the directories that name this one, up to the root, before there is a meta: whoever created some of them may have
 * died since, and whoever finds a meta takes them for synced.
 */
export async function syncNamesAbove(disk: Disk, directory: string): Promise<void> {
  for (let at = resolve(directory); at !== dirname(at); at = dirname(at)) {
    try {
      await disk.syncDirectory(dirname(at));
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      // What this user may not read it cannot sync. Who may create names there all the same has no promise for the new ones.
      if (code !== 'EACCES' && code !== 'EPERM') throw error;
    }
  }
}

/** Undefined where there is none. UNSUPPORTED_VERSION where it is another program's or a later version's, CORRUPT where it is damaged. */
export function readMeta(disk: Disk, names: FileNames): Meta | undefined {
  const file = disk.open(names.meta(), 'read');
  if (file === undefined) return undefined;
  try {
    const bytes = Buffer.alloc(LARGEST_META);
    const length = file.read(bytes, 0, LARGEST_META, 0);
    return metaOf(decodeFormatLine(bytes.subarray(0, length), file.path), file.path);
  } finally {
    file.close();
  }
}

/** A way of locking that is not known is a later version's. */
function metaOf({ locking, id }: Record<string, unknown>, path: string): Meta {
  if (locking !== 'os' && locking !== 'lockfile' && locking !== 'none')
    throw laterVersion(path, `says locking ${JSON.stringify(locking)}`);
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) throw damagedLine(path, LARGEST_META);
  return { locking, id: Buffer.from(id, 'hex') };
}

function writeMeta(disk: Disk, names: FileNames, locking: LockMode): void {
  const id = randomBytes(8).toString('hex');
  try {
    publishFile(disk, names, names.meta(), encodeFormatLine({ locking, id }));
  } catch (error) {
    // The first opener of the winner's store removes what it takes for leftovers.
    if ((error as { code?: unknown }).code === 'ENOENT') return;
    // Nothing is lost with a file that has no name yet.
    throw error instanceof SyncFailure ? error.cause : error;
  }
}

/** The bytes of a meta that says this. */
export const encodeMeta = ({ locking, id }: Meta): Buffer =>
  encodeFormatLine({ locking, id: id.toString('hex') });

const OF_A_STORE = new Set(['data', 'entries', 'fate', 'sparse-data', 'sparse-entries', 'takeover']);

/**
 * A meta is on the device before any other file of its store is made. So where there are such and no meta, it was removed; one
 * that is born now would have another id, and call all that is there foreign.
 */
function refuseOrphans(disk: Disk, names: FileNames): void {
  const orphan = disk.list(names.directory).find((name) => OF_A_STORE.has(names.parse(name)?.kind ?? ''));
  // Looked for after the listing: somebody may just have made both.
  if (orphan === undefined || disk.exists(names.meta())) return;
  throw new CorruptError(`there is no ${names.prefix}.meta beside ${orphan}`, {
    file: names.meta(),
    position: 0,
    bytes: 0,
    remedy: `Nothing was touched: restore ${names.meta()} from a copy`,
  });
}

/** Where case does not count, two prefixes that differ only by it would be one store. */
function refuseCaseTwin(disk: Disk, names: FileNames): void {
  const own = `${names.prefix}.meta`;
  const twin = disk
    .list(names.directory)
    .find((name) => name !== own && name.toLowerCase() === own.toLowerCase());
  if (twin !== undefined)
    throw invalid('filePrefix', `one that differs from ${twin} by more than case`, names.prefix);
}
