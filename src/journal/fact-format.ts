import { FEATURE_JOBS, FEATURE_STREAMS } from '../frame/file-header.js';

/** The first byte of a fact. */
export const Code = {
  gone: 1,
  lost: 2,
  slotTaken: 3,
  freed: 4,
  claimed: 5,
  extended: 6,
  released: 7,
  attempted: 8,
  /** Gone as well: so many indexes further on than the last that are gone in this frame, and so many of them. */
  goneFurther: 9,
  // ⚑ Only in a journal whose header names FEATURE_JOBS, so that a program of before never meets them.
  died: 10,
  putOff: 11,
  requeued: 12,
  progress: 13,
  attemptedSince: 14,
  // ⚑ Only in one whose header names FEATURE_STREAMS.
  carried: 25,
} as const;

const FIRST_OF_JOBS = 10;

/** The feature that the header of a journal announces in which a fact of that code may stand. */
export function featureOf(code: number): number {
  if (code < FIRST_OF_JOBS) return 0;
  return code <= 14 || (code >= 20 && code <= 24) ? FEATURE_JOBS : FEATURE_STREAMS;
}

/** What each fact takes behind its code at least; nothing is said of those that begin with a varint. */
export const BODY_BYTES: Readonly<Record<number, number>> = {
  [Code.gone]: 12,
  [Code.lost]: 12,
  [Code.slotTaken]: 24,
  [Code.freed]: 6,
  [Code.claimed]: 34,
  [Code.extended]: 18,
  [Code.released]: 6,
  [Code.attempted]: 10,
  [Code.died]: 23,
  [Code.putOff]: 18,
  [Code.requeued]: 6,
  [Code.progress]: 7,
  [Code.attemptedSince]: 22,
  [Code.carried]: 7,
};

/** A boot's name on disk: 16 bytes, in hexadecimal. */
export const BOOT_BYTES = 16;
/**
 * Records that are gone or lost are so many in one fact at most, unless they are all from the first one on: the fold takes
 * room for the others.
 */
export const MOST_INDEXES = 2 ** 32;
