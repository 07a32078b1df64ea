import { DurostoreError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import { Spool, type SpoolFront } from '../segment/spool.js';
import type { Engine } from './engine.js';
import { removeOrphans } from './orphans.js';
import { PIECE_BYTES, PieceMaker } from './pieces.js';

/** Positions and lengths are 32-bit, and positions signed in places. */
const LARGEST_FILE = 2 ** 31 - 1;

const EMPTY = Buffer.alloc(0);

/** A stream that is too large to be held: what comes of it stands in a spool, through the store's transforms where it has some. */
export class SpooledStream {
  readonly spool: Spool;
  readonly #engine: Engine;
  readonly #pieces: PieceMaker | undefined;
  readonly #mostBytes: number;
  #bytes = 0;

  private constructor(engine: Engine, spool: Spool, front: SpoolFront) {
    const { transforms, maxFileSize } = engine.options;
    this.#engine = engine;
    this.spool = spool;
    this.#mostBytes = mostBytes(front);
    // Who has small files has little memory, too.
    this.#pieces = transforms && new PieceMaker(transforms, Math.min(PIECE_BYTES, maxFileSize));
  }

  /** Throws what `Engine.failed` makes of what the disk says. */
  static begin(engine: Engine, headers: Buffer): SpooledStream {
    const { disk, names, files, epochs, options } = engine;
    engine.assertUsable();
    removeOrphans(engine);
    const front = { marks: options.transforms?.markOfPieces ?? EMPTY, headers };
    try {
      epochs.assertHere();
      const spool = files.descriptors.withRoom(() => Spool.create(disk, names, front));
      return new SpooledStream(engine, spool, front);
    } catch (error) {
      throw engine.failure.of(error, 'writing a stream');
    }
  }

  /** The most bytes of a source that there is room for, whatever becomes of them. */
  static mostBytes(headers: Buffer): number {
    return mostBytes({ marks: EMPTY, headers });
  }

  /** RECORD_TOO_LARGE, CODEC, and what the disk says: then it is of no use any more. */
  append(bytes: Uint8Array): void {
    const pieces = this.#pieces;
    if (pieces === undefined) {
      this.#store(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += pieces.add(bytes.subarray(at)))
      // Only who knows that there is more knows that it is not the last.
      if (pieces.isFull) this.#storeAll(pieces.seal(false));
  }

  /** The source has ended. */
  finish(): void {
    if (this.#pieces !== undefined) this.#storeAll(this.#pieces.seal(true));
    try {
      this.spool.finish();
    } catch (error) {
      throw this.#engine.failure.of(error, 'writing a stream');
    }
  }

  #storeAll(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.#store(part);
  }

  #store(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#mostBytes)
      throw new DurostoreError(
        'RECORD_TOO_LARGE',
        `what the transforms make of a stream has more than ${this.#mostBytes} bytes. Nothing was written: split it`,
      );
    try {
      this.spool.append(bytes);
    } catch (error) {
      throw this.#engine.failure.of(error, 'writing a stream');
    }
  }
}

/** The mark that says that it is on the device has room behind it. */
const mostBytes = (front: SpoolFront): number =>
  LARGEST_FILE - SEGMENT_OVERHEAD - HEAD_BYTES - Spool.frameBytes(0, front);
