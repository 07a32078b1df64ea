import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import { HEADER_BYTES, NEW_FEATURES } from '../frame/file-header.js';
import { SEGMENT_KINDS } from '../frame/frame.js';
import { ENTRY_BYTES, writeEntry } from '../segment/entry.js';
import { walkFrames } from './frame-walk.js';
import type { Pace } from './pace.js';
import type { Place } from './place.js';
import type { SegmentAudit } from './segment-audit.js';
import { planOf } from './segment-plan.js';
import { type CommitListener, SegmentWalk } from './segment-walk.js';
import type { Survey } from './survey.js';

const PAGE_ENTRIES = 4096;

/**
 * Writes the entries again of segments whose entries are missing, odd or of records that are not there, and of those that were
 * changed. Entries are a cache: whoever dies over it leaves entries that are odd.
 */
export async function mendEntries(survey: Survey, pace: Pace): Promise<void> {
  for (const [at, segment] of survey.segments.entries())
    if (planOf(survey, at).entries) await rewriteEntries(survey.place, segment, pace);
}

async function rewriteEntries(place: Place, { first, isSparse }: SegmentAudit, pace: Pace): Promise<void> {
  const { disk, names } = place;
  const data = disk.open(place.dataPath(first), 'read');
  const path = place.entriesPath(first);
  const file = disk.open(path, 'write') ?? disk.create(path);
  try {
    if (data === undefined || file === undefined) return;
    file.truncate(0);
    writeFully(file, place.entriesHeader(first), HEADER_BYTES, 0);
    const page = Buffer.alloc(PAGE_ENTRIES * ENTRY_BYTES);
    let from = 0;
    let behind = 0;
    let filled = 0;
    const flush = (): void => {
      writeFully(file, page, filled * ENTRY_BYTES, HEADER_BYTES + from * ENTRY_BYTES);
      filled = 0;
    };
    const put: CommitListener = (index, position, length, time, marks, marked) => {
      const slot = isSparse ? behind : index - first;
      if (filled === PAGE_ENTRIES || slot !== from + filled) flush();
      if (filled === 0) from = slot;
      behind = slot + 1;
      const isMarked = marked || walk.holes.length > 0;
      writeEntry(page, filled * ENTRY_BYTES, index, position, length, time, marks, isMarked);
      filled += 1;
    };
    const limit = place.cutOf(first)?.end ?? Number.POSITIVE_INFINITY;
    const walk = new SegmentWalk(data, first, { limit, isSparse, features: NEW_FEATURES }, put);
    await walkFrames(data, place.salt, SEGMENT_KINDS, walk, pace);
    flush();
    syncNow(file);
    disk.syncDirectoryNow(names.directory);
  } finally {
    data?.close();
    file?.close();
  }
}
