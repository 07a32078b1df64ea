import { isNoRoom } from '../disk/no-room.js';
import type { Appender } from './appender.js';
import type { EndSurvey } from './end-survey.js';
import { decideEnd, type EndDecision } from './recovery-table.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

/**
 * Does what recovery's table decides about what stands where the tail has stopped reading; returns the last decision, which
 * passes nothing over. Under the write lock. What the disk throws passes through; it is decided anew the next time.
 */
export function settleEnd(
  files: SegmentFiles,
  survey: EndSurvey,
  tail: Tail,
  appender: Appender,
  wallTime: number,
): EndDecision {
  for (;;) {
    const { end, behind } = survey.take();
    const decision = decideEnd(end);
    if (decision.behind === 'pass-over' && behind !== undefined) {
      tail.passOver(behind);
      tail.readOn();
      continue;
    }
    // ⚑ The last one is shared with no copy, and others that live have it open: they would go on in a file without a name.
    const isInner = tail.segments.after(tail.active) !== undefined;
    if ((survey.alone || isInner) && (decision.behind === 'cut' || decision.seal)) files.makeOwn(tail.active);
    if (decision.behind === 'cut') appender.cut();
    if (decision.seal && decision.goesOnAt !== undefined) {
      try {
        appender.seal(wallTime, decision.goesOnAt);
      } catch (error) {
        // ⚑ A full disk keeps no directory from opening: whoever is about to write decides again, and seals or fails.
        if (!survey.alone || !isNoRoom(error)) throw error;
      }
    }
    return decision;
  }
}
