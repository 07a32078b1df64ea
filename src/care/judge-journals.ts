import { isBegun, isSound, isTold, type JournalFile } from './journal-audit.js';
import { Opening } from './opening.js';
import type { Findings } from './report.js';
import type { Survey } from './survey.js';

/** What is to be said of the journals. */
export function judgeJournals(survey: Survey, findings: Findings): void {
  const { place, journals, segments } = survey;
  const opening = new Opening(survey);
  const { followed, others, missing } = journals;
  if (missing !== undefined) {
    // A new store has nothing yet, or its maker died over it.
    if (missing > 0 || segments.length > 0 || others.some(isBegun)) {
      const what =
        'the journal of fates is missing: the store does not open, and after a repair records that were deleted may be back';
      findings.add('damage', place.journalPath(Math.max(missing, 1)), what);
    }
  }
  for (const [at, file] of followed.entries()) judgeFollowed(file, isTold(followed, at), opening, findings);
  const current = followed[followed.length - 1];
  for (const file of others) {
    if (!isBegun(file)) continue;
    const what =
      'a journal that no mark leads to, a successor that was not finished perhaps: it counts for nothing';
    findings.note(file.path, what, { bytes: file.end + file.behind });
  }
  if (current === undefined) return;
  for (const { from, to } of journals.fates.lostSet.ranges())
    if (to > 1)
      findings.accounted(current.path, 'records were lost, and facts say so', {
        from: Math.max(1, from),
        to,
      });
}

const DAMAGED_STATE = 'the state at the beginning of the journal is damaged: the store does not open';

function judgeFollowed(file: JournalFile, isTold: boolean, opening: Opening, findings: Findings): void {
  const { path, header, holes, isComplete, end, behind, continuesIn, oddFact } = file;
  if (header.verdict !== 'valid')
    findings.add(
      'damage',
      path,
      'the header of the journal is damaged or belongs to another store: the store does not open',
      {
        bytes: 32,
      },
    );
  for (const hole of holes) {
    if (isTold)
      findings.note(
        path,
        'bytes of a journal that a take-over cut are not whole: its successor begins with all that counts',
        hole,
      );
    else if (hole.inState) findings.add('damage', path, DAMAGED_STATE, hole);
    else if (opening.journalHole(file, hole) === 'corrupt')
      findings.add('damage', path, 'facts are damaged, and others follow: the store does not open', hole);
    else {
      const what =
        'facts that were only written are not whole: the next opener cuts here, and drops those behind';
      findings.add('loss', path, what, hole);
    }
  }
  if (oddFact !== undefined) {
    const what = 'a fact does not end where its frame does: the store does not open, and is not repaired';
    findings.add('damage', path, what, oddFact);
  }
  if (!isComplete && holes.length === 0 && !isTold) {
    findings.add('damage', path, DAMAGED_STATE, { position: end, bytes: behind });
  } else if (behind > 0) {
    const what =
      continuesIn === undefined
        ? 'an unfinished fact: the next opener cuts it'
        : 'bytes behind the end of a journal that was succeeded: they count for nothing';
    findings.note(path, what, { position: end, bytes: behind });
  }
}

/** Whether the journals must be written anew before a store can be opened, or so that nothing that is whole is cut. */
export const journalsAreDamaged = ({ journals, segments }: Pick<Survey, 'journals' | 'segments'>): boolean =>
  journals.followed.some((_, at) => !isSound(journals.followed, at)) ||
  (journals.missing !== undefined &&
    (journals.missing > 0 || segments.length > 0 || journals.others.some(isBegun)));
