import { randomBytes } from 'node:crypto';
import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { writeFully } from '../disk/write-fully.js';
import { BLOCK_BYTES, BLOCK_SUMS_BYTES, encodeBlockSums, sumWithBlocks } from '../frame/block-sums.js';
import { checksum } from '../frame/checksum.js';
import { HEADER_BYTES } from '../frame/file-header.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  type placeOf,
  writeBodyFields,
} from '../frame/frame.js';

/** Where it will stand, which is known under the write lock alone. */
export interface SpoolPlace {
  readonly header: Buffer;
  readonly place: ReturnType<typeof placeOf>;
  readonly index: number;
  readonly time: number;
  readonly safe: number;
}

/** What stands before the payload, beside the sums of its blocks. */
export interface SpoolFront {
  /** None of order: who follows the log is told of none. */
  readonly marks: Buffer;
  readonly headers: Buffer;
}

/**
 * A segment in the making that holds one large record, written without a lock while its source is slow. Room for the header, the
 * frame's head and the sums of the blocks is left in front, so that all that is missing in the end is written at once.
 *
 * Its maker has it locked while it lives, where files can be locked: one that can be locked was left by somebody who died.
 */
export class Spool {
  readonly path: string;
  readonly #file: DiskFile;
  readonly #front: SpoolFront;
  readonly #disk: Disk;
  readonly #sums: number[] = [];
  #payloadBytes = 0;
  /** Of the block that is not full yet. */
  #sum = 0;
  #head: Buffer | undefined;

  private constructor(disk: Disk, path: string, file: DiskFile, front: SpoolFront) {
    this.path = path;
    this.#disk = disk;
    this.#file = file;
    this.#front = front;
  }

  static create(disk: Disk, names: FileNames, front: SpoolFront): Spool {
    for (;;) {
      const path = names.spool(randomBytes(8).toString('hex'));
      const file = disk.create(path);
      if (file === undefined) continue;
      // ⚑ Between the two steps it looks like one whose maker is dead: then whoever took it for that has removed it.
      if (!disk.canLock || (file.tryLock('exclusive') && disk.exists(path)))
        return new Spool(disk, path, file, front);
      file.close();
      disk.unlink(path);
    }
  }

  /** Bytes of the frame around so many bytes of payload. */
  static frameBytes(payloadBytes: number, { marks, headers }: SpoolFront): number {
    return HEAD_BYTES + marks.length + BLOCK_SUMS_BYTES + headers.length + payloadBytes;
  }

  get frameBytes(): number {
    return Spool.frameBytes(this.#payloadBytes, this.#front);
  }

  /** Appends to the payload. Throws what the disk says: then it is of no use any more. */
  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = BLOCK_BYTES - (this.#payloadBytes % BLOCK_BYTES);
      const part = bytes.subarray(at, at + room);
      // ⚑ The sum is that of what was handed over, before it is written: the device is not asked what it made of it.
      this.#sum = checksum(part, 0, part.length, this.#sum);
      writeFully(this.#file, part, part.length, HEADER_BYTES + this.frameBytes);
      this.#payloadBytes += part.length;
      at += part.length;
      if (this.#payloadBytes % BLOCK_BYTES === 0) this.#endBlock();
    }
  }

  /** The payload is whole: writes the sums in front of it. */
  finish(): void {
    if (this.#payloadBytes % BLOCK_BYTES > 0) this.#endBlock();
    const { marks, headers } = this.#front;
    const sums = this.#sums;
    const before = Buffer.concat([marks, encodeBlockSums(sums), headers]);
    writeFully(this.#file, before, before.length, HEADER_BYTES + HEAD_BYTES);
    const sumBefore = checksum(before, 0, before.length);
    const sum = sumWithBlocks(sumBefore, { blockBytes: BLOCK_BYTES, sums }, this.#payloadBytes);
    const head = Buffer.alloc(HEAD_BYTES);
    const marksBytes = marks.length + BLOCK_SUMS_BYTES;
    const { frameBytes } = this;
    const { record } = FrameKind;
    writeBodyFields(head, 0, frameBytes, record, FLAG_ENDS_BATCH, marksBytes, headers.length, sum);
    this.#head = head;
  }

  #endBlock(): void {
    this.#sums.push(this.#sum);
    this.#sum = 0;
  }

  /** Resolves when what is there is on the device. Rejects with what the disk says. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Under the write lock: what was missing. From now on it is a whole segment, but for its name. */
  complete({ header, place, index, time, safe }: SpoolPlace): void {
    if (this.#head === undefined) throw new Error('a spool that was not finished');
    completeHead(this.#head, 0, place, index, time, safe);
    const bytes = Buffer.concat([header, this.#head]);
    writeFully(this.#file, bytes, bytes.length, 0);
  }

  /** Whether nobody has taken it for one that somebody left. */
  get isThere(): boolean {
    return this.#disk.exists(this.path);
  }

  /** It has another name now. */
  adopted(): void {
    this.#file.close();
  }

  /** Nothing is left of it. */
  remove(): void {
    this.#disk.unlink(this.path);
    this.#file.closeRemoved();
  }
}
