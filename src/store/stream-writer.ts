import { Fenced } from '../epoch/fenced.js';
import { DurostoreError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import { Spool } from '../segment/spool.js';
import type { TailPosition } from '../segment/tail.js';
import type { Engine } from './engine.js';
import { invalid } from './options.js';
import { removeOrphans } from './orphans.js';
import { Room } from './room.js';
import { Tenure } from './tenure.js';
import type { ResolvedWriteOptions } from './write-options.js';

/** What has no more bytes is written as any other record. Tests have less. */
export const SPOOL_FROM_BYTES = 4 * 1024 * 1024;
/** Positions and lengths are 32-bit, and positions signed in places. */
const LARGEST_FILE = 2 ** 31 - 1;

const EMPTY = Buffer.alloc(0);

/**
 * Writes one record from a source that may be slow and large. What is small is held until its end and written as any other; what is
 * not goes into a spool, without a lock, which becomes a segment of its own when it is whole.
 */
export class StreamWriter {
  readonly #engine: Engine;
  readonly #room: Room;
  readonly #spoolFrom: number;
  /** The epoch in which the record was written over a fence, and its index then. */
  #undecided: { readonly epoch: number; readonly index: number } | undefined;

  constructor(engine: Engine, spoolFrom = SPOOL_FROM_BYTES) {
    this.#engine = engine;
    this.#room = new Room(engine);
    const { maxFileSize, maxRecordSize } = engine.options;
    this.#spoolFrom = Math.min(spoolFrom, maxFileSize - SEGMENT_OVERHEAD - HEAD_BYTES, maxRecordSize);
  }

  /**
   * Resolves with the record's index. Rejects with what the source throws, `signal.reason`, CLOSED, RECORD_TOO_LARGE, STORE_FULL,
   * DISK_FULL: then nothing was written, and the source was told to end.
   */
  async write(source: AsyncIterable<Uint8Array>, options: ResolvedWriteOptions): Promise<number> {
    const { signal, headers = EMPTY, durable } = options;
    const ends =
      signal === undefined
        ? this.#engine.streams.signal
        : AbortSignal.any([signal, this.#engine.streams.signal]);
    const held: Uint8Array[] = [];
    let bytes = 0;
    let spool: Spool | undefined;
    let index: number | undefined;
    try {
      for await (const chunk of untilAborted(source, ends)) {
        if (!(chunk instanceof Uint8Array)) throw invalid('source', 'chunks that are Uint8Arrays', chunk);
        bytes += chunk.length;
        this.#assertSize(bytes, headers);
        if (spool === undefined && bytes + headers.length > this.#spoolFrom)
          spool = this.#begin(headers, held);
        if (spool === undefined) held.push(Uint8Array.from(chunk));
        else this.#append(spool, chunk);
        const pause = this.#engine.turns.pause();
        if (pause !== undefined) await pause;
      }
      ends.throwIfAborted();
      if (spool === undefined) {
        const record = { payload: Buffer.concat(held), headers: options.headers, owned: true };
        return await this.#engine.writer.writeOne(record, durable, signal);
      }
      index = await this.#commit(spool, durable, ends);
    } finally {
      if (index === undefined) spool?.remove();
    }
    return this.#settled(index, durable);
  }

  #begin(headers: Buffer, held: readonly Uint8Array[]): Spool {
    const engine = this.#engine;
    if (engine.options.transforms !== undefined)
      throw new DurostoreError(
        'UNSUPPORTED',
        `a stream of more than ${this.#spoolFrom} bytes cannot go through transforms. Nothing was written: ` +
          'transform the source itself, and open the store without',
      );
    engine.assertUsable();
    removeOrphans(engine);
    try {
      engine.epochs.assertHere();
      const spool = engine.files.descriptors.withRoom(() => Spool.create(engine.disk, engine.names, headers));
      try {
        for (const chunk of held) spool.append(chunk);
      } catch (error) {
        spool.remove();
        throw error;
      }
      return spool;
    } catch (error) {
      throw engine.failed(error, 'writing a stream');
    }
  }

  #append(spool: Spool, chunk: Uint8Array): void {
    try {
      spool.append(chunk);
    } catch (error) {
      throw this.#engine.failed(error, 'writing a stream');
    }
  }

  /** As soon as it is known. */
  #assertSize(bytes: number, headers: Buffer): void {
    const { maxRecordSize, hasRecordSize } = this.#engine.options;
    // The mark that says that it is on the device has room behind it.
    const room = LARGEST_FILE - SEGMENT_OVERHEAD - HEAD_BYTES - Spool.frameBytes(0, headers);
    const most = hasRecordSize ? Math.min(maxRecordSize, room) : room;
    if (bytes <= most) return;
    throw new DurostoreError(
      'RECORD_TOO_LARGE',
      `a stream has more than ${most} bytes${hasRecordSize ? ', which is maxRecordSize' : ''}. Nothing was written: split it`,
    );
  }

  async #commit(spool: Spool, durable: boolean, signal: AbortSignal): Promise<number> {
    const { locks, indexer, syncFailed } = this.#engine;
    try {
      spool.finish();
    } catch (error) {
      throw this.#engine.failed(error, 'writing a stream');
    }
    if (durable)
      try {
        // Nearly all of it is on the device before anybody has to wait for it.
        await spool.sync();
      } catch (error) {
        throw syncFailed.call(this.#engine, error);
      }
    let outcome: number | 'full' | 'needs-fate' | 'fenced' = 'fenced';
    for (;;) {
      // What was written over a fence is judged, whoever has given up on it meanwhile.
      const patience = this.#undecided === undefined ? signal : undefined;
      if (outcome === 'full') await indexer.beyond(indexer.version, Number.POSITIVE_INFINITY, signal);
      const needsFate = outcome === 'needs-fate';
      if (needsFate) await locks.fate.enter(patience);
      try {
        await locks.write.enter(patience);
        outcome = this.#commitLocked(spool, needsFate);
      } catch (error) {
        throw this.#undecided === undefined ? error : Tenure.undecided(error);
      } finally {
        if (needsFate) locks.fate.leave();
      }
      if (typeof outcome === 'number') return outcome;
    }
  }

  /** Under the write lock, which it leaves. */
  #commitLocked(spool: Spool, fateHeld: boolean): number | 'full' | 'needs-fate' | 'fenced' {
    const engine = this.#engine;
    const { tenure, appender, tail, clock } = engine;
    let before: TailPosition | undefined;
    try {
      engine.assertNotFailed();
      tenure.enter();
      const judged = this.#judge();
      if (judged !== undefined) return judged;
      appender.catchUp();
      before = tail.position();
      if (!spool.isThere)
        throw new DurostoreError(
          'LOCK_LOST',
          'the stream was taken for one whose writer is gone: write it again',
        );
      if (!appender.isEmpty) {
        const obstacle = this.#room.make(fateHeld);
        if (obstacle === 'full' || obstacle === 'needs-fate') return obstacle;
      }
      const index = appender.adopt(spool, clock.now());
      const { epoch } = tenure;
      if (!tenure.isLost(before)) return index;
      this.#undecided = { epoch, index };
      return 'fenced';
    } catch (error) {
      if (error instanceof Fenced) {
        tenure.lost(before);
        return 'fenced';
      }
      throw engine.failed(error, 'writing a stream');
    } finally {
      engine.locks.write.leave();
      engine.noteChange();
    }
  }

  /** ⚑ What was written over a fence counts where the take-over that ended its epoch says so. LOCK_LOST. */
  #judge(): number | undefined {
    if (this.#undecided === undefined) return undefined;
    const { epoch, index } = this.#undecided;
    this.#undecided = undefined;
    const end = this.#engine.tenure.endOf(epoch);
    if (end !== undefined && index >= end.next) throw Tenure.lockLost();
    return index;
  }

  async #settled(index: number, durable: boolean): Promise<number> {
    if (durable) await this.#engine.syncer.upTo(index);
    else this.#engine.backgroundSync.wrote();
    return index;
  }
}

/** What the source gives, until the signal aborts: then its reason is thrown, and the source told to end, which is not waited for. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let refuse: ((reason: unknown) => void) | undefined;
  const abort = (): void => refuse?.(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  let isOver = false;
  try {
    for (;;) {
      // No race with a promise that lives as long as the stream: each would keep its piece until then.
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        refuse = reject;
        signal.throwIfAborted();
        iterator.next().then(resolve, reject);
      }).catch((error: unknown) => {
        // Who throws has ended; who is still asked is told.
        isOver = !signal.aborted;
        throw error;
      });
      refuse = undefined;
      if (step.done === true) {
        isOver = true;
        return;
      }
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
