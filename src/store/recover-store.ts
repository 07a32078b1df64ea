import { join } from 'node:path';
import type { FactSink } from '../journal/facts.js';
import type { IndexSet } from '../journal/index-set.js';
import { Runs } from '../journal/runs.js';
import { type LostRange, recoverSegments, rewriteUnsafe } from '../segment/recovery.js';
import { isDiskFull } from './disk-errors.js';
import type { Engine } from './engine.js';

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
    journal.open();
    tail.open();
    if (!journal.unfinished && !disk.exists(names.suspect())) return;
  }
  await locks.fate.enter(signal);
  try {
    await locks.write.enter(signal);
    try {
      if (first) recover(engine);
      else {
        journal.catchUpLocked();
        engine.appender.catchUp();
      }
      if (disk.exists(names.suspect())) {
        journal.shorten(engine.clock.now());
        rewriteUnsafe(engine.files, tail, engine.appender, engine.clock.now());
      }
    } finally {
      locks.write.leave();
    }
  } finally {
    locks.fate.leave();
  }
}

function recover(engine: Engine): void {
  const { journal, tail, appender, fates, files, clock } = engine;
  removeLeftovers(engine);
  // The first journal is on the device before the first segment exists.
  const isNew = !journal.exists() && files.list().length === 0;
  if (isNew) {
    journal.create();
    createLockFiles(engine);
  }
  journal.open();
  journal.catchUpLocked(true);
  journal.reserve();
  const lost = [...recoverSegments(files, tail, appender, clock.now())];
  // An index that a fact names is never given again, even where its record was lost.
  const next = fates.highestNamed + 1;
  if (tail.nextIndex < next) lost.push({ from: tail.nextIndex, to: next });
  // Without a segment there is nothing to roll: the first one begins there.
  if (tail.segments.length === 0) tail.nextIndex = Math.max(tail.nextIndex, next);
  tellLost(engine, lost);
  try {
    appender.catchUp();
  } catch (error) {
    // A sealed segment without its successor can be read and emptied; the next write creates it.
    if (!isDiskFull(error) || tail.state !== 'sealed') throw error;
  }
  if (tail.nextIndex < next) appender.roll(clock.now(), next);
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

/** Records that were gone already are not lost: their segment was removed because of that. */
function tellAbsent(facts: FactSink, range: LostRange, gone: IndexSet): void {
  const runs = new Runs((from, to) => facts.lost(from, to));
  for (let index = gone.firstAbsent(range.from); index < range.to; index = gone.firstAbsent(index + 1))
    runs.add(index);
  runs.end();
}

/** Files that somebody who died was making, or had not removed yet. Nobody else is in the directory, so nobody needs them. */
function removeLeftovers(engine: Engine): void {
  const { disk, names, files } = engine;
  const found = disk.list(names.directory).map((name) => ({ name, parsed: names.parse(name) }));
  const firsts = files.list();
  let isSynced = false;
  if (disk.exists(names.guard())) disk.removeDirectory(names.guard());
  for (const { name, parsed } of found) {
    if (parsed?.kind === 'temporary') disk.unlink(join(names.directory, name));
    if (parsed?.kind !== 'entries' && parsed?.kind !== 'sparse-entries') continue;
    const data =
      'generation' in parsed
        ? names.sparseData(parsed.number, parsed.generation)
        : names.data(parsed.number, parsed.epoch);
    if (!disk.exists(data)) disk.unlink(join(names.directory, name));
  }
  for (const first of firsts) {
    if (!files.isSparse(first)) continue;
    // Its maker may have died before its name was on the device.
    if (!isSynced) disk.syncDirectoryNow(names.directory);
    isSynced = true;
    files.removeSucceeded(first);
  }
}
