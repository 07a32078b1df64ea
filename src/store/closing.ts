import { SyncFailure } from '../disk/sync-failure.js';
import type { Lock } from '../lock/lock.js';
import type { Engine } from './engine.js';

/** How long closing waits for a lock file, in order to leave a mark. */
const MARK_WITHIN_MS = 50;

/** Ends what is under way, syncs what was written, frees everything. */
export async function closeEngine(engine: Engine): Promise<void> {
  engine.backgroundSync.close();
  engine.compactor.close();
  engine.retention.close();
  engine.indexer.close();
  try {
    await engine.streams.close(engine.closedError());
    await engine.writer.close();
    await engine.transactor.close();
    await engine.copier.close();
    await engine.decider.close();
    await engine.sweeper.idle();
    await engine.compactor.idle();
    await engine.retention.idle();
    if (!engine.failure.isFailed) {
      lookOnceMore(engine);
      await engine.syncer.upTo(engine.tail.nextIndex - 1);
      await foldCarried(engine);
      await engine.syncFacts();
      await markClean(engine);
    }
  } finally {
    engine.appender.flushEntries();
    engine.journal.close();
    engine.files.descriptors.close();
    engine.locks.close();
  }
}

/** What others wrote and died over is synced too: nobody may be left to do it. Best effort. */
function lookOnceMore({ tenure, journal, tail, failure }: Engine): void {
  if (tenure.isTainted) return;
  try {
    journal.catchUp();
    tail.catchUp();
  } catch (error) {
    if (error instanceof SyncFailure) throw failure.ofSync(error);
  }
}

/** So that the next one to open has no log to look through. Best effort. */
async function foldCarried(engine: Engine): Promise<void> {
  const { fate } = engine.locks;
  if (!engine.fates.isCarrying) return;
  let entered = false;
  try {
    entered = fate.tryEnter() || (await waitFor(engine, fate));
    if (entered) engine.carried.fold();
  } catch (error) {
    if (error instanceof SyncFailure) throw engine.failure.ofSync(error);
  } finally {
    if (entered) fate.leave();
  }
}

/** So that the next first opener has nothing to check. Best effort, but for a cut that could not be synced. */
async function markClean(engine: Engine): Promise<void> {
  const { write } = engine.locks;
  let entered = false;
  try {
    entered = write.tryEnter() || (await waitFor(engine, write));
    if (!entered) return;
    engine.tenure.enter();
    engine.appender.catchUp();
    engine.appender.mark(engine.clock.now());
  } catch (error) {
    // Otherwise only the next opening pays, for a missing mark.
    if (error instanceof SyncFailure) engine.failure.ofSync(error);
  } finally {
    if (entered) write.leave();
  }
}

/** A lock file is left alone for a moment after each stretch, also where nobody else wants it: that is worth a wait. */
async function waitFor({ locks, clock }: Engine, lock: Lock): Promise<boolean> {
  if (locks.mode !== 'lockfile') return false;
  const patience = new AbortController();
  const forget = clock.setTimer(clock.monotonic() + MARK_WITHIN_MS, () => patience.abort());
  try {
    await lock.enter(patience.signal);
    return true;
  } catch (error) {
    if (patience.signal.aborted) return false;
    throw error;
  } finally {
    forget();
  }
}
