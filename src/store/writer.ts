import { DurostoreError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import { Batch, type Group } from '../segment/batch.js';
import { isDiskFull } from './disk-errors.js';
import type { Engine } from './engine.js';

/** A record on its way in. */
export interface NewRecord {
  readonly payload: Uint8Array;
  readonly marks?: Buffer | undefined;
  readonly headers?: Buffer | undefined;
}

interface PendingWrite {
  readonly group: Group;
  readonly durable: boolean;
  readonly resolve: (firstIndex: number) => void;
  readonly reject: (error: unknown) => void;
  /** Ends the waiting for an abort; undefined where nobody can abort. */
  readonly settle: (() => void) | undefined;
  abandoned: boolean;
}

/** Why a commit could not place all that was pending. */
type Obstacle = 'none' | 'full' | 'needs-fate';

/**
 * The way in. The calls of one tick share a commit: their frames are encoded before the lock, completed under it, written
 * with as few system calls as possible, and synced once for all who ask for it. They succeed or fail singly.
 */
export class Writer {
  readonly #engine: Engine;
  readonly #batch = new Batch();
  #pending: PendingWrite[] = [];
  #scheduled = false;
  #working: Promise<void> | undefined;
  #cancelBackgroundSync: (() => void) | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Writes records as one batch, whole or not at all; resolves with the first one's index when it is committed, or on the
   * device. `signal` ends waiting for the lock or for room; what is committed stays.
   */
  write(records: readonly NewRecord[], durable: boolean, signal?: AbortSignal): Promise<number> {
    this.#engine.assertUsable();
    signal?.throwIfAborted();
    this.#checkSizes(records);
    return new Promise((resolve, reject) => {
      const group = this.#batch.begin();
      for (const { payload, marks, headers } of records) this.#batch.add(payload, marks, headers);
      const pending: PendingWrite = {
        group,
        durable,
        resolve,
        reject,
        settle: signal && this.#rejectOnAbort(signal, () => pending),
        abandoned: false,
      };
      this.#pending.push(pending);
      this.#schedule();
    });
  }

  /** Waits for what was accepted; who waits for room gets CLOSED. */
  async close(): Promise<void> {
    this.#cancelBackgroundSync?.();
    if (this.#scheduled) await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#working !== undefined) await this.#working;
    for (const pending of this.#pending.splice(0)) {
      this.#reject(
        pending,
        new DurostoreError('CLOSED', 'the store was closed before there was room: open it again'),
      );
    }
  }

  #checkSizes(records: readonly NewRecord[]): void {
    const { maxRecordSize, maxFileSize } = this.#engine.options;
    let bytes = SEGMENT_OVERHEAD;
    for (const { payload, marks, headers } of records) {
      if (payload.length > maxRecordSize) {
        throw new DurostoreError(
          'RECORD_TOO_LARGE',
          `a record has ${payload.length} bytes and maxRecordSize is ${maxRecordSize}. Nothing was written: split it, or raise maxRecordSize and maxFileSize`,
        );
      }
      bytes += HEAD_BYTES + payload.length + (marks?.length ?? 0) + (headers?.length ?? 0);
    }
    if (bytes <= maxFileSize) return;
    throw new DurostoreError(
      'RECORD_TOO_LARGE',
      `the batch needs ${bytes} bytes in one file and maxFileSize is ${maxFileSize}. Nothing was written: split it, or raise maxFileSize`,
    );
  }

  #rejectOnAbort(signal: AbortSignal, self: () => PendingWrite): () => void {
    const abort = (): void => {
      const pending = self();
      pending.abandoned = true;
      pending.reject(signal.reason);
      // Whoever waits for room looks again, and finds that nobody wants it any more.
      this.#engine.indexer.changed();
    };
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  }

  #schedule(): void {
    if (this.#scheduled || this.#working !== undefined) return;
    this.#scheduled = true;
    this.#engine.turns.run(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    const { write } = this.#engine.locks;
    let obstacle: Obstacle = 'none';
    if (write.tryEnter()) {
      obstacle = this.#commit(false);
      if (this.#pending.length === 0) return;
    }
    this.#working = this.#work(obstacle).finally(() => {
      this.#working = undefined;
      if (this.#pending.length > 0) this.#schedule();
    });
  };

  /** Goes on while something is pending: waits for the lock, for room, for the fate lock. */
  async #work(first: Obstacle): Promise<void> {
    const { locks, indexer } = this.#engine;
    let obstacle = first;
    try {
      while (this.#pending.length > 0) {
        // Nothing can have changed unseen since the commit looked: it ran in this same turn.
        if (obstacle === 'full') await indexer.beyond(indexer.version, Number.POSITIVE_INFINITY);
        if (obstacle === 'needs-fate') {
          await locks.fate.enter();
          try {
            await locks.write.enter();
            obstacle = this.#commit(true);
          } finally {
            locks.fate.leave();
          }
        } else {
          await locks.write.enter();
          obstacle = this.#commit(false);
        }
      }
    } catch (error) {
      this.#rejectAll(error);
    }
  }

  /** Under the write lock, which it leaves. Answers everybody it can; what stays pending met the obstacle. */
  #commit(fateHeld: boolean): Obstacle {
    const engine = this.#engine;
    const { tail, appender, locks } = engine;
    let obstacle: Obstacle = 'none';
    let durableUpTo = 0;
    const committed: { pending: PendingWrite; first: number }[] = [];
    const rejected: { pending: PendingWrite; error: unknown }[] = [];
    try {
      engine.assertNotFailed();
      appender.catchUp();
      let run: PendingWrite[] = [];
      const flush = (): void => {
        if (run.length > 0) this.#append(run, committed, rejected);
        run = [];
      };
      let placed = 0;
      for (const pending of this.#pending) {
        const { group } = pending;
        const start = run[0]?.group.start ?? group.start;
        const follows = run[run.length - 1]?.group.end === group.start;
        if (pending.abandoned || !follows || !appender.fits(group.end - start)) flush();
        if (!pending.abandoned) {
          if (!appender.fits(group.end - (run[0]?.group.start ?? group.start))) {
            const room = this.#makeRoom(fateHeld, pending, rejected);
            if (room === 'full' || room === 'needs-fate') {
              obstacle = room;
              break;
            }
            if (room === 'room') run.push(pending);
          } else run.push(pending);
        }
        placed += 1;
      }
      flush();
      this.#keepOnly(placed);
    } catch (error) {
      const failure = engine.failed(error, 'writing');
      const answered = new Set(committed.map(({ pending }) => pending));
      for (const pending of this.#pending)
        if (!answered.has(pending)) rejected.push({ pending, error: failure });
      this.#keepOnly(this.#pending.length);
      obstacle = 'none';
    } finally {
      locks.write.leave();
    }
    const upTo = tail.nextIndex - 1;
    for (const { pending, first } of committed) {
      if (pending.durable) durableUpTo = upTo;
      else this.#resolve(pending, first);
    }
    for (const { pending, error } of rejected) this.#reject(pending, error);
    if (durableUpTo > 0) this.#resolveWhenSynced(committed, durableUpTo);
    else if (committed.length > 0) this.#syncWithin(engine.options.syncIntervalMs);
    engine.noteChange();
    return obstacle;
  }

  #append(
    run: readonly PendingWrite[],
    committed: { pending: PendingWrite; first: number }[],
    rejected: { pending: PendingWrite; error: unknown }[],
  ): void {
    const engine = this.#engine;
    const prepare = run.some((pending) => pending.durable);
    try {
      const groups = run.map((pending) => pending.group);
      let first = engine.appender.append(this.#batch, groups, engine.clock.now(), prepare);
      for (const pending of run) {
        committed.push({ pending, first });
        first += pending.group.frames.length;
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      // What is too much together may fit singly.
      if (run.length > 1) for (const pending of run) this.#append([pending], committed, rejected);
      else for (const pending of run) rejected.push({ pending, error: engine.failed(error, 'writing') });
    }
  }

  /** The active segment has no room for the group: rolls, or says what is in the way. */
  #makeRoom(
    fateHeld: boolean,
    pending: PendingWrite,
    rejected: { pending: PendingWrite; error: unknown }[],
  ): 'room' | 'full' | 'needs-fate' | 'rejected' {
    const engine = this.#engine;
    const { maxFiles, whenFull } = engine.options;
    try {
      if (fateHeld) engine.journal.catchUpLocked();
      else engine.journal.catchUp();
      if (engine.sweeper.liveSegments() < maxFiles) {
        engine.appender.roll(engine.clock.now());
        return 'room';
      }
      if (whenFull === 'wait') return 'full';
      if (whenFull === 'drop-oldest') {
        if (!fateHeld) return 'needs-fate';
        engine.appender.roll(engine.clock.now());
        this.#dropOldest(maxFiles);
        return 'room';
      }
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      rejected.push({ pending, error: engine.failed(error, 'writing') });
      return 'rejected';
    }
    rejected.push({
      pending,
      error: new DurostoreError(
        'STORE_FULL',
        `${maxFiles} files of ${engine.options.maxFileSize} bytes are full. Nothing was written: consume or delete records, or raise maxFiles`,
      ),
    });
    return 'rejected';
  }

  /** Under both locks: the oldest segments' records are gone, until the new segment is one of `maxFiles`. */
  #dropOldest(maxFiles: number): void {
    const { tail, journal, sweeper, clock } = this.#engine;
    const facts = journal.begin();
    let live = sweeper.liveSegments();
    for (const first of tail.segments) {
      const next = tail.segments.after(first);
      if (live <= maxFiles || next === undefined) break;
      if (sweeper.isEmptied(first)) continue;
      facts.gone(first, next);
      live -= 1;
    }
    journal.decided(clock.now());
    journal.commit(false);
  }

  #resolveWhenSynced(committed: readonly { pending: PendingWrite; first: number }[], upTo: number): void {
    const durable = committed.filter(({ pending }) => pending.durable);
    this.#engine.syncer.upTo(upTo).then(
      () => {
        for (const { pending, first } of durable) this.#resolve(pending, first);
      },
      (error: unknown) => {
        for (const { pending } of durable) this.#reject(pending, error);
      },
    );
  }

  /**
   * Records of others that are not known to be safe are synced by their writer; only if it died, and nobody hears of it,
   * by whoever saw them.
   */
  coverOthers(): void {
    this.#syncWithin(2 * this.#engine.options.syncIntervalMs);
  }

  /** Under `written`: the device gets it within the interval, all at once. */
  #syncWithin(delayMs: number): void {
    const { clock, syncer, tail } = this.#engine;
    if (this.#cancelBackgroundSync !== undefined || tail.safe >= tail.nextIndex - 1) return;
    this.#cancelBackgroundSync = clock.setTimer(clock.monotonic() + delayMs, () => {
      this.#cancelBackgroundSync = undefined;
      // A failed sync makes the store failed, and the next call says so.
      syncer.upTo(tail.nextIndex - 1).catch(() => {});
    });
  }

  #resolve(pending: PendingWrite, first: number): void {
    pending.settle?.();
    pending.resolve(first);
  }

  #reject(pending: PendingWrite, error: unknown): void {
    pending.settle?.();
    pending.reject(error);
  }

  #rejectAll(error: unknown): void {
    for (const pending of this.#pending) if (!pending.abandoned) this.#reject(pending, error);
    this.#keepOnly(this.#pending.length);
  }

  /** Forgets the first `placed` writes; what stays pending moves to the front of the batch. */
  #keepOnly(placed: number): void {
    this.#pending = this.#pending.slice(placed);
    this.#batch.keep(this.#pending.map((pending) => pending.group));
  }
}
