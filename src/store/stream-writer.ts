import { onAbort } from '../abort.js';
import { Fenced } from '../epoch/fenced.js';
import { DurostoreError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import type { Spool } from '../segment/spool.js';
import type { TailPosition } from '../segment/tail.js';
import { Ballast } from './ballast.js';
import type { Engine } from './engine.js';
import { invalid } from './options.js';
import { Room } from './room.js';
import { SpooledStream } from './spooled-stream.js';
import { Tenure } from './tenure.js';
import type { ResolvedWriteOptions } from './write-options.js';

/** What has no more bytes is written as any other record. Tests have less. */
export const SPOOL_FROM_BYTES = 4 * 1024 * 1024;
/** Written in one turn of the event loop. */
const AT_ONCE_BYTES = 1024 * 1024;

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
    const ballast = new Ballast(this.#engine.options.transforms !== undefined);
    let bytes = 0;
    let spooled: SpooledStream | undefined;
    let index: number | undefined;
    try {
      for await (const chunk of untilAborted(source, ends)) {
        if (!(chunk instanceof Uint8Array)) throw invalid('source', 'chunks that are Uint8Arrays', chunk);
        bytes += chunk.length;
        this.#assertSize(bytes, headers);
        ballast.passed(chunk.length);
        if (spooled === undefined && bytes + headers.length > this.#spoolFrom) {
          spooled = SpooledStream.begin(this.#engine, headers);
          for (const one of held.splice(0)) await this.#append(spooled, one, ends);
        }
        if (spooled === undefined) held.push(Uint8Array.from(chunk));
        else await this.#append(spooled, chunk, ends);
        const pause = this.#engine.turns.pause();
        if (pause !== undefined) await pause;
      }
      ends.throwIfAborted();
      if (spooled === undefined) {
        const payload = Buffer.concat(held.splice(0));
        index = await this.#writeWhole(payload, options);
        if (index !== undefined) return index;
        spooled = SpooledStream.begin(this.#engine, headers);
        await this.#append(spooled, payload, ends);
      }
      spooled.finish();
      ends.throwIfAborted();
      index = await this.#commit(spooled.spool, durable, ends);
    } finally {
      if (index === undefined) spooled?.spool.remove();
    }
    return this.#settled(index, durable);
  }

  /** As soon as it is known. */
  #assertSize(bytes: number, headers: Buffer): void {
    const { maxRecordSize, hasRecordSize } = this.#engine.options;
    const room = SpooledStream.mostBytes(headers);
    const most = hasRecordSize ? Math.min(maxRecordSize, room) : room;
    if (bytes <= most) return;
    throw new DurostoreError(
      'RECORD_TOO_LARGE',
      `a stream has more than ${most} bytes${hasRecordSize ? ', which is maxRecordSize' : ''}. Nothing was written: split it`,
    );
  }

  /** As any other record; undefined where that has no room for what transforms made of it, of which nothing was written. */
  async #writeWhole(
    payload: Buffer,
    { headers, durable, signal }: ResolvedWriteOptions,
  ): Promise<number | undefined> {
    const { writer, options } = this.#engine;
    try {
      return await writer.writeOne({ payload, headers, owned: true }, durable, signal);
    } catch (error) {
      const isTooLarge = error instanceof DurostoreError && error.code === 'RECORD_TOO_LARGE';
      if (isTooLarge && options.transforms !== undefined) return undefined;
      throw error;
    }
  }

  /** A part at a time, so that others have their turns, and an abort is heard, however large a chunk is. */
  async #append(spooled: SpooledStream, chunk: Uint8Array, ends: AbortSignal): Promise<void> {
    for (let at = 0; at < chunk.length; at += AT_ONCE_BYTES) {
      ends.throwIfAborted();
      spooled.append(chunk.subarray(at, at + AT_ONCE_BYTES));
      const pause = this.#engine.turns.pause();
      if (pause !== undefined) await pause;
    }
  }

  async #commit(spool: Spool, durable: boolean, signal: AbortSignal): Promise<number> {
    const { locks, indexer, failure } = this.#engine;
    if (durable)
      try {
        // Nearly all of it is on the device before anybody has to wait for it.
        await spool.sync();
      } catch (error) {
        throw failure.ofSync(error);
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
      engine.failure.assertNone();
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
      throw engine.failure.of(error, 'writing a stream');
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
  const unlisten = onAbort(signal, abort);
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
    unlisten();
    if (!isOver) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
