import { canFill } from './filler.js';
import { absentIn } from './ranges.js';
import type { SegmentAudit } from './segment-audit.js';
import type { Survey } from './survey.js';

/** What a repair does to the files of a segment. */
export interface SegmentPlan {
  /**
   * 'remove': nothing in it is whole, and later segments are there; facts tell of its records. 'empty': the same, of the last
   * one, which begins anew, for its name is what the next index is known by.
   */
  readonly whole: 'keep' | 'remove' | 'empty';
  /** The header is written again: the frames behind it, which are valid only at their place in this store, prove it. */
  readonly header: boolean;
  /** Bad bytes are filled. */
  readonly holes: boolean;
  /** The segment is cut there, behind the record before `next`, and sealed. */
  readonly seal: { readonly end: number; readonly next: number; readonly continuesAt: number } | undefined;
  /** Its entries are written again. */
  readonly entries: boolean;
}

const NOTHING: SegmentPlan = { whole: 'keep', header: false, holes: false, seal: undefined, entries: false };

/** A pure function of what was found. */
export function planOf(survey: Survey, at: number): SegmentPlan {
  const { segments } = survey;
  const segment = segments[at];
  if (segment === undefined || isLeftover(survey, at)) return NOTHING;
  const following = segments[at + 1];
  const header = segment.header.verdict !== 'valid';
  if (header && segment.bytes === 0) {
    // The name of a sparse segment says nothing of the next index: there is always a segment behind it.
    if (following !== undefined || segment.isSparse) return { ...NOTHING, whole: 'remove' };
    // Of a last segment that was only begun the next opener takes care.
    const isBegun = segment.header.verdict === 'absent' && segment.behind === 0;
    return isBegun ? NOTHING : { ...NOTHING, whole: 'empty', header, entries: true };
  }
  const seal = sealOf(segment, following);
  const holes = segment.holes.some((hole) => canFill(hole, segment.isSparse));
  return {
    whole: 'keep',
    header,
    holes,
    seal,
    entries: holes || seal !== undefined || hasOddEntries(segment),
  };
}

/** Whether the data file is changed, or goes. */
export const changesData = ({ whole, header, holes, seal }: SegmentPlan): boolean =>
  whole !== 'keep' || header || holes || seal !== undefined;

/** Whether all records of a segment before others are gone: the next opener removes it. */
export function isLeftover({ segments, journals }: Survey, at: number): boolean {
  const first = segments[at]?.first;
  const following = segments[at + 1]?.first;
  if (first === undefined || following === undefined) return false;
  return absentIn(journals.fates.goneSet, first, following).length === 0;
}

const hasOddEntries = ({ entries, records }: SegmentAudit): boolean =>
  entries.exists ? entries.odd > 0 || entries.beyond !== undefined : records.length > 0;

/** Where the next segment begins earlier, it is the one that is read: what this one has of its records goes. */
function sealOf(segment: SegmentAudit, following: SegmentAudit | undefined): SegmentPlan['seal'] {
  if (following === undefined) return undefined;
  const { end, next, continuesAt, shadow } = segment;
  const reached = continuesAt ?? next;
  if (reached > following.first)
    return next > following.first && shadow !== undefined
      ? { end: shadow, next: following.first, continuesAt: following.first }
      : undefined;
  if (continuesAt !== undefined) return undefined;
  // What a sparse segment does not hold is gone, up to its end.
  return { end, next: segment.isSparse ? following.first : next, continuesAt: following.first };
}
