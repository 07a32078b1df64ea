import { join } from 'node:path';
import type { FileKind } from '../disk/file-names.js';
import { Fenced } from '../epoch/fenced.js';
import { keepSpare } from '../epoch/spare.js';
import type { FactSink } from '../journal/facts.js';
import type { IndexSet } from '../journal/index-set.js';
import { Runs } from '../journal/runs.js';
import { recoverSegments, rewriteUnsafe } from '../segment/recovery.js';
import { decideNext, type LostRange } from '../segment/recovery-table.js';
import { assertKnownFiles } from './assert-known-files.js';
import { isDiskFull } from './disk-errors.js';
import type { Engine } from './engine.js';
import { removeOrphans } from './orphans.js';

/** Slots whose files a new store has at once; more are created when as many queues claim at a time. */
const PREPARED_SLOTS = 4;

/**
 * Brings an opener up to date. The first one in the directory checks what its predecessors left and mends it, under all
 * locks; later ones only read, unless a failed sync left its mark, or the last fact is not whole: then somebody is writing
 * it, or died over it, or it is damaged, which shows under the lock.
 */
export async function recoverStore(
  engine: Engine,
  first: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { locks, journal, tail, disk, names } = engine;
  if (!first) {
    removeOrphans(engine);
    journal.open();
    tail.open();
    if (!journal.unfinished && !disk.exists(names.suspect())) {
      engine.carried.begin();
      return;
    }
  }
  let isDone = false;
  while (!isDone) {
    await locks.fate.enter(signal);
    try {
      await locks.write.enter(signal);
      try {
        isDone = recoverLocked(engine, first);
      } finally {
        locks.write.leave();
      }
    } finally {
      locks.fate.leave();
    }
  }
}

/** Under all locks; false where they were lost meanwhile, and it is to be done again. */
function recoverLocked(engine: Engine, first: boolean): boolean {
  const { tenure, journal, appender, disk, names, files, tail, clock } = engine;
  try {
    if (first) recover(engine);
    else {
      journal.catchUpLocked();
      appender.catchUp();
    }
    if (disk.exists(names.suspect())) {
      journal.shorten(clock.now());
      rewriteUnsafe(files, tail, appender, clock.now());
    }
    if (!engine.carried.begin()) throw new Fenced();
    return !tenure.isLost(tail.position());
  } catch (error) {
    if (!(error instanceof Fenced)) throw error;
    tenure.lost();
    return false;
  }
}

function recover(engine: Engine): void {
  const { journal, tail, appender, fates, files, clock, epochs, tenure, locks } = engine;
  epochs.refresh();
  epochs.assertNotMissing();
  assertKnownFiles(engine.disk, engine.names);
  removeLeftovers(engine);
  removeOrphans(engine);
  // The first journal is on the device before the first segment exists.
  const isNew = !journal.exists() && files.list().length === 0;
  if (isNew) {
    journal.create();
    if (locks.mode !== 'lockfile') createLockFiles(engine);
  }
  tenure.begin();
  // Recovery decides what of the log counts.
  engine.carried.forget();
  journal.open();
  journal.catchUpLocked(true);
  journal.reserve();
  // Only then: what a take-over has just given up is wanted for the facts that empty the disk.
  if (locks.mode === 'lockfile') keepSpare(engine.disk, engine.names);
  const told = recoverSegments(files, tail, appender, clock.now());
  const { next, lost } = decideNext(tail.nextIndex, fates.highestNamed);
  // Without a segment there is nothing to roll: the first one begins there.
  if (tail.segments.length === 0) tail.nextIndex = next;
  tellLost(engine, lost === undefined ? told : [...told, lost]);
  try {
    appender.catchUp();
  } catch (error) {
    // ⚑ What is sealed without a successor, damaged and not yet sealed, or without a segment to write to since a take-over,
    // can be read and emptied; the next write rolls.
    const canWait = tail.state === 'sealed' || tail.hasDamage || files.data(tail.active) === undefined;
    if (!isDiskFull(error) || isNew || !canWait) throw error;
  }
  if (tail.nextIndex < next) appender.roll(clock.now(), next);
  sayCarriedAnew(engine);
  // Last of all: now everything was looked at, and nothing is a later version's.
  if (journal.isOlder) succeedOld(engine);
}

/** ⚑ A journal that cannot take every fact is succeeded by one that can, while nobody else is here. On a full disk it goes on. */
function succeedOld({ journal, clock }: Engine): void {
  try {
    journal.shorten(clock.now());
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** What is locked now and then exists from the beginning, for on a full disk nothing can be created. */
function createLockFiles({ disk, names }: Engine): void {
  disk.create(names.lock('shorten'))?.close();
  for (let slot = 1; slot <= PREPARED_SLOTS; slot++) disk.create(names.slot(slot))?.close();
}

/** Says which indexes were lost, on the device before the log goes on behind them. */
function tellLost(engine: Engine, ranges: readonly LostRange[]): void {
  const { journal, clock, fates } = engine;
  const facts = journal.begin();
  for (const range of ranges) tellAbsent(facts, range, fates.goneSet);
  journal.decided(clock.now());
  journal.commit();
  if (journal.fact > journal.safe) journal.syncNow();
}

/**
 * ⚑ The facts may say that batches carry deletes from an index on that was lost, with those before it. Whoever has read the next such
 * batch, and not yet that this was said anew, would take it for one that facts know: so it is said on the device before anybody else
 * is here. On a full disk whoever writes such a batch says it.
 */
function sayCarriedAnew({ journal, fates, tail, clock }: Engine): void {
  if (!fates.isCarrying || fates.carriedUpTo <= tail.nextIndex) return;
  try {
    journal.begin().carried(tail.nextIndex, true);
    journal.decided(clock.now());
    journal.commit();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return;
  }
  journal.syncNow();
}

/** Records that were gone already are not lost: their segment was removed because of that. */
function tellAbsent(facts: FactSink, range: LostRange, gone: IndexSet): void {
  const runs = new Runs((from, to) => facts.lost(from, to));
  for (let index = gone.firstAbsent(range.from); index < range.to; index = gone.firstAbsent(index + 1))
    runs.add(index);
  runs.end();
}

/**
 * Files that somebody who died was making, or had not removed yet, and those of epochs that ended before them. Nobody needs
 * them: nobody else is in the directory or, with lock files, nobody else who counts.
 */
function removeLeftovers({ disk, names, files, epochs }: Engine): void {
  const isOver = (epoch: number, counting: number): boolean => epoch !== counting && epoch < epochs.current;
  const isLeftover = (kind: FileKind): boolean => {
    switch (kind.kind) {
      case 'temporary':
        return true;
      case 'data':
        return isOver(kind.epoch, epochs.ofSegment(kind.number));
      case 'entries':
        return !disk.exists(names.data(kind.number, kind.epoch));
      case 'sparse-entries':
        return !disk.exists(names.sparseData(kind.number, kind.generation));
      case 'fate':
        return isOver(kind.epoch, epochs.ofJournal(kind.number));
      default:
        return false;
    }
  };
  if (disk.exists(names.guard())) disk.removeDirectory(names.guard());
  for (const name of disk.list(names.directory)) {
    const kind = names.parse(name);
    if (kind !== undefined && isLeftover(kind)) disk.unlink(join(names.directory, name));
  }
  const sparse = files.list().filter((first) => files.isSparse(first));
  // Their maker may have died before their names were on the device.
  if (sparse.length > 0) disk.syncDirectoryNow(names.directory);
  for (const first of sparse) files.removeSucceeded(first);
}
