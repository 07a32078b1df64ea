import { canFill } from './filler.js';
import type { SegmentAudit } from './segment-audit.js';

/** What a repair does to the data file of a segment. */
export interface SegmentPlan {
  /**
   * 'remove': nothing in it is whole, and later segments are there; facts tell of its records. 'empty': the same, of the last
   * one, which begins anew, for its name is what the next index is known by.
   */
  readonly whole: 'keep' | 'remove' | 'empty';
  /** The header is written again: the frames behind it, which are valid only at their place in this store, prove it. */
  readonly header: boolean;
  /** The segment is cut there, behind the record before `next`, and sealed. */
  readonly seal: { readonly end: number; readonly next: number; readonly continuesAt: number } | undefined;
  readonly isNeeded: boolean;
}

/** A pure function of what was found. */
export function planOf(segments: readonly SegmentAudit[], at: number): SegmentPlan {
  const segment = segments[at];
  if (segment === undefined) throw new Error('no such segment');
  const following = segments[at + 1];
  const isOdd = segment.header.verdict !== 'valid';
  const isBlank = segment.bytes === 0;
  if (isOdd && isBlank && following !== undefined)
    return { whole: 'remove', header: false, seal: undefined, isNeeded: true };
  // Of a last segment without a header and without anything else the next opener takes care.
  if (isOdd && isBlank && segment.behind === 0 && segment.header.verdict === 'absent')
    return { whole: 'keep', header: false, seal: undefined, isNeeded: false };
  if (isOdd && isBlank) return { whole: 'empty', header: true, seal: undefined, isNeeded: true };
  const seal = sealOf(segment, following);
  const isNeeded = isOdd || seal !== undefined || segment.holes.some(canFill);
  return { whole: 'keep', header: isOdd, seal, isNeeded };
}

/** Where the next segment begins earlier, it is the one that is read: what this one has of its records goes. */
function sealOf(segment: SegmentAudit, following: SegmentAudit | undefined): SegmentPlan['seal'] {
  if (following === undefined) return undefined;
  const { end, next, continuesAt, shadow } = segment;
  const reached = continuesAt ?? next;
  if (reached > following.first)
    return next > following.first && shadow !== undefined
      ? { end: shadow, next: following.first, continuesAt: following.first }
      : undefined;
  return continuesAt === undefined ? { end, next, continuesAt: following.first } : undefined;
}
