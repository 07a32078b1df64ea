import { type Clock, systemClock } from '../clock.js';
import type { Disk } from '../disk/disk.js';
import { FileNames } from '../disk/file-names.js';
import { osDisk } from '../disk/os.js';
import { lockAlone, stillAlone } from './alone.js';
import { mendArchives } from './archive-audit.js';
import { isOfAnotherStore, judge } from './judge.js';
import { mendEntries } from './mend-entries.js';
import { mendJournal } from './mend-journal.js';
import { mendSegments, setSegmentsAside, syncSegments } from './mend-segments.js';
import { type CareOptions, resolveCareOptions } from './options.js';
import { Pace } from './pace.js';
import type { Finding, Report } from './report.js';
import { planOf } from './segment-plan.js';
import { SideDirectory } from './side-directory.js';
import { type Survey, survey } from './survey.js';
import { unaccounted } from './unaccounted.js';
import { describeCareError, metaOf } from './verify.js';

/**
 * Mends a store that nobody has open, so that it opens, everything that is whole can be read, and what is not is told as
 * lost. Bytes are copied into a side directory before they are changed, and entries are written again. Changes nothing where
 * nothing is wrong, and can be called again if it did not come to its end.
 *
 * Rejects with INVALID_OPTION where there is no such store, UNSUPPORTED_VERSION, LOCK_UNAVAILABLE where somebody has it
 * open, LOCK_LOST (with lock files, where this process slept and somebody else took over), DISK_FULL, STORE_FAILED, or
 * `signal.reason`. With lock files nobody can see who has the directory open and is idle: see to it.
 */
export function repair(options: CareOptions): Promise<Report> {
  return repairOn(osDisk, options);
}

/** The same on another disk: where tests put theirs. */
export async function repairOn(
  disk: Disk,
  options: CareOptions,
  clock: Clock = systemClock,
): Promise<Report> {
  const resolved = resolveCareOptions(options);
  const { signal, onProgress } = resolved;
  signal?.throwIfAborted();
  const names = new FileNames(resolved.directory, resolved.filePrefix);
  try {
    const locks = await lockAlone(disk, names, metaOf(disk, names).locking, signal);
    try {
      // It may have been replaced before the locks were had.
      const meta = metaOf(disk, names);
      const pace = new Pace(signal, onProgress);
      const found = await survey(disk, names, meta, pace);
      let report = judge(found);
      if (canMend(found) && needsMending(found, report)) {
        pace.carryOn();
        await mend(found, clock.now(), stillAlone(locks, names));
        report = account(report, judge(await survey(disk, names, meta, pace)));
      }
      pace.end();
      return report;
    } finally {
      locks.close();
    }
  } catch (error) {
    throw describeCareError(error, resolved, 'repairing');
  }
}

/** What another program, or a later version, has written is not ours to judge. */
const canMend = (found: Survey): boolean =>
  !isOfAnotherStore(found) && found.journals.followed.every(({ oddFact }) => oddFact === undefined);

const needsMending = (found: Survey, { ok }: Report): boolean =>
  !ok || found.segments.some((_, at) => planOf(found, at).entries);

/**
 * ⚑ In this order: what will be changed is set aside; the facts say what is lost; only then are the bytes touched. Each is on
 * the device before the next begins. Whoever dies in between leaves a directory that can be repaired again: copies that
 * nobody needs, facts about records that are damaged still, or segments of which some are mended.
 */
async function mend(found: Survey, wallTime: number, alone: () => Promise<void>): Promise<void> {
  const { disk, names } = found.place;
  const aside = new SideDirectory(disk, names);
  await setSegmentsAside(found, aside, alone);
  // What batches say is gone becomes facts: none outlives its batch.
  if (found.journals.fates.unfolded.length > 0) await syncSegments(found, alone);
  await alone();
  mendJournal(found, unaccounted(found), aside, wallTime);
  await mendSegments(found, wallTime, alone);
  mendArchives(found.place, found.archives, aside);
  await alone();
  await mendEntries(found, new Pace(undefined, () => {}));
}

/** What was found before, each with whether it is found no more, and what is new. */
function account(before: Report, after: Report): Report {
  const open = new Set(after.findings.filter(({ repaired }) => !repaired).map(nameOf));
  const known = new Set(before.findings.map(nameOf));
  const findings = before.findings.map((one) => ({
    ...one,
    repaired: one.repaired || !open.has(nameOf(one)),
  }));
  const others = after.findings.filter((one) => !one.repaired && !known.has(nameOf(one)));
  return { ...after, findings: [...findings, ...others] };
}

const nameOf = ({ file, position, what }: Finding): string => JSON.stringify([file, position, what]);
