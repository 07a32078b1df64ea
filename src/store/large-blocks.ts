import { CorruptError } from '../errors.js';
import { BLOCK_BYTES, type BlockSums } from '../frame/block-sums.js';
import { checksum } from '../frame/checksum.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { readLargeFront } from '../frame/large-body.js';
import type { LargeRecord } from '../segment/large-read.js';
import type { Engine } from './engine.js';

/** A payload that is read block by block. */
export interface Blocks {
  /** How many bytes `next` has not given yet. */
  readonly left: number;
  /** Undefined behind the last one. CORRUPT. It may be in `memory`, where the caller has some for it and it is not larger. */
  next(memory?: Uint8Array): Promise<Uint8Array | undefined>;
}

/** Reads the blocks of a large record's payload, each checked before it is handed out. */
export class LargeBlocks implements Blocks {
  readonly marks: Uint8Array;
  readonly #engine: Engine;
  readonly #record: LargeRecord;
  readonly #file: Pinned;
  readonly #from: number;
  readonly #end: number;
  #sums: BlockSums | undefined;
  #at: number;
  #count = 0;

  /** CORRUPT where what stands before the payload is known to be damaged. */
  constructor(engine: Engine, record: LargeRecord, file: Pinned) {
    const { position, head } = record;
    this.#engine = engine;
    this.#record = record;
    this.#file = file;
    const front = readLargeFront(file, position, head);
    if (front === undefined) throw this.#damaged();
    this.marks = front.marks;
    this.#sums = front.sums;
    this.#from = position + HEAD_BYTES + head.marksBytes + head.headersBytes;
    this.#end = position + head.length;
    this.#at = this.#from;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  async next(memory?: Uint8Array): Promise<Uint8Array | undefined> {
    this.#sums ??= await this.#sumUp();
    if (this.left <= 0) return undefined;
    const { blockBytes, sums } = this.#sums;
    const block = await this.#read(this.#at, Math.min(blockBytes, this.left), memory);
    if (checksum(block, 0, block.length) !== sums[this.#count]) throw this.#damaged();
    this.#at += block.length;
    this.#count += 1;
    return block;
  }

  /** ⚑ Of a record that was not written as a stream the one sum there is says nothing of its parts: it is read twice. */
  async #sumUp(): Promise<BlockSums> {
    const { position, head } = this.#record;
    const sums: number[] = [];
    const before = await this.#read(position + HEAD_BYTES, this.#from - position - HEAD_BYTES);
    let sum = checksum(before, 0, before.length);
    const memory = new Uint8Array(BLOCK_BYTES);
    for (let at = this.#from; at < this.#end; at += BLOCK_BYTES) {
      const block = await this.#read(at, Math.min(BLOCK_BYTES, this.#end - at), memory);
      sums.push(checksum(block, 0, block.length));
      sum = checksum(block, 0, block.length, sum);
    }
    if (sum !== head.bodySum) throw this.#damaged();
    return { blockBytes: BLOCK_BYTES, sums };
  }

  async #read(position: number, length: number, memory?: Uint8Array): Promise<Uint8Array> {
    const bytes =
      memory !== undefined && memory.length >= length ? memory.subarray(0, length) : new Uint8Array(length);
    let read: number;
    try {
      read = await this.#file.readLater(bytes, 0, length, position);
    } catch (error) {
      this.#engine.assertOpen();
      throw error;
    }
    if (read < length) throw this.#damaged();
    return bytes;
  }

  #damaged(): CorruptError {
    const { path, position, head } = this.#record;
    return new CorruptError('a record is damaged', {
      file: path,
      position,
      bytes: head.length,
      indexes: { from: head.number, to: head.number },
    });
  }
}

type Pinned = NonNullable<ReturnType<Engine['files']['descriptors']['pin']>>['file'];
