import { decideJournalEnd, type JournalEndDecision } from '../journal/end-table.js';
import { decideEnd, decideHeader, type EndDecision, type HeaderDecision } from '../segment/recovery-table.js';
import type { JournalFile } from './journal-audit.js';
import type { JournalHole } from './journal-walk.js';
import type { SegmentAudit } from './segment-audit.js';
import type { Hole } from './segment-walk.js';
import type { Survey } from './survey.js';

/** What the next opener would decide about what was found, by its own tables: it is the first one, and alone. */
export class Opening {
  /** Everything up to it was on the device: what of it is not there is damage, and no mere loss. */
  readonly safe: number;
  readonly #survey: Survey;

  constructor(survey: Survey) {
    this.#survey = survey;
    this.safe = Math.max(0, ...survey.segments.map(({ safe }) => safe));
  }

  header(segment: SegmentAudit): HeaderDecision {
    return decideHeader({
      header: segment.header.verdict,
      safe: segment.first <= this.safe,
      full: false,
      empty: false,
      place: 'inner',
      ended: this.#isEnded(segment),
    });
  }

  /** About bad bytes with whole frames behind them. */
  hole(segment: SegmentAudit, { from }: Hole): EndDecision {
    return this.#decide(segment, 'frames-behind', from);
  }

  /** About the end of a segment that nothing ends. */
  end(segment: SegmentAudit): EndDecision {
    return this.#decide(segment, segment.behind > 0 ? 'torn' : 'clean', segment.next);
  }

  journalHole({ safe }: JournalFile, { inState, fact }: JournalHole): JournalEndDecision {
    return decideJournalEnd({ ending: 'frames-behind', inState, fact, safe, first: true });
  }

  #decide(segment: SegmentAudit, ending: 'clean' | 'torn' | 'frames-behind', next: number): EndDecision {
    const { first, continuesAt } = segment;
    return decideEnd({
      ending,
      first,
      next,
      safe: this.safe,
      attested: false,
      damaged: false,
      continuesAt,
      successor: this.#survey.segments.find((later) => later.first > first)?.first,
      ended: this.#isEnded(segment),
    });
  }

  #isEnded({ first, endedBy }: SegmentAudit): boolean {
    const { epochs } = this.#survey.place;
    return endedBy === 'take-over' || epochs.ofSegment(first) !== epochs.current;
  }
}
