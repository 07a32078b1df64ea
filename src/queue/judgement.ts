import type { Fates } from '../journal/fates.js';

/** What names a claim: anything else that speaks for the message has lost it. */
export interface ClaimName {
  readonly index: number;
  readonly incarnation: number;
  readonly attempt: number;
}

/**
 * What has become of a claim, from facts and a moment:
 *
 * | the message is | the claim is                      | verdict     |
 * | -------------- | --------------------------------- | ----------- |
 * | there          | this one, and its lease runs      | 'held'      |
 * | there          | ended, given back, or another's   | 'lost'      |
 * | gone           | its lease would still run         | 'cancelled' |
 * | gone           | its lease has ended               | 'lost'      |
 *
 * While the lease runs nobody else can have had the message, so if it is gone it was deleted, cleared or dropped. After
 * that somebody else may have claimed and finished it.
 */
export function judgeClaim(
  fates: Fates,
  name: ClaimName,
  until: number,
  monotonic: number,
): 'held' | 'lost' | 'cancelled' {
  if (fates.goneSet.has(name.index)) return monotonic < until ? 'cancelled' : 'lost';
  const claim = fates.claims.get(name.index);
  const isOurs =
    claim !== undefined && claim.incarnation === name.incarnation && claim.attempt === name.attempt;
  return isOurs && !claim.expired && monotonic < claim.until ? 'held' : 'lost';
}

/** The next message in line from `from` on; `end` where there is none. First in, first out, claimed ones passed over. */
export const nextInLine = (fates: Fates, from: number, end: number): number =>
  Math.min(fates.taken.firstAbsent(from), end);
