import { SEGMENT_KINDS } from '../frame/frame.js';
import type { CarriedRanges } from '../journal/fates.js';
import { EntriesCheck, type Witness } from './entries-check.js';
import { walkFrames } from './frame-walk.js';
import { type CheckedHeader, checkHeader } from './header-check.js';
import { bytesBehind } from './last-byte.js';
import type { Pace } from './pace.js';
import type { Place } from './place.js';
import type { Range } from './report.js';
import { type Hole, SegmentWalk } from './segment-walk.js';

/** What the two files of a segment say. */
export interface SegmentAudit {
  readonly first: number;
  /** Whether it holds only some of its indexes, the others being gone. */
  readonly isSparse: boolean;
  readonly path: string;
  readonly size: number;
  readonly header: CheckedHeader;
  /** Records that are whole, and committed. */
  readonly records: readonly Range[];
  readonly holes: readonly Hole[];
  /** What its batches say is gone. */
  readonly carried: readonly CarriedRanges[];
  /** Behind the last whole batch. */
  readonly end: number;
  /** The index behind the last that is known to have been there. */
  readonly next: number;
  /** Where the log goes on, by a seal or by a take-over. */
  readonly continuesAt: number | undefined;
  readonly endedBy: 'seal' | 'take-over' | undefined;
  /** Bytes behind the end up to the last that is not zero. */
  readonly behind: number;
  readonly safe: number;
  /** The time of the first record, by itself or by the seal; undefined where nothing tells. */
  readonly firstTime: number | undefined;
  readonly time: number;
  readonly bytes: number;
  /** Whether a record is marked. */
  readonly isMarked: boolean;
  /** Where records begin that the next segment holds as well. */
  readonly shadow: number | undefined;
  readonly entries: EntriesAudit;
}

export interface EntriesAudit {
  readonly path: string;
  readonly exists: boolean;
  readonly size: number;
  /** How many are missing, short or odd, and where the first of them is. */
  readonly odd: number;
  readonly firstOdd: number;
  /** Records behind the data's end that they name. */
  readonly beyond: Witness | undefined;
}

/** Reads a segment; undefined where it is not there. `following` is the first index of the next one. */
export async function auditSegment(
  place: Place,
  first: number,
  following: number | undefined,
  pace: Pace,
): Promise<SegmentAudit | undefined> {
  const isSparse = place.generation(first) > 0;
  const path = place.dataPath(first);
  const entriesPath = place.entriesPath(first);
  const entriesFile = place.disk.open(entriesPath, 'read');
  const file = place.disk.open(path, 'read');
  try {
    if (file === undefined) return undefined;
    const entries = new EntriesCheck(entriesFile, first, place.entriesHeaders(first), isSparse);
    const header = checkHeader(file, place.dataKind(first), place.storeId, first, place.stamp(first));
    const cut = place.cutOf(first);
    const limit = cut?.end ?? Number.POSITIVE_INFINITY;
    const shadowFrom = following ?? Number.POSITIVE_INFINITY;
    const walk = new SegmentWalk(
      file,
      first,
      { limit, shadowFrom, isSparse, features: header.features },
      entries.see,
    );
    await walkFrames(file, place.salt, SEGMENT_KINDS, walk, pace);
    const beyond = entries.beyond(walk.next);
    const { records, holes, carried, end, next, seal, safe, time, bytes, shadow } = walk;
    return {
      first,
      isSparse,
      path,
      size: file.size(),
      header,
      records,
      holes,
      carried,
      end,
      next,
      continuesAt: seal ?? cut?.next,
      endedBy: seal !== undefined ? 'seal' : cut && 'take-over',
      behind: bytesBehind(file, end),
      safe,
      firstTime: walk.sealedFirstTime ?? walk.firstTime,
      time,
      bytes,
      isMarked: walk.isMarked,
      shadow,
      entries: {
        path: entriesPath,
        exists: entriesFile !== undefined,
        size: entries.size,
        odd: entries.odd,
        firstOdd: entries.firstOdd,
        beyond,
      },
    };
  } finally {
    file?.close();
    entriesFile?.close();
  }
}
