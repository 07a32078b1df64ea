import type { MemoryOpener } from '../../src/disk/memory-opener.js';
import { Batch } from '../../src/segment/batch.js';
import { Engine } from '../../src/store/engine.js';
import { resolveStoreOptions } from '../../src/store/options.js';
import { DIRECTORY, type Options, stillClock } from './actor.js';
import type { History, Seen } from './history.js';

/** What a neighbour does in one stretch, wherever another process is in what it does. */
export const DEEDS = ['look', 'write', 'write two', 'take', 'roll', 'succeed'] as const;
export type Deed = (typeof DEEDS)[number];

/**
 * Another opener, whose steps are synchronous: so a test can let it do one in the midst of an operation of somebody else,
 * as if it ran on another core. Where a lock is taken it does nothing, and looks instead.
 */
export class Neighbour {
  readonly disk: MemoryOpener;
  /** What is wrong with what it saw. */
  readonly problems: string[] = [];
  readonly #engine: Engine;
  readonly #history: History;
  #isBusy = false;

  private constructor(disk: MemoryOpener, engine: Engine, history: History) {
    this.disk = disk;
    this.#engine = engine;
    this.#history = history;
  }

  static async arrive(
    disk: MemoryOpener,
    history: History,
    { limits, slices: _, ...options }: Options,
  ): Promise<Neighbour> {
    const all = { directory: DIRECTORY, indexer: false, clock: stillClock, ...options } as const;
    const engine = await Engine.open(disk, resolveStoreOptions(all, new Set()), limits);
    return new Neighbour(disk, engine, history);
  }

  /** Does it, unless it is dead, or about to do something: between its own operations nothing of it can run. */
  does(deed: Deed): void {
    if (this.#isBusy || this.disk.dead) return;
    this.#isBusy = true;
    try {
      if (deed === 'write') this.#write([24]);
      else if (deed === 'write two') this.#write([16, 40]);
      else if (deed === 'take') this.#take();
      else if (deed === 'roll') this.#roll();
      else if (deed === 'succeed') this.#succeed();
      this.#look();
    } catch (error) {
      if (!this.disk.dead) this.problems.push(`${this.disk.name}: ${deed}: ${(error as Error).stack}`);
    } finally {
      this.#isBusy = false;
    }
  }

  close(): Promise<void> {
    return this.disk.dead ? Promise.resolve() : this.#engine.close();
  }

  #underWriteLock(work: (engine: Engine) => void): void {
    const { locks, tenure, appender } = this.#engine;
    if (!locks.write.tryEnter()) return;
    try {
      tenure.enter();
      appender.catchUp();
      work(this.#engine);
    } finally {
      locks.write.leave();
    }
  }

  /** A segment that nothing is in is never sealed. */
  #roll(): void {
    this.#underWriteLock(({ appender, tail }) => {
      if (tail.nextIndex > tail.active) appender.roll(stillClock.now());
    });
  }

  #write(sizes: readonly number[]): void {
    this.#underWriteLock(({ appender, tail }) => {
      const bytes = this.#history.writing(sizes);
      const batch = new Batch();
      batch.begin();
      for (const one of bytes) batch.add(one);
      if (!appender.fits(batch.length)) appender.roll(stillClock.now());
      const first = tail.nextIndex;
      appender.append(batch, 0, 1, stillClock.now(), false);
      const indexes = bytes.map((_, at) => first + at);
      this.#history.wrote(bytes, indexes, 'written');
    });
  }

  /** Removes the first message that nobody has. */
  #take(): void {
    const engine = this.#engine;
    const { locks, tenure, journal, fates, tail } = engine;
    if (!locks.fate.tryEnter()) return;
    try {
      tenure.enter();
      engine.catchUp();
      journal.catchUpLocked();
      const index = fates.taken.firstAbsent(1);
      if (index >= tail.nextIndex) return;
      const record = engine.read(index);
      if (record === undefined) throw new Error(`${index} is not there`);
      const bytes = Uint8Array.from(record.payload);
      this.#history.removing(bytes);
      journal.begin().gone(index, index + 1);
      journal.decided(stillClock.now());
      journal.commit();
      this.#history.removed(bytes, 'written');
    } finally {
      locks.fate.leave();
    }
  }

  #succeed(): void {
    const { locks, tenure, journal } = this.#engine;
    if (!locks.fate.tryEnter()) return;
    try {
      tenure.enter();
      journal.catchUpLocked();
      if (!locks.shorten.tryEnter()) return;
      try {
        journal.shorten(stillClock.now());
      } finally {
        locks.shorten.leave();
      }
    } finally {
      locks.fate.leave();
    }
  }

  /** Whatever is told is there, and nothing else is. What others do meanwhile it may have seen or not. */
  #look(): void {
    const engine = this.#engine;
    const before = this.#history.digest();
    engine.catchUp();
    const entries: Seen[] = [];
    for (let index = engine.firstIndex; index < engine.tail.nextIndex; index++) {
      const record = engine.read(index);
      if (record !== undefined) entries.push({ index, data: Uint8Array.from(record.payload) });
    }
    if (this.#history.digest() !== before) return;
    this.problems.push(
      ...this.#history.judge(entries, 'death').map((problem) => `${this.disk.name} sees: ${problem}`),
    );
  }
}
