import { journalsAreDamaged } from './judge-journals.js';
import { absentIn } from './ranges.js';
import type { Range } from './report.js';
import type { Survey } from './survey.js';

/** Indexes below the next one that are not there, and that no fact calls gone. */
export interface Unaccounted {
  readonly lost: readonly Range[];
  /** Without any fact left, what no segment holds was deleted rather than lost: segments go when all their records have. */
  readonly gone: readonly Range[];
}

/** What a repair has to tell by facts. A pure function. */
export function unaccounted(survey: Survey): Unaccounted {
  const { segments, journals } = survey;
  const { goneSet } = journals.fates;
  const isBlank = isWithoutFacts(survey);
  const lost: Range[] = [];
  const gone: Range[] = [];
  const tell = (ranges: Range[], from: number, to: number): void => {
    if (from < to) ranges.push(...absentIn(goneSet, from, to));
  };
  const outside = isBlank ? gone : lost;
  const next = nextIndex(survey);
  tell(outside, 1, segments[0]?.first ?? next);
  for (const [at, segment] of segments.entries()) {
    const following = segments[at + 1]?.first;
    const end = following ?? next;
    let reached = segment.first;
    for (const { from, to } of segment.records) {
      tell(lost, reached, Math.min(from, end));
      reached = Math.max(reached, to);
    }
    const { continuesAt } = segment;
    const isOutside = continuesAt !== undefined && reached >= continuesAt && following !== undefined;
    tell(isOutside ? outside : lost, reached, end);
  }
  return { lost, gone };
}

/** No index below it is ever given again. */
function nextIndex({ segments, orphans, highestNamed }: Survey): number {
  const last = segments[segments.length - 1];
  return Math.max(
    last?.continuesAt ?? last?.next ?? 1,
    last?.entries.beyond?.to ?? 1,
    ...orphans.map(({ names }) => names?.to ?? 1),
    highestNamed + 1,
  );
}

/** Whether the journal is gone, or nothing in it is whole. */
function isWithoutFacts(survey: Survey): boolean {
  const { followed, others } = survey.journals;
  return journalsAreDamaged(survey) && [...followed, ...others].every(({ bytes }) => bytes === 0);
}
