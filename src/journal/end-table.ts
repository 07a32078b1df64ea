/**
 * What is decided about the end of a journal of fates, as a pure function of what was found. A damaged fact is never
 * skipped: what was decided after it may rest on it.
 */

export interface FoundJournalEnd {
  /**
   * What stands behind the last whole frame: nothing but zeros; an unfinished or bad frame with nothing whole behind it; the
   * same with a whole frame of a later fact somewhere behind.
   */
  readonly ending: 'clean' | 'torn' | 'frames-behind';
  /** Whether it is the state that a successor begins with: on the device, whole, before any mark led to it. */
  readonly inState: boolean;
  /** The last whole fact. */
  readonly fact: number;
  /** The highest fact that is known to be on the device, by the frames behind too. */
  readonly safe: number;
  /** Whether who looks is alone in the directory, and power may have been cut since the facts were written. */
  readonly first: boolean;
}

/** 'cut': what stands behind the last whole frame is removed. 'corrupt': fates stay as they are until `repair`. */
export type JournalEndDecision = 'leave' | 'cut' | 'corrupt';

/**
 * | found behind the last whole fact                                                | decision |
 * | ------------------------------------------------------------------------------- | -------- |
 * | anything, in the state that the journal begins with                             | corrupt  |
 * | nothing                                                                         | leave    |
 * | a bad fact that is known to be on the device                                    | corrupt  |
 * | a bad fact that is not, and whole ones behind it, while others are here         | corrupt  |
 * | the same, for the first opener: pages reach the device in any order             | cut      |
 * | an unfinished fact, whose writer must have died, for we hold its lock           | cut      |
 */
export function decideJournalEnd(end: FoundJournalEnd): JournalEndDecision {
  const { ending, inState, fact, safe, first } = end;
  if (inState) return 'corrupt';
  if (ending === 'clean') return 'leave';
  if (fact < safe) return 'corrupt';
  return ending === 'torn' || first ? 'cut' : 'corrupt';
}
