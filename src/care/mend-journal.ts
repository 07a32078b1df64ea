import { randomBytes } from 'node:crypto';
import { publishName } from '../disk/publish-name.js';
import { syncNow } from '../disk/sync-failure.js';
import { encodeFileHeader, HeaderKind } from '../frame/file-header.js';
import { HEAD_BYTES } from '../frame/frame.js';
import type { FactSink } from '../journal/facts.js';
import { Fates } from '../journal/fates.js';
import { Journal } from '../journal/journal.js';
import { writeSuccessor } from '../journal/successor.js';
import { WithoutClaims } from '../journal/without-claims.js';
import { listJournals } from './journal-audit.js';
import { journalsAreDamaged } from './judge-journals.js';
import type { SideDirectory } from './side-directory.js';
import type { Survey } from './survey.js';
import type { Unaccounted } from './unaccounted.js';

/**
 * Sees to it that the journal is whole and says of every record that is not there that it is gone or lost, on the device
 * when it returns: only then may bytes of records be touched.
 */
export function mendJournal(
  survey: Survey,
  ranges: Unaccounted,
  aside: SideDirectory,
  wallTime: number,
): void {
  if (journalsAreDamaged(survey)) replaceJournals(survey, ranges, aside, wallTime);
  else if (ranges.lost.length + ranges.gone.length > 0) appendFacts(survey, ranges, wallTime);
}

function appendFacts({ place }: Survey, ranges: Unaccounted, wallTime: number): void {
  const { disk, names, storeId, epochs } = place;
  const journal = new Journal(disk, names, storeId, epochs, new Fates(''));
  try {
    journal.open();
    journal.catchUpLocked(true);
    tellRanges(journal.begin(), ranges);
    journal.decided(wallTime);
    journal.commit();
    journal.syncNow();
  } finally {
    journal.close();
  }
}

/**
 * Writes all that is whole into a journal beyond all others, and then removes those. ⚑ The highest go first, each on the
 * device before the next: until the lowest has gone, which is the commit, an opener begins there and finds it damaged; and a
 * repair that finds some of them gone has the facts of the new one. Claims are dropped, for nobody lives who holds them.
 */
function replaceJournals(survey: Survey, ranges: Unaccounted, aside: SideDirectory, wallTime: number): void {
  const { place, journals } = survey;
  const { disk, names, storeId, epochs, salt } = place;
  const old = listJournals(place);
  for (const number of old) aside.copy(place.journalPath(number));
  const fates = new Fates('');
  journals.fates.tell(new WithoutClaims(fates));
  tellRanges(fates, ranges);
  // A journal that is no successor would not be read as one that begins with a state.
  const number = Math.max(1, ...old) + 1;
  const temporary = names.temporary(`fate-${randomBytes(8).toString('hex')}`);
  const file = disk.create(temporary);
  if (file === undefined) throw Object.assign(new Error(`${temporary} exists`), { code: 'EEXIST' });
  try {
    const header = encodeFileHeader(HeaderKind.fates, storeId, number, epochs.ofJournal(number));
    writeSuccessor(file, header, salt, number - 1, fates, journals.fact + unreadFacts(survey), wallTime);
    syncNow(file);
  } finally {
    file.close();
  }
  publishName(disk, names, temporary, place.journalPath(number));
  disk.unlink(temporary);
  disk.syncDirectoryNow(names.directory);
  for (const one of old.reverse()) {
    disk.unlink(place.journalPath(one));
    disk.syncDirectoryNow(names.directory);
  }
}

/** At most so many facts can have stood in what is damaged: their numbers are not given again. */
function unreadFacts({ journals }: Survey): number {
  let bytes = 0;
  for (const { holes, behind } of [...journals.followed, ...journals.others])
    bytes += holes.reduce((sum, hole) => sum + hole.bytes, behind);
  return Math.ceil(bytes / HEAD_BYTES) + 1;
}

function tellRanges(sink: FactSink, { lost, gone }: Unaccounted): void {
  for (const { from, to } of lost) sink.lost(from, to);
  for (const { from, to } of gone) sink.gone(from, to);
}
