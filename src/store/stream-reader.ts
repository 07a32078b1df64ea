import { CorruptError } from '../errors.js';
import { BLOCK_BYTES, type BlockSums, decodeBlockSums } from '../frame/block-sums.js';
import { checksum } from '../frame/checksum.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { findMark, Mark } from '../frame/marks.js';
import type { LargeRecord } from '../segment/large-read.js';
import { LARGE_BYTES } from '../segment/large-read.js';
import { LARGE } from '../segment/stored-record.js';
import type { Engine } from './engine.js';

/**
 * A record's payload, piece by piece; undefined where it is gone or never was. What is large is read as it is asked for, from a file
 * that is held open until the stream has ended, was cancelled, or the store is closed, whatever becomes of the record meanwhile.
 */
export async function readStream(
  engine: Engine,
  index: number,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const record = engine.read(index, LARGE_BYTES);
  if (record === undefined) return undefined;
  if (record !== LARGE) return whole(engine.plain(record).payload);
  const large = engine.takeLarge();
  const pinned = large && engine.files.descriptors.pin(large.path);
  if (large !== undefined && pinned !== undefined) {
    let isStreamed = false;
    try {
      const blocks = new Blocks(engine, large, pinned.file);
      if (blocks.isPlain()) {
        isStreamed = true;
        return streamOf(engine, blocks, pinned.unpin);
      }
    } finally {
      if (!isStreamed) pinned.unpin();
    }
  }
  // What went through transforms is undone as a whole.
  const found = await engine.readInTurns(index);
  return found && whole(engine.plain(found).payload);
}

function whole(payload: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      if (payload.length > 0) controller.enqueue(payload);
      controller.close();
    },
  });
}

function streamOf(engine: Engine, blocks: Blocks, unpin: () => void): ReadableStream<Uint8Array> {
  const { signal } = engine.streams;
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener('abort', close);
    unpin();
  };
  let close = (): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        close = () => {
          end();
          controller.error(signal.reason);
        };
        signal.addEventListener('abort', close, { once: true });
      },
      async pull(controller) {
        try {
          const block = await blocks.next();
          if (isOver) return;
          if (block !== undefined) controller.enqueue(block);
          if (block === undefined || blocks.isAtEnd) {
            end();
            controller.close();
          }
        } catch (error) {
          if (isOver) return;
          end();
          controller.error(error);
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** Reads the blocks of a large record's payload, each checked before it is handed out. */
class Blocks {
  readonly #engine: Engine;
  readonly #record: LargeRecord;
  readonly #file: Pinned;
  readonly #marks: Buffer;
  readonly #from: number;
  readonly #end: number;
  #sums: BlockSums | undefined;
  #at: number;
  #count = 0;

  constructor(engine: Engine, record: LargeRecord, file: Pinned) {
    const { position, head } = record;
    this.#engine = engine;
    this.#record = record;
    this.#file = file;
    this.#marks = Buffer.alloc(head.marksBytes);
    file.read(this.#marks, 0, head.marksBytes, position + HEAD_BYTES);
    this.#from = position + HEAD_BYTES + head.marksBytes + head.headersBytes;
    this.#end = position + head.length;
    this.#at = this.#from;
    this.#sums = decodeBlockSums(this.#marks, this.#end - this.#from);
  }

  /** Whether it went through no transforms. */
  isPlain(): boolean {
    return findMark(this.#marks, Mark.transforms) === undefined;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** CORRUPT where it is not as it was written. */
  async next(): Promise<Uint8Array | undefined> {
    this.#sums ??= await this.#sumUp();
    if (this.isAtEnd) return undefined;
    const { blockBytes, sums } = this.#sums;
    const block = await this.#read(this.#at, Math.min(blockBytes, this.#end - this.#at));
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
    for (let at = this.#from; at < this.#end; at += BLOCK_BYTES) {
      const block = await this.#read(at, Math.min(BLOCK_BYTES, this.#end - at));
      sums.push(checksum(block, 0, block.length));
      sum = checksum(block, 0, block.length, sum);
    }
    if (sum !== head.bodySum) throw this.#damaged();
    return { blockBytes: BLOCK_BYTES, sums };
  }

  async #read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
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
