import { join } from 'node:path';
import type { Disk } from '../disk/disk.js';
import { type FileKind, FileNames } from '../disk/file-names.js';
import { Epochs } from '../epoch/epochs.js';
import { assertKnownFiles } from '../store/assert-known-files.js';
import type { Meta } from '../store/meta.js';
import { type DamagedArchive, damagedArchives } from './archive-audit.js';
import { EntriesCheck, type Witness } from './entries-check.js';
import { auditJournals, type JournalAudit } from './journal-audit.js';
import { journalsAreDamaged } from './judge-journals.js';
import type { Pace } from './pace.js';
import { Place } from './place.js';
import { auditSegment, type SegmentAudit } from './segment-audit.js';

/** Everything there is to be seen in a directory, without a judgement. */
export interface Survey {
  readonly place: Place;
  readonly mode: Meta['locking'];
  /** In order; each begins behind the one before it. */
  readonly segments: readonly SegmentAudit[];
  /** Entries files without their data file, and the records that they name. */
  readonly orphans: readonly {
    readonly path: string;
    readonly first: number;
    readonly size: number;
    readonly names: Witness | undefined;
  }[];
  readonly journals: JournalAudit;
  /** The greatest index that a fact named before the segments were read. */
  readonly highestNamed: number;
  /** Archives of ids that are damaged. */
  readonly archives: readonly DamagedArchive[];
  /** The other files with the store's prefix. */
  readonly others: readonly {
    readonly path: string;
    readonly size: number;
    readonly kind: FileKind['kind'] | 'superseded' | 'succeeded' | 'unknown';
  }[];
}

/**
 * Reads everything and changes nothing. Facts are read twice: what the first reading says of records must be seen in the
 * segments that are read after it, and segments that are missing must be called gone by the second, for facts are on the
 * device before a segment goes.
 */
export async function survey(disk: Disk, names: FileNames, meta: Meta, pace: Pace): Promise<Survey> {
  const epochs = new Epochs(disk, names, meta.id, meta.locking === 'lockfile');
  epochs.assertNotMissing();
  const place = new Place(disk, names, epochs, meta.id);
  assertKnownFiles(disk, names);
  for (;;) {
    pace.expect(bytesToRead(place));
    const before = await auditJournals(place, pace);
    const segments = await auditSegments(place, pace);
    const orphans = findOrphans(place, segments);
    const journals = await auditJournals(place, pace);
    // A take-over decides anew which files count.
    if (epochs.refresh()) continue;
    carryDeletes(journals, segments);
    return {
      place,
      mode: meta.locking,
      segments,
      orphans,
      journals,
      highestNamed: before.fates.highestNamed,
      archives: damagedArchives(place),
      others: findOthers(place),
    };
  }
}

/** What batches say is gone, and the journal does not yet. Where it is damaged, nobody knows what of it the journal said. */
function carryDeletes(journals: JournalAudit, segments: readonly SegmentAudit[]): void {
  const { fates } = journals;
  const all = segments.flatMap(({ carried }) => carried);
  if (all.length > 0 && journalsAreDamaged({ journals, segments })) fates.carried(0, true);
  if (fates.isCarrying) for (const one of all) fates.carry(one);
}

/** First indexes of the segments that have dense entries which count, ascending. */
function listEntries({ disk, names, epochs }: Place): number[] {
  const firsts: number[] = [];
  for (const name of disk.list(names.directory)) {
    const parsed = names.parse(name);
    if (parsed?.kind === 'entries' && parsed.epoch === epochs.ofSegment(parsed.number))
      firsts.push(parsed.number);
  }
  return firsts.sort((a, b) => a - b);
}

/** Segments that were begun meanwhile are read too, so that the end is the end of what facts name. */
async function auditSegments(place: Place, pace: Pace): Promise<SegmentAudit[]> {
  const audits: SegmentAudit[] = [];
  for (;;) {
    const last = audits[audits.length - 1]?.first ?? 0;
    const firsts = place.listSegments().filter((first) => first > last);
    if (firsts.length === 0) return audits;
    // The last one may have been sealed since it was read as the last.
    if (audits.pop() !== undefined) firsts.unshift(last);
    for (const [at, first] of firsts.entries()) {
      const generation = place.generation(first);
      let audit = await auditSegment(place, first, firsts[at + 1], pace);
      if (audit === undefined && place.listSegments().includes(first) && place.generation(first) > generation)
        audit = await auditSegment(place, first, firsts[at + 1], pace);
      if (audit !== undefined) audits.push(audit);
    }
  }
}

function findOrphans(place: Place, segments: readonly SegmentAudit[]): Survey['orphans'] {
  const orphans: { path: string; first: number; size: number; names: Witness | undefined }[] = [];
  for (const first of listEntries(place)) {
    if (segments.some((segment) => segment.first === first) || place.disk.exists(place.dataPath(first)))
      continue;
    const path = place.entriesPath(first);
    const file = place.disk.open(path, 'read');
    if (file === undefined) continue;
    try {
      const check = new EntriesCheck(file, first, place.entriesHeaders(first), false);
      orphans.push({ path, first, size: check.size, names: check.beyond(first) });
    } finally {
      file.close();
    }
  }
  return orphans;
}

function findOthers(place: Place): Survey['others'] {
  const { disk, names } = place;
  const listed = disk.list(names.directory).sort();
  const neighbours = listed
    .filter((name) => name.endsWith('.meta'))
    .map((name) => name.slice(0, -'.meta'.length));
  const others: { path: string; size: number; kind: Survey['others'][number]['kind'] }[] = [];
  for (const name of listed) {
    if (!name.startsWith(`${names.prefix}.`) && !name.startsWith(`${names.prefix}_`)) continue;
    const kind = kindOf(place, name, neighbours);
    if (kind === undefined) continue;
    const path = join(names.directory, name);
    others.push({ path, size: kind === 'repair' ? 0 : sizeOf(place, path), kind });
  }
  return others;
}

/** Undefined for files that are looked at elsewhere, or that nobody needs to be told of. */
function kindOf(
  place: Place,
  name: string,
  neighbours: readonly string[],
): Survey['others'][number]['kind'] | undefined {
  const { names, epochs } = place;
  const parsed = names.parse(name);
  switch (parsed?.kind) {
    case undefined:
      return neighbours.some(
        (prefix) =>
          prefix !== names.prefix && new FileNames(names.directory, prefix).parse(name) !== undefined,
      )
        ? undefined
        : 'unknown';
    case 'data':
    case 'entries':
      if (place.generation(parsed.number) > 0) return 'succeeded';
      return parsed.epoch === epochs.ofSegment(parsed.number) ? undefined : 'superseded';
    case 'sparse-data':
    case 'sparse-entries':
      return parsed.generation === place.generation(parsed.number) ? undefined : 'succeeded';
    case 'fate':
      return parsed.epoch === epochs.ofJournal(parsed.number) ? undefined : 'superseded';
    case 'suspect':
    case 'cut':
    case 'repair':
    case 'temporary':
      return parsed.kind;
    default:
      return undefined;
  }
}

function bytesToRead(place: Place): number {
  let bytes = 0;
  for (const name of place.disk.list(place.names.directory)) {
    const kind = place.names.parse(name)?.kind;
    const times = kind === 'fate' ? 2 : 1;
    if (kind === 'data' || kind === 'sparse-data' || kind === 'fate')
      bytes += times * sizeOf(place, join(place.names.directory, name));
  }
  return bytes;
}

function sizeOf({ disk }: Place, path: string): number {
  const file = disk.open(path, 'read');
  try {
    return file?.size() ?? 0;
  } finally {
    file?.close();
  }
}
