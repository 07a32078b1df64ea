import { markAsUntransferable } from 'node:worker_threads';
import type { DiskFile } from '../disk/disk.js';
import {
  emptyHead,
  FrameKind,
  HEAD_BYTES,
  type Head,
  isBetweenRecords,
  isRecordFrame,
  lengthOfFrame,
  numberOfFrame,
  placeOf,
  readCheckedHead,
  readHead,
} from '../frame/frame.js';
import { endOfWholeFrames } from '../frame/whole-frames.js';
import type { LargeRecord } from './large-read.js';
import type { SegmentFiles } from './segment-files.js';
import { LARGEST_SHARED, type Room, reserve } from './slab.js';
import { giveRecord, giveWhole, LARGE, type StoredRecord } from './stored-record.js';

/** As much as a slab has: whoever keeps a value keeps no more. */
const LARGEST_BLOCK = 64 * 1024;
/** Who reads a few records in order does not pay for many. */
const FIRST_BLOCK = 8 * 1024;
/** Beyond this the head is read first. */
const LARGEST_GUESS = 128 * 1024;
/** A budget below this has nothing read ahead. */
const SMALLEST_BUDGET = 4096;
/** A length that lies must not take the memory that it asks for; a look at the size costs as much as a small read. */
const LARGE_READ = 64 * 1024;
/** Further on than this, in records or in their bytes, the entries are the shorter way. */
const FAR = 64;
const FAR_BYTES = 64 * 1024;

/**
 * Reads the records of a segment one behind the other, some blocks ahead, without entries. Only committed bytes are read ahead, and
 * they never change. The records that it returns lie in its blocks, each of which is read once and given away with them: it never
 * returns the same record twice.
 */
export class RecordRun {
  readonly #files: SegmentFiles;
  readonly #largestBlock: number;
  readonly #head: Head = emptyHead();
  readonly #room: Room = { memory: Buffer.alloc(0), at: 0 };
  #path = '';
  #turn = -1;
  /** The next record is this one, or in a sparse segment a later one. */
  #index = 0;
  /** Where the next frame begins in the file. */
  #position = 0;
  /** The bytes from there on that were read: those of `#bytes` from `#at` on, up to `#to`. */
  #bytes: Buffer = this.#room.memory;
  #at = 0;
  #to = 0;
  #memory: ArrayBufferLike = this.#bytes.buffer;
  /** The frames up to there in `#bytes` were checked together; those behind it are checked singly. */
  #wholeTo = 0;
  /**
   * Records given out of the last block, less those that were passed over in it: where most are wanted, those of the next block are
   * checked together.
   */
  #surplus = 0;
  /** The index that the log goes on with in another file. */
  #limit = Number.NEGATIVE_INFINITY;
  #blockBytes = FIRST_BLOCK;
  /** Bytes that the next frame has, as far as its head was seen. */
  #needed = HEAD_BYTES;
  /** Whether what ended the last look for a frame was that too little of it had been read. */
  #wantsMore = false;
  /** The next frame is large, and what was read has others in it as well. */
  #wantsItsOwn = false;
  #latestLength = 0;
  /** Whether values of several records may lie in the block. */
  #isShared = false;

  /** Where the record stands for which it has just answered `LARGE`. */
  large: LargeRecord | undefined;
  #most = Number.POSITIVE_INFINITY;

  constructor(files: SegmentFiles, maxBytes: number) {
    this.#files = files;
    this.#largestBlock = maxBytes < SMALLEST_BUDGET ? 0 : Math.min(LARGEST_BLOCK, maxBytes);
  }

  /** Goes on at a record's frame in a file. What was read ahead is forgotten. `turn` changes when known bytes may not count any more. */
  begin(path: string, turn: number, index: number, position: number): void {
    this.#path = path;
    this.#turn = turn;
    this.#index = index;
    this.#position = position;
    this.#blockBytes = FIRST_BLOCK;
    this.#surplus = 0;
    this.#drop();
  }

