import { HeaderKind } from '../frame/file-header.js';
import { JOURNAL_KINDS } from '../frame/frame.js';
import { Fates } from '../journal/fates.js';
import { walkFrames } from './frame-walk.js';
import { type CheckedHeader, checkHeader } from './header-check.js';
import { type JournalHole, JournalWalk } from './journal-walk.js';
import { bytesBehind } from './last-byte.js';
import type { Pace } from './pace.js';
import type { Place } from './place.js';

/** What one journal's file says. */
export interface JournalFile {
  readonly number: number;
  readonly path: string;
  readonly header: CheckedHeader;
  readonly holes: readonly JournalHole[];
  readonly isComplete: boolean;
  readonly fact: number;
  readonly safe: number;
  readonly end: number;
  /** Bytes behind the end up to the last that is not zero. */
  readonly behind: number;
  readonly bytes: number;
  readonly continuesIn: number | undefined;
  /** Whether a take-over has cut it: its successor begins with all that it counted. */
  readonly isCut: boolean;
  readonly oddFact: { readonly position: number; readonly bytes: number } | undefined;
  readonly fates: Fates;
}

/** What the journals say together. */
export interface JournalAudit {
  /** Those that marks lead to, from the lowest one to the current one. */
  readonly followed: readonly JournalFile[];
  readonly others: readonly JournalFile[];
  /** The journal that a mark leads to and that is not there; 0 where there is none at all. */
  readonly missing: number | undefined;
  /** The fold of all that is whole and counts. */
  readonly fates: Fates;
  readonly fact: number;
}

const TRIES = 100;

/**
 * Reads the journals from the lowest one on, as an opener does, but over damage too. A journal may be succeeded and removed
 * between the listing and the reading: then it begins anew.
 */
export async function auditJournals(place: Place, pace: Pace): Promise<JournalAudit> {
  for (let attempt = 1; ; attempt++) {
    const files: JournalFile[] = [];
    for (const number of listJournals(place)) {
      const file = await auditJournal(place, number, pace);
      if (file !== undefined) files.push(file);
    }
    const audit = follow(files);
    if (audit.missing === undefined || attempt === TRIES) return audit;
    const listed = listJournals(place);
    if (listed.length === files.length && files.every(({ number }, at) => listed[at] === number))
      return audit;
  }
}

/** Numbers of the journals that count, ascending. */
export function listJournals({ disk, names, epochs }: Place): number[] {
  const numbers: number[] = [];
  for (const name of disk.list(names.directory)) {
    const parsed = names.parse(name);
    if (parsed?.kind === 'fate' && parsed.epoch === epochs.ofJournal(parsed.number))
      numbers.push(parsed.number);
  }
  return numbers.sort((a, b) => a - b);
}

async function auditJournal(place: Place, number: number, pace: Pace): Promise<JournalFile | undefined> {
  const path = place.journalPath(number);
  const file = place.disk.open(path, 'read');
  if (file === undefined) return undefined;
  try {
    const epoch = place.epochs.ofJournal(number);
    const header = checkHeader(file, HeaderKind.fates, place.storeId, number, epoch);
    const cut = place.epochs.cutOfJournal(number);
    const walk = new JournalWalk(path, number, cut ?? Number.POSITIVE_INFINITY, header.features);
    await walkFrames(file, place.salt, JOURNAL_KINDS, walk, pace);
    const { holes, isComplete, fact, safe, end, bytes, continuesIn, oddFact, fates } = walk;
    return {
      number,
      path,
      header,
      holes,
      isComplete,
      fact,
      safe,
      end,
      behind: bytesBehind(file, end),
      bytes,
      continuesIn: cut === undefined ? continuesIn : number + 1,
      isCut: cut !== undefined,
      oddFact,
      fates,
    };
  } finally {
    file.close();
  }
}

function follow(files: readonly JournalFile[]): JournalAudit {
  const followed: JournalFile[] = [];
  let missing: number | undefined;
  let current = files.find(isBegun) === files[0] ? files[0] : undefined;
  if (current === undefined) missing = 0;
  while (current !== undefined) {
    followed.push(current);
    const next: number | undefined = current.continuesIn;
    if (next === undefined) break;
    current = files.find(({ number }) => number === next && !followed.some((one) => one.number === next));
    if (current === undefined) missing = next;
  }
  const others = files.filter((file) => !followed.includes(file));
  const isDamaged = missing !== undefined || followed.some((_, at) => !isSound(followed, at));
  const last = followed[followed.length - 1];
  if (!isDamaged && last !== undefined)
    return { followed, others, missing, fates: last.fates, fact: last.fact };
  // What is gone stays gone, whichever journal says so.
  const fates = new Fates('');
  for (const file of files) file.fates.tell(fates);
  return { followed, others, missing, fates, fact: Math.max(0, ...files.map(({ fact }) => fact)) };
}

/** Whether there is anything in it: a successor is there ahead, all zeros. */
export const isBegun = ({ header, bytes, behind }: JournalFile): boolean =>
  header.verdict !== 'absent' || bytes > 0 || behind > 0;

/** Whether everything that counts in one of the journals that are followed is whole. */
export function isSound(followed: readonly JournalFile[], at: number): boolean {
  const file = followed[at];
  if (file === undefined || file.header.verdict !== 'valid' || file.oddFact !== undefined) return false;
  return isTold(followed, at) || (file.holes.length === 0 && file.isComplete);
}

/**
 * Whether a journal was cut by a take-over whose own journal, whole, begins with all that this one counted: a power cut may
 * have taken some of it since.
 */
export function isTold(followed: readonly JournalFile[], at: number): boolean {
  return followed[at]?.isCut === true && followed[at + 1] !== undefined && isSound(followed, at + 1);
}
