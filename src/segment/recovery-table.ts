/**
 * What recovery decides, as pure functions of what was found: numbers and words in, a decision out. Whoever looks at a
 * directory gathers the findings in its own way; opening and the next holder of the write lock do what is decided, others
 * may only tell it.
 *
 * An index is *safe* when a whole frame, wherever it stands, says that it is on the device. What is bad at or below a safe
 * index is damage, for it was there; what is bad above may never have been.
 */

/** Indexes from `from` up to but not including `to`. */
export interface LostRange {
  readonly from: number;
  readonly to: number;
}

/** What stands behind the last whole batch of a segment. */
export type Ending =
  /** Nothing, or zeros up to the end of the file. */
  | 'clean'
  /** An unfinished batch, bad bytes, or bytes behind zeros; no whole frame of a later index anywhere behind. */
  | 'torn'
  /** The same, and a whole frame of a later index somewhere behind. */
  | 'frames-behind'
  /** Nothing counts: the batch is the segment's seal. */
  | 'sealed';

/** What was found where the reading of a segment stopped. */
export interface FoundEnd {
  readonly ending: Ending;
  /** The segment's first index. */
  readonly first: number;
  /** The index behind the last whole batch. */
  readonly next: number;
  /** The highest index that is known to be safe, by the frames behind and by those of later segments too. */
  readonly safe: number;
  /**
   * Whether the frames behind were part of the log although no frame calls them safe: no power was cut since, and entries,
   * which are written after their frames, name one of them, or the log goes on in a later segment.
   */
  readonly attested: boolean;
  /** Whether damage was passed over in this segment. */
  readonly damaged: boolean;
  /** Where the seal, or the take-over that ended the segment, says that the log goes on; undefined where nothing does. */
  readonly continuesAt: number | undefined;
  /** The first index of the next segment there is; undefined for the last one. */
  readonly successor: number | undefined;
  /** Whether the segment is of an earlier epoch, or was ended by a take-over: nothing may be written to it. */
  readonly ended: boolean;
}

export interface EndDecision {
  readonly row: EndRow['name'];
  /**
   * What becomes of what stands behind the end. 'pass-over': it stays, is CORRUPT when it is read, and the end goes on at
   * the next whole frame, from where it is decided again. 'cut': it is set aside and removed.
   */
  readonly behind: 'leave' | 'pass-over' | 'cut';
  /** Whether the segment is sealed, behind the last whole batch and towards `goesOnAt`. */
  readonly seal: boolean;
  /** The segment that the log goes on in, to be begun where it is not there; undefined: in this one. */
  readonly goesOnAt: number | undefined;
  /** Records that were only written, and will not come back. Told as lost. */
  readonly lost: LostRange | undefined;
}

export interface EndRow {
  readonly name: 'damage' | 'sealed' | 'earlier-epoch' | 'continued' | 'torn' | 'damaged-before' | 'end';
  readonly found: (end: FoundEnd) => boolean;
  readonly decide: (end: FoundEnd) => Omit<EndDecision, 'row'>;
}

/** Where the log goes on behind a segment that nobody may append to: no index that is safe is given again. */
const beyond = ({ next, safe, successor, continuesAt }: FoundEnd): number =>
  successor ?? continuesAt ?? Math.max(next, safe + 1);

const isDamage = ({ ending, next, safe, attested }: FoundEnd): boolean =>
  ending === 'frames-behind' && (attested || next <= safe);

const isLast = (end: FoundEnd): boolean =>
  end.ending !== 'sealed' && !isDamage(end) && !end.ended && end.successor === undefined;

/** Nobody appends to a file with damage. A segment that continued at its own first index would lead in a circle. */
const mustRoll = (end: FoundEnd): boolean => (end.damaged || end.next <= end.safe) && beyond(end) > end.first;

const lostBefore = (end: FoundEnd, goesOnAt: number): LostRange | undefined =>
  lostBetween(end.next, goesOnAt, end.safe);

/**
 * | row            | found behind the last whole batch                              | decision                        |
 * | -------------- | -------------------------------------------------------------- | ------------------------------- |
 * | damage         | bad bytes or zeros, and whole frames behind them, the next     | pass over                       |
 * |                |   index being safe, or the frames attested                     |                                 |
 * | sealed         | (it is the seal)                                               | the log goes on there           |
 * | earlier-epoch  | anything else, in a segment that nobody may write to           | nothing; what is missing: lost  |
 * | continued      | anything else, while a later segment exists                    | cut, seal towards that; lost    |
 * | torn           | anything else but nothing                                      | cut; after damage: seal, roll   |
 * | damaged-before | nothing, after damage                                          | seal, roll                      |
 * | end            | nothing                                                        | nothing                         |
 *
 * Exactly one row applies to whatever is found.
 */
