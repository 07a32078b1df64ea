import type { IndexSet } from '../journal/index-set.js';
import { decideNext } from '../segment/recovery-table.js';
import { Opening } from './opening.js';
import { absentIn, count, span } from './ranges.js';
import type { Findings, Range, Spot } from './report.js';
import type { SegmentAudit } from './segment-audit.js';
import { isLeftover } from './segment-plan.js';
import type { Hole } from './segment-walk.js';
import type { Survey } from './survey.js';

/** What is to be said of the segments, one by one and of what is between them. */
export function judgeSegments(survey: Survey, findings: Findings): void {
  new SegmentJudge(survey, findings).judge();
}

class SegmentJudge {
  readonly #survey: Survey;
  readonly #findings: Findings;
  readonly #gone: IndexSet;
  readonly #opening: Opening;

  constructor(survey: Survey, findings: Findings) {
    this.#survey = survey;
    this.#findings = findings;
    this.#gone = survey.journals.fates.goneSet;
    this.#opening = new Opening(survey);
  }

  judge(): void {
    const { segments, place } = this.#survey;
    let expected = 1;
    for (const [at, segment] of segments.entries()) {
      const { first } = segment;
      if (expected < first)
        this.#missing(place.dataPath(expected), 'a segment is missing', {
          range: { from: expected, to: first },
        });
      else if (expected > first) this.#shadowed(segment, { from: first, to: expected });
      const following = segments[at + 1];
      if (isLeftover(this.#survey, at))
        this.#findings.note(
          segment.path,
          'a segment all of whose records are gone: the next opener removes it',
          {
            bytes: segment.size,
          },
        );
      else this.#judgeOne(segment, following);
      expected = segment.continuesAt ?? Math.max(segment.next, following?.first ?? 0);
    }
    this.#judgeOrphans(expected);
    this.#judgeNamed(expected);
  }

  #judgeOne(segment: SegmentAudit, following: SegmentAudit | undefined): void {
    this.#judgeHeader(segment);
    for (const hole of segment.holes) this.#judgeHole(segment, hole);
    if (segment.isSparse) this.#judgeSparse(segment);
    if (segment.continuesAt === undefined) this.#judgeOpenEnd(segment, following);
    else this.#judgeEnd(segment, segment.continuesAt, following);
    this.#judgeEntries(segment, following);
  }

  #judgeHeader(segment: SegmentAudit): void {
    const { path, first, next, size, bytes } = segment;
    const spot = bytes > 0 ? { bytes: 32, range: { from: first, to: next } } : { bytes: size };
    switch (this.#opening.header(segment)) {
      case 'corrupt':
        this.#findings.add(
          'damage',
          path,
          'the header of the segment is damaged or belongs to another store: the store does not open',
          spot,
        );
        break;
      case 'begin-anew':
        this.#findings.add(
          'loss',
          path,
          'the header of the segment is damaged, and nothing says that its records were synced: the next opener sets them aside',
          spot,
        );
        break;
      case 'complete':
        this.#findings.note(
          path,
          'a segment that was begun and has no header: the next opener completes it',
          spot,
        );
        break;
      default:
        // Of a segment that is over nobody completes the header.
        if (segment.header.verdict === 'absent' && this.#absent(first, next).length > 0)
          this.#findings.add(
            'damage',
            path,
            'the header of the segment is missing: its records cannot be read',
            spot,
          );
    }
  }

  #judgeHole(segment: SegmentAudit, hole: Hole): void {
    const { path } = segment;
    const { position, bytes, from, to } = hole;
    // What a sparse segment does not hold is gone.
    const range = (segment.isSparse && span(this.#absent(from, to))) || { from, to };
    const spot = { position, bytes, range };
    const { behind, row } = this.#opening.hole(segment, hole);
    if (row === 'earlier-epoch' && this.#absent(from, Math.max(to, segment.next)).length === 0)
      this.#findings.note(
        path,
        'bytes in a segment that is over, of records that are gone or told as lost',
        spot,
      );
    else if (behind !== 'pass-over')
      this.#findings.add(
        'loss',
        path,
        behind === 'cut'
          ? 'bytes that were only written are not whole: the next opener cuts here, and drops what is behind'
          : 'bytes that were only written are not whole',
        spot,
      );
    // Where no index is missing it was a mark, which is not always synced before what follows it.
    else if (to === from && hole.isInBatch && this.#mayCarry(from))
      this.#findings.add(
        'damage',
        path,
        'bytes behind the records of a batch fail their checksums: what a transaction deleted with them may be there again',
        spot,
      );
    else if (to === from) this.#findings.note(path, 'damaged bytes between records: none is missing', spot);
    else if (this.#absent(from, to).length === 0)
      this.#findings.note(path, 'damaged bytes of records that are gone', spot);
    else this.#findings.add('damage', path, 'bytes in the midst of whole ones fail their checksums', spot);
  }

  /** Whether a batch that ends at the index may say that records are gone, and the journal does not. */
  #mayCarry(end: number): boolean {
    const { isCarrying, carriedUpTo } = this.#survey.journals.fates;
    return isCarrying && end > carriedUpTo;
  }

  /** Whatever stood between two records must be gone; where something is damaged, that is told already. */
  #judgeSparse({ path, first, next, records, holes }: SegmentAudit): void {
    let reached = first;
    for (const { from, to } of [...records, { from: next, to: next }]) {
      if (!holes.some((hole) => hole.from === reached))
        this.#missing(path, 'a sparse segment does not hold records that no fact calls gone', {
          range: { from: reached, to: from },
        });
      reached = to;
    }
  }

  /** The segment is not sealed. */
  #judgeOpenEnd(segment: SegmentAudit, following: SegmentAudit | undefined): void {
    const { path, end, next, first } = segment;
    const spot = { position: end, bytes: segment.behind };
    const { behind, seal, row } = this.#opening.end(segment);
    if (following === undefined) {
      if (behind === 'cut' && segment.header.verdict === 'valid')
        this.#findings.note(path, 'an unfinished batch: the next opener cuts it', spot);
      return;
    }
    const to = following.first;
    if (this.#absent(next, to).length > 0)
      this.#missing(path, 'the segment ends before the next one begins', {
        ...spot,
        range: { from: next, to },
      });
    else if (row === 'earlier-epoch') return;
    else if (to <= this.#opening.safe)
      this.#findings.add('damage', path, 'the seal at the end of the segment is damaged or missing', spot);
    else if (seal && next <= to && first < to)
      this.#findings.note(
        path,
        'a segment that is not sealed, before another: the next opener seals it',
        spot,
      );
  }

  #judgeEnd(segment: SegmentAudit, continuesAt: number, following: SegmentAudit | undefined): void {
    const { path, end, behind, next, endedBy } = segment;
    if (behind > 0) {
      const what =
        endedBy === 'seal'
          ? 'bytes behind the seal: they count for nothing'
          : 'bytes behind the end that a take-over made: they count for nothing';
      this.#findings.note(path, what, { position: end, bytes: behind });
    }
    if (next < continuesAt)
      this.#missing(path, 'the segment goes on further than its records reach', {
        position: end,
        range: { from: next, to: continuesAt },
      });
    if (following === undefined)
      this.#findings.note(path, 'a sealed segment without its successor: the next opener creates it');
  }

  #judgeEntries(
    { entries, next, first, records, path }: SegmentAudit,
    following: SegmentAudit | undefined,
  ): void {
    const { beyond } = entries;
    const absent =
      following === undefined && beyond !== undefined ? this.#absent(beyond.from, beyond.to) : [];
    if (!entries.exists && records.length > 0)
      this.#findings.note(entries.path, 'the entries of the segment are missing: reading costs a search', {
        range: { from: first, to: next },
      });
    else if (entries.exists && (entries.odd > 0 || (beyond !== undefined && absent.length === 0))) {
      const stale = absent.length === 0 ? (beyond?.count ?? 0) : 0;
      this.#findings.note(
        entries.path,
        `${entries.odd + stale} of the entries are missing or odd: reading those records costs a search`,
        {
          position: entries.odd > 0 ? entries.firstOdd : entries.size - stale * 32,
          bytes: (entries.odd + stale) * 32,
        },
      );
    }
    if (beyond !== undefined && absent.length > 0)
      this.#missing(path, `${count(absent)} records that the entries name are not there`, {
        position: beyond.position,
        bytes: beyond.bytes,
        range: span(absent),
      });
  }

  /** Entries whose data file is missing behind all others; elsewhere the gap tells of them. */
  #judgeOrphans(end: number): void {
    for (const { path, first, size, names } of this.#survey.orphans) {
      const absent = first < end ? [] : this.#absent(first, names?.to ?? first);
      if (absent.length === 0)
        this.#findings.note(path, 'entries without their data file: the next opener removes them', {
          bytes: size,
        });
      else
        this.#missing(
          this.#survey.place.dataPath(first),
          'a segment is missing whose records its entries name',
          {
            bytes: names?.bytes ?? 0,
            range: span(absent),
          },
        );
    }
  }

  /** An index that a fact names was given, whatever the segments say. */
  #judgeNamed(end: number): void {
    const { segments, orphans, journals, highestNamed, place } = this.#survey;
    const beyond = segments[segments.length - 1]?.entries.beyond?.to ?? end;
    const from = Math.max(end, beyond, ...orphans.map(({ names }) => names?.to ?? 0));
    const path = journals.followed[journals.followed.length - 1]?.path ?? place.journalPath(1);
    this.#missing(path, 'records that facts name are not there', {
      range: decideNext(from, highestNamed).lost,
    });
  }

  #shadowed(segment: SegmentAudit, range: Range): void {
    const absent = span(this.#absent(range.from, range.to));
    const what = 'the segment begins before the one before it ends';
    if (absent === undefined) this.#findings.note(segment.path, what, { range });
    else this.#findings.add('damage', segment.path, what, { range: absent });
  }

  /** Records that are neither there nor gone: damage as far as they were on the device, loss beyond. */
  #missing(file: string, what: string, spot: Spot & { readonly range: Range | undefined }): void {
    const { range } = spot;
    if (range === undefined) return;
    const absent = span(this.#absent(range.from, range.to));
    if (absent === undefined) return;
    const { from, to } = absent;
    const middle = Math.min(Math.max(from, this.#opening.safe + 1), to);
    if (from < middle) this.#findings.add('damage', file, what, { ...spot, range: { from, to: middle } });
    if (middle < to) this.#findings.add('loss', file, what, { ...spot, range: { from: middle, to } });
  }

  #absent(from: number, to: number): Range[] {
    return from < to ? absentIn(this.#gone, from, to) : [];
  }
}
