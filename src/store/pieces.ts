import { randomBytes } from 'node:crypto';
import { CodecError } from '../errors.js';
import { readUint32, writeUint32 } from '../frame/uint48.js';
import { type Transform, type Transforms, undo } from './transforms.js';

/**
 * Transforms know whole arrays of bytes, and a stream has no end to be waited for: it goes through them piece by piece. Of each piece
 * is stored how long it is (u32), then what the transforms made of it.
 *
 * ⚑ What goes through them begins with which piece it is. So a transform that authenticates, as `encrypt` does, makes sure that none is
 * left out, repeated, changed for another one's or another record's, and that the last is the last:
 *
 *      0         16       20     24
 *      | stream  | number | last | bytes of the source …
 *      |16 random|  u32   | u32  |
 */
const HEAD_BYTES = 24;
const STREAM_BYTES = 16;
export const LENGTH_BYTES = 4;

/** Bytes of the source in each piece but the last, which has what is left. A reader takes what there is. */
export const PIECE_BYTES = 1024 * 1024;

/** Makes the pieces of one stream, one at a time, in one memory. */
export class PieceMaker {
  readonly #transforms: Transforms;
  readonly #stream: Buffer;
  readonly #plain: Buffer;
  #end = HEAD_BYTES;
  #number = 0;

  constructor(transforms: Transforms, pieceBytes: number, stream = randomBytes(STREAM_BYTES)) {
    this.#transforms = transforms;
    this.#stream = stream;
    this.#plain = Buffer.alloc(HEAD_BYTES + pieceBytes);
  }

  get isFull(): boolean {
    return this.#end === this.#plain.length;
  }

  /** Adds what there is room for to the piece; returns how many bytes that were. */
  add(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#plain.length - this.#end);
    this.#plain.set(part, this.#end);
    this.#end += part.length;
    return part.length;
  }

  /** What is to be stored of the piece, until the next one is begun. CODEC. */
  seal(isLast: boolean): readonly Uint8Array[] {
    // ⚑ Each time: of the piece before nothing may be left, where a transform works in place.
    this.#stream.copy(this.#plain);
    writeUint32(this.#plain, this.#number, STREAM_BYTES);
    writeUint32(this.#plain, isLast ? 1 : 0, STREAM_BYTES + 4);
    const { buffer, byteOffset } = this.#plain;
    const stored = this.#transforms.encodeOwned(new Uint8Array(buffer, byteOffset, this.#end));
    const length = Buffer.alloc(LENGTH_BYTES);
    writeUint32(length, stored.length, 0);
    this.#number += 1;
    this.#end = HEAD_BYTES;
    return [length, stored];
  }
}

/** Undoes the pieces of one record, in their order. */
export class PieceOpener {
  readonly #index: number;
  readonly #toUndo: readonly Transform[];
  #stream: Uint8Array | undefined;
  #number = 0;

  constructor(index: number, toUndo: readonly Transform[]) {
    this.#index = index;
    this.#toUndo = toUndo;
  }

  /** The bytes of the source in the next piece, behind which there is another or not. CODEC where it is not that piece. */
  open(stored: Uint8Array, isLast: boolean): Uint8Array {
    const plain = undo(this.#index, stored, this.#toUndo);
    if (plain.length < HEAD_BYTES) throw this.wrong();
    const stream = plain.subarray(0, STREAM_BYTES);
    this.#stream ??= stream.slice();
    const isNext =
      Buffer.compare(stream, this.#stream) === 0 && readUint32(plain, STREAM_BYTES) === this.#number;
    if (!isNext || readUint32(plain, STREAM_BYTES + 4) !== (isLast ? 1 : 0)) throw this.wrong();
    this.#number += 1;
    return plain.subarray(HEAD_BYTES);
  }

  wrong(): CodecError {
    return new CodecError(
      `record ${this.#index} is not as it was written: what stands there as its piece ${this.#number} is not that. ` +
        'Somebody has changed it: restore it from a copy, or delete the record',
      this.#index,
    );
  }
}

/** All of a payload's pieces as they were before. CODEC, with the record's index. */
export function* plainParts(
  index: number,
  payload: Uint8Array,
  toUndo: readonly Transform[],
): Generator<Uint8Array, void> {
  const opener = new PieceOpener(index, toUndo);
  for (let at = 0, isLast = false; !isLast; ) {
    const from = at + LENGTH_BYTES;
    if (from > payload.length) throw opener.wrong();
    at = from + readUint32(payload, at);
    if (at > payload.length) throw opener.wrong();
    isLast = at === payload.length;
    yield opener.open(payload.subarray(from, at), isLast);
  }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
