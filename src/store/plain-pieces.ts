import { BLOCK_BYTES } from '../frame/block-sums.js';
import { readUint32 } from '../frame/uint48.js';
import type { Blocks } from './large-blocks.js';
import { LENGTH_BYTES, type PieceOpener } from './pieces.js';

const EMPTY = new Uint8Array(0);

/** What went through transforms piece by piece, as it was before: a piece at a time, out of the blocks that it is stored in. */
export class PlainPieces implements Blocks {
  readonly #stored: Blocks;
  readonly #opener: PieceOpener;
  readonly #memory = new Uint8Array(BLOCK_BYTES);
  /** Of the piece before, where nobody else has it. */
  #spare: Uint8Array = EMPTY;
  #block: Uint8Array = EMPTY;
  #at = 0;
  #isOver = false;

  constructor(stored: Blocks, opener: PieceOpener) {
    this.#stored = stored;
    this.#opener = opener;
  }

  /** Of what is stored. */
  get left(): number {
    return this.#stored.left + this.#block.length - this.#at;
  }

  /** CORRUPT, CODEC. ⚑ The end is there when the last piece was, never because nothing more is stored. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#isOver) return undefined;
    const length = readUint32(await this.#take(LENGTH_BYTES), 0);
    const stored = await this.#take(length);
    const isLast = this.left === 0;
    const plain = this.#opener.open(stored, isLast);
    // ⚑ What undoes it may give out a part of it.
    this.#spare = plain.buffer === stored.buffer ? EMPTY : stored;
    this.#isOver = isLast;
    return plain;
  }

  async #take(length: number): Promise<Uint8Array> {
    if (length > this.left) throw this.#opener.wrong();
    const { buffer } = this.#spare;
    const bytes = buffer.byteLength < length ? new Uint8Array(length) : new Uint8Array(buffer, 0, length);
    for (let done = 0; done < length; ) {
      if (this.#at === this.#block.length) {
        this.#block = (await this.#stored.next(this.#memory)) ?? EMPTY;
        this.#at = 0;
      }
      const part = this.#block.subarray(this.#at, this.#at + length - done);
      bytes.set(part, done);
      done += part.length;
      this.#at += part.length;
    }
    return bytes;
  }
}

/** What is in memory already. */
export class OneBlock implements Blocks {
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes?.length ?? 0;
  }

  async next(): Promise<Uint8Array | undefined> {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }
}