  #drop(): void {
    this.#at = 0;
    this.#to = 0;
    // ⚑ The memory is others' as well: what is not this run's own block is never taken for frames.
    this.#wholeTo = 0;
    this.#needed = HEAD_BYTES;
    this.#wantsItsOwn = false;
  }

  /** The record, where it was read ahead and is whole; `LARGE` where it has more than `most` bytes. */
  take(index: number, turn: number, most: number): StoredRecord | undefined {
    this.#most = most;
    if (this.#at === this.#to || turn !== this.#turn || index >= this.#limit) return undefined;
    return this.#isNear(index) ? this.#next(index) : undefined;
  }

  /**
   * The same of a small record that is the next one, and was checked with others: nearly all of many are. What it does not know,
   * `take` does.
   */
  takeWhole(index: number, turn: number): StoredRecord | undefined {
    const at = this.#at;
    if (at >= this.#wholeTo || turn !== this.#turn || index >= this.#limit || !this.#isShared)
      return undefined;
    const bytes = this.#bytes;
    const length = lengthOfFrame(bytes, at);
    if (length > LARGEST_SHARED || length > this.#wholeTo - at) return undefined;
    if (!isRecordFrame(bytes, at) || numberOfFrame(bytes, at) !== index) return undefined;
    const record = giveWhole(bytes, this.#memory, at, index, length);
    if (record !== undefined) this.#given(index, length);
    return record;
  }

  /**
   * The record, where it is the next one in that file, or not far behind that; undefined where it is not there, or not whole. ⚑ The
   * file counts as far as the index `limit`: behind the cut of a take-over there may be whole frames that do not.
   */
  read(
    file: DiskFile,
    index: number,
    turn: number,
    end: number,
    limit: number,
    most: number,
  ): StoredRecord | undefined {
    this.#most = most;
    if (turn !== this.#turn || file.path !== this.#path || !this.#isNear(index)) return undefined;
    this.#limit = limit;
    while (this.#load(file, end)) {
      const record = this.#next(index);
      if (record !== undefined || !this.#wantsMore) return record;
    }
    return undefined;
  }

  #isNear(index: number): boolean {
    const far = index - this.#index;
    return far === 0 || (far > 0 && far <= FAR && far * this.#latestLength <= FAR_BYTES);
  }

  /** Reads from the next frame on; false where it is not wholly there. */
  #load(file: DiskFile, end: number): boolean {
    const wanted = this.#wanted();
    const position = this.#position;
    const limit = this.#needed > LARGE_READ ? Math.min(end, file.size()) : end;
    if (position + this.#needed > limit) return false;
    const length = Math.min(wanted, limit - position);
    // What has no marks and no headers stands right behind its head.
    const room = this.#room;
    this.#isShared = length <= LARGEST_SHARED;
    if (this.#isShared) reserve(length, HEAD_BYTES, room);
    else {
      room.at = -HEAD_BYTES & 7;
      room.memory = Buffer.allocUnsafeSlow(room.at + length);
    }
    this.#wantsItsOwn = false;
    this.#bytes = room.memory;
    this.#memory = room.memory.buffer;
    this.#at = room.at;
    this.#wholeTo = room.at;
    this.#to = room.at + file.read(room.memory, room.at, length, position);
    if (this.#to - room.at < this.#needed) return false;
    // ⚑ Where that fails each frame is asked for its own sums, so that the damaged one is told, and no other.
    if (this.#surplus > 0)
      this.#wholeTo = endOfWholeFrames(room.memory, room.at, this.#to, this.#files.salt, position);
    this.#surplus = 0;
    return true;
  }

  /** A large record is read alone, for memory of its own; one that follows another is likely to be as large. */
  #wanted(): number {
    if (this.#wantsItsOwn) return this.#needed;
    const latest = this.#latestLength;
    if (latest > LARGEST_SHARED) return Math.max(this.#needed, latest > LARGEST_GUESS ? HEAD_BYTES : latest);
    const wanted = Math.max(this.#needed, Math.min(this.#blockBytes, this.#largestBlock));
    this.#blockBytes = Math.min(2 * this.#blockBytes, LARGEST_BLOCK);
    return wanted;
  }

  #next(index: number): StoredRecord | undefined {
    const head = this.#head;
    for (;;) {
      const at = this.#at;
      const left = this.#to - at;
      this.#needed = HEAD_BYTES;
      this.#wantsMore = left < HEAD_BYTES;
      if (this.#wantsMore) return undefined;
      const isWhole = at < this.#wholeTo;
      const isHead = isWhole
        ? readCheckedHead(this.#bytes, at, head)
        : readHead(this.#bytes, at, placeOf(this.#files.salt, this.#position), head);
      if (!isHead) return undefined;
      const { kind, number, length } = head;
      if (!isBetweenRecords(kind) && (kind !== FrameKind.record || number > index)) return undefined;
      if (length > this.#most && number === index && kind === FrameKind.record) return this.#leave(head);
      if (number !== index && left < length) {
        // Of one that is passed over the head is enough.
        this.#pass(kind, number, length);
        this.#drop();
        this.#wantsMore = true;
        return undefined;
      }
      this.#needed = length;
      this.#wantsMore = left < length;
      if (this.#wantsMore) return undefined;
      if (kind === FrameKind.record && number === index) {
        const isAlone = left === length && at === (-HEAD_BYTES & 7);
        if (length > LARGEST_SHARED && !isAlone) {
          this.#wantsItsOwn = true;
          this.#wantsMore = true;
          return undefined;
        }
        if (!isAlone && !this.#isShared) {
          this.#isShared = true;
          markAsUntransferable(this.#bytes.buffer);
        }
        const record = isWhole
          ? giveWhole(this.#bytes, this.#memory, at, number, length)
          : giveRecord(this.#bytes, at, head);
        if (record === undefined) this.#drop();
        else this.#given(number, length);
        return record;
      }
      this.#pass(kind, number, length);
      if (kind === FrameKind.record) this.#surplus -= 1;
    }
  }

  /** A large record is read by others, and passed over here. */
  #leave(head: Head): StoredRecord {
    this.large = { path: this.#path, position: this.#position, head: { ...head } };
    this.#position += head.length;
    this.#index = head.number + 1;
    this.#drop();
    return LARGE;
  }

  #given(index: number, length: number): void {
    this.#pass(FrameKind.record, index, length);
    this.#surplus += 1;
  }

  #pass(kind: number, number: number, length: number): void {
    this.#at += length;
    this.#position += length;
    this.#needed = HEAD_BYTES;
    if (kind !== FrameKind.record) return;
    this.#index = number + 1;
    this.#latestLength = length;
  }
}