export const END_ROWS: readonly EndRow[] = [
  {
    name: 'damage',
    found: isDamage,
    decide: () => ({ behind: 'pass-over', seal: false, goesOnAt: undefined, lost: undefined }),
  },
  {
    name: 'sealed',
    found: ({ ending }) => ending === 'sealed',
    decide: (end) => ({
      behind: 'leave',
      seal: false,
      goesOnAt: beyond(end),
      lost: lostBefore(end, beyond(end)),
    }),
  },
  {
    name: 'earlier-epoch',
    found: (end) => end.ending !== 'sealed' && !isDamage(end) && end.ended,
    decide: (end) => ({
      behind: 'leave',
      seal: false,
      goesOnAt: beyond(end),
      lost: lostBefore(end, beyond(end)),
    }),
  },
  {
    name: 'continued',
    found: (end) => end.ending !== 'sealed' && !isDamage(end) && !end.ended && end.successor !== undefined,
    decide: (end) => ({
      behind: end.ending === 'clean' ? 'leave' : 'cut',
      seal: true,
      goesOnAt: beyond(end),
      lost: lostBefore(end, beyond(end)),
    }),
  },
  {
    name: 'torn',
    found: (end) => isLast(end) && end.ending !== 'clean',
    decide: (end) => ({
      behind: 'cut',
      seal: mustRoll(end),
      goesOnAt: mustRoll(end) ? beyond(end) : undefined,
      lost: undefined,
    }),
  },
  {
    name: 'damaged-before',
    found: (end) => isLast(end) && end.ending === 'clean' && mustRoll(end),
    decide: (end) => ({ behind: 'leave', seal: true, goesOnAt: beyond(end), lost: undefined }),
  },
  {
    name: 'end',
    found: (end) => isLast(end) && end.ending === 'clean' && !mustRoll(end),
    decide: () => ({ behind: 'leave', seal: false, goesOnAt: undefined, lost: undefined }),
  },
];

/** What is done about the end of a segment. */
export function decideEnd(end: FoundEnd): EndDecision {
  for (const { name, found, decide } of END_ROWS) if (found(end)) return { row: name, ...decide(end) };
  throw new Error(`nothing is decided about ${JSON.stringify(end)}`);
}

/**
 * The records that are lost where the log passes from one index to a later one with nothing between: those above what is
 * safe. What is safe was there and is missing: that is damage, and CORRUPT when it is read.
 */
export function lostBetween(from: number, to: number, safe: number): LostRange | undefined {
  const above = Math.max(from, safe + 1);
  return above < to ? { from: above, to } : undefined;
}

/** What was found where a segment's header should be. */
export interface FoundHeader {
  /** 'absent': it was never wholly written. 'foreign': it is damaged, or another file's. */
  readonly header: 'valid' | 'absent' | 'foreign';
  /** Whether the segment's first index is safe. */
  readonly safe: boolean;
  /** Whether nothing can be written because the disk is full. */
  readonly full: boolean;
  /** Whether there is nothing behind the header. */
  readonly empty: boolean;
  /** Whether it is the only segment, the last of several, or has one behind it. */
  readonly place: 'only' | 'last' | 'inner';
  /** Whether the segment is of an earlier epoch, or was ended by a take-over: nothing may be written to it. */
  readonly ended: boolean;
}

/**
 * 'complete': the header is written. 'begin-anew': what is there is set aside, and the segment begins empty. 'remove': the
 * file goes, and whoever writes next finds a seal without its successor and creates that. 'full': the disk is.
 */
export type HeaderDecision = 'leave' | 'complete' | 'begin-anew' | 'remove' | 'full' | 'corrupt';

/**
 * A segment whose name reached the device before its header did holds nothing that was ever synced.
 *
 * | header  | and                                                    | decision   |
 * | ------- | ------------------------------------------------------ | ---------- |
 * | valid   |                                                        | leave      |
 * | absent  | of an earlier epoch                                    | leave      |
 * | absent  | there is room                                          | complete   |
 * | absent  | no room, nothing behind it, the last of several        | remove     |
 * | absent  | no room, nothing behind it, the only segment           | leave      |
 * | absent  | no room                                                | full       |
 * | foreign | the first index is not safe                            | begin-anew |
 * | foreign | it is safe                                             | corrupt    |
 */
export function decideHeader({ header, safe, full, empty, place, ended }: FoundHeader): HeaderDecision {
  if (header === 'valid') return 'leave';
  if (header === 'foreign') return safe ? 'corrupt' : 'begin-anew';
  if (ended) return 'leave';
  if (!full) return 'complete';
  if (!empty || place === 'inner') return 'full';
  return place === 'last' ? 'remove' : 'leave';
}

/**
 * The next index is beyond the last frame and beyond every index that a fact names, so that a fact that outlived its
 * record never strikes a newer one. The records between were lost.
 */
export function decideNext(
  next: number,
  highestNamed: number,
): { readonly next: number; readonly lost: LostRange | undefined } {
  return next > highestNamed
    ? { next, lost: undefined }
    : { next: highestNamed + 1, lost: { from: next, to: highestNamed + 1 } };
}
