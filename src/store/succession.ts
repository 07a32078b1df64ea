import { SyncFailure } from '../disk/sync-failure.js';
import { DurostoreError } from '../errors.js';
import type { Engine } from './engine.js';

/**
 * Under the fate lock, caught up: a journal that has grown long is succeeded; where that fails, it goes on growing. ⚑ Not while the log
 * carries deletes that are no facts: a power cut may take them, and what became of their records would be forgotten.
 */
export function shortenIfLong(engine: Engine): void {
  const { journal, locks, clock, fates } = engine;
  if (!journal.isLong || fates.unfolded.length > 0) return;
  let entered = false;
  try {
    entered = locks.shorten.tryEnter();
    if (entered) journal.shorten(clock.now());
  } catch (error) {
    // What was decided is committed, whatever becomes of the successor; without one the journal goes on growing.
    if (error instanceof SyncFailure) engine.failure.ofSync(error);
    else if (error instanceof DurostoreError) engine.failure.of(error, 'writing the successor of a journal');
  } finally {
    if (entered) locks.shorten.leave();
  }
}
