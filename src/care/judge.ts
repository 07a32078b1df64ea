import { judgeJournals } from './judge-journals.js';
import { judgeSegments } from './judge-segments.js';
import { Findings, isOk, type Report } from './report.js';
import type { Survey } from './survey.js';

const OF_OTHERS: Readonly<Record<string, string>> = {
  suspect: 'a sync failed here: the next opener writes again what may not be on the device',
  cut: 'bytes that were cut from an unfinished end and set aside',
  repair: 'bytes that a repair set aside',
  temporary: 'a file that somebody who died was making: the next opener removes it',
  superseded: 'a file that a take-over has superseded: it counts for nothing',
  succeeded:
    'a file of a segment that has a sparse successor, or was to have one: the next opener removes it',
  unknown: 'a file that no store has',
};

/** What a survey means. A pure function. */
export function judge(survey: Survey): Report {
  const findings = new Findings();
  if (isOfAnotherStore(survey)) {
    const what =
      'the id in it is not that of the files beside it, which agree on another: nothing more was looked at';
    findings.add('damage', survey.place.names.meta(), what);
    return { ok: false, records: 0, bytes: 0, findings: findings.all };
  }
  judgeJournals(survey, findings);
  judgeSegments(survey, findings);
  for (const { path, size, end } of survey.archives) {
    const what = 'ids of messages that are gone: what was enqueued with one of them may be stored again';
    findings.add('damage', path, what, { position: end, bytes: size - end });
  }
  for (const { path, size, kind } of survey.others) {
    const what = OF_OTHERS[kind];
    if (what !== undefined) findings.note(path, what, { bytes: size });
  }
  return {
    ok: isOk(findings.all),
    records: countRecords(survey),
    bytes: countBytes(survey),
    findings: findings.all,
  };
}

/** Whether it is the meta that is odd: mending the files by it would destroy them. */
export function isOfAnotherStore({ segments, journals, place }: Survey): boolean {
  const own = place.storeId.toString('hex');
  const ids = [...segments, ...journals.followed, ...journals.others].map(({ header }) => header.storeId);
  const named = new Set(ids.filter((id) => id !== undefined));
  return named.size === 1 && !named.has(own);
}

/** Whole records that are not gone. Those that a later segment holds as well count once. */
function countRecords({ segments, journals }: Survey): number {
  const { goneSet } = journals.fates;
  let records = 0;
  for (const [at, segment] of segments.entries()) {
    const end = segments[at + 1]?.first ?? Number.POSITIVE_INFINITY;
    for (const { from, to } of segment.records)
      for (let index = from; index < Math.min(to, end); index++) if (!goneSet.has(index)) records += 1;
  }
  return records;
}

function countBytes({ segments, journals }: Survey): number {
  const parts = [...segments, ...journals.followed];
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
