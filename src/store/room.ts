import { DurostoreError } from '../errors.js';
import type { Engine } from './engine.js';
import { resolveTicks } from './tick-resolution.js';

/** What stands between a write and its place. */
export type Obstacle =
  | 'none'
  | 'full'
  | 'needs-fate'
  | 'fenced'
  /** The next one is large, and its sums are still to be made. */
  | 'large'
  /** Enough was written in this turn of the event loop. */
  | 'turn';

/**
 * Makes room for a write that the active segment has none for, as `whenFull` says, before a byte is written. All under the
 * write lock.
 *
 * A segment all of whose records are gone does not count against `maxFiles`, so that a store that is full and empty at
 * once can be written to; and a sparse one counts by its size.
 */
export class Room {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Begins a new segment, dropping the oldest one for it where that is asked for; or says why not: the caller has to wait,
   * or to come again with the fate lock. Throws STORE_FULL.
   */
  make(fateHeld: boolean): Obstacle {
    const { options, journal, sweeper, appender, clock, retention } = this.#engine;
    if (fateHeld) journal.catchUpLocked();
    else journal.catchUp();
    if (retention.excessWithActive() > 0 || retention.hasConsumedWithActive()) {
      if (!fateHeld) return 'needs-fate';
      appender.roll(clock.now());
      this.#drop(retention.excess(), (first) => retention.sealedBytes(first));
      return 'none';
    }
    if (sweeper.liveSegments() < options.maxFiles) {
      appender.roll(clock.now());
      return 'none';
    }
    switch (options.whenFull) {
      case 'wait':
        return 'full';
      case 'drop-oldest':
        if (!fateHeld) return 'needs-fate';
        appender.roll(clock.now());
        this.#dropOldest();
        return 'none';
      case 'fail':
        throw new DurostoreError(
          'STORE_FULL',
          `${options.maxFiles} files of ${options.maxFileSize} bytes are full. Nothing was written: ` +
            'consume or delete records, or raise maxFiles',
        );
    }
  }

  /** Under both locks: the oldest segments' records are gone, until the new segment is one of `maxFiles`. */
  #dropOldest(): void {
    const { tail, sweeper, options } = this.#engine;
    let bytes = 0;
    for (const first of tail.segments) bytes += sweeper.weight(first);
    this.#drop(bytes - options.maxFiles * options.maxFileSize, (first) => sweeper.weight(first));
  }

  /**
   * Under both locks: so many bytes go, by whole segments, the oldest first, and what is consumed. One that counts for nothing is gone
   * already.
   */
  #drop(excess: number, bytesOf: (first: number) => number): void {
    const { tail, journal, clock, retention } = this.#engine;
    resolveTicks(this.#engine);
    const facts = journal.begin();
    let left = excess;
    for (const first of tail.segments) {
      const next = tail.segments.after(first);
      if (next === undefined || (left <= 0 && !retention.isConsumed(first))) break;
      const bytes = bytesOf(first);
      if (bytes === 0) continue;
      facts.gone(first, next);
      left -= bytes;
    }
    journal.decided(clock.now());
    journal.commit();
  }
}
