import type { Fates } from '../journal/fates.js';

/**
 * What names a claim: anything else that speaks for the message has lost it. A message that was requeued has a first attempt
 * again: the claims of one holder that are named alike differ in when they end, as whoever has them knows it.
 */
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
 * | there          | named so, and this one has ended  | 'lost'      |
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
  return isOurs && !claim.expired && monotonic < claim.until && monotonic < until ? 'held' : 'lost';
}

/**
 * What becomes of a message, from how often it was claimed, how often it may be, and who has it:
 *
 * | it was claimed          | and now                            | then                                        |
 * | ----------------------- | ---------------------------------- | ------------------------------------------- |
 * | never                   | –                                  | 'again': it is to be had                    |
 * | less often than it may  | was given back                     | 'again', after the backoff                  |
 * | less often than it may  | its lease ended or its holder died | 'again', at once                            |
 * | as often, or more       | is held under a lease that runs    | nothing yet                                 |
 * | as often, or more       | was given back                     | 'dead', by that decision                    |
 * | as often, or more       | its lease ended or its holder died | 'dead', by whoever looks next               |
 * | however often           | was rejected                       | 'dead', by that decision                    |
 *
 * Each opener judges by its own `maxAttempts`. This is the judgement of an attempt that has failed.
 */
export const afterFailure = (attempts: number, maxAttempts: number): 'again' | 'dead' =>
  attempts >= maxAttempts ? 'dead' : 'again';

/** Why a message that nobody gave up is dead, as far as it is known here. */
export function reasonOf(fates: Fates, index: number): string {
  if (fates.claims.get(index)?.expired === true) return 'the lease ended';
  if (fates.attemptedOf(index)?.isOrphan === true) return 'the consumer died';
  return 'its last attempt failed';
}

/**
 * Which dead letters are beyond the bounds: those that died `maxAgeMs` ago or longer, and of the others so many that `maxCount`
 * are left, those that died first. Of those that died at one time the lowest first.
 */
export function beyondBounds(dead: readonly DeadAt[], bounds: DeadLetterBounds, now: number): number[] {
  const byAge = [...dead].sort(byDeath);
  const most = Math.max(0, byAge.length - bounds.maxCount);
  return byAge
    .filter(({ lastFailedAt }, at) => at < most || now - lastFailedAt >= bounds.maxAgeMs)
    .map(({ index }) => index);
}

export interface DeadAt {
  readonly index: number;
  readonly lastFailedAt: number;
}

const byDeath = (one: DeadAt, other: DeadAt): number =>
  one.lastFailedAt - other.lastFailedAt || one.index - other.index;

/** The one that is purged before the other. */
export const earlier = (one: DeadAt, other: DeadAt | undefined): DeadAt =>
  other === undefined || byDeath(one, other) < 0 ? one : other;

export interface DeadLetterBounds {
  readonly maxAgeMs: number;
  readonly maxCount: number;
}
