import type { DiskFile } from '../disk/disk.js';
import { laterVersion } from '../disk/later-version.js';
import { CorruptError } from '../errors.js';
import { FEATURE_STREAMS, HEADER_BYTES } from '../frame/file-header.js';
import {
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  type Head,
  isBetweenRecords,
  isMarkedFrame,
  marksOfFrame,
} from '../frame/frame.js';
import type { FrameAt } from '../frame/frame-search.js';
import { type EntryMarks, entryMarksOf, NO_ENTRY_MARKS } from '../frame/order-marks.js';
import { readUint48 } from '../frame/uint48.js';
import { decodeCarried } from '../journal/carried-facts.js';
import type { CarriedRanges } from '../journal/fates.js';
import { greatestTimeOfSeal } from '../segment/seal.js';
import type { FrameGuest } from './frame-walk.js';
import type { Range } from './report.js';

/** Bad bytes with whole frames behind them, and the records that stood there. */
export interface Hole extends Range {
  readonly position: number;
  readonly bytes: number;
  /** What the frame before it says. */
  readonly time: number;
  readonly safe: number;
  /** Whether records stand before it whose batch it ends, or should. */
  readonly isInBatch: boolean;
}

interface Commit {
  readonly index: number;
  readonly position: number;
  readonly length: number;
  readonly time: number;
  readonly marks: EntryMarks;
}

/** Hears of each whole record when the batch that it belongs to is whole; `marked`: it, or one before it, is marked. */
export type CommitListener = (
  index: number,
  position: number,
  length: number,
  time: number,
  marks: EntryMarks,
  marked: boolean,
) => void;

export interface SegmentBounds {
  readonly limit: number;
  readonly shadowFrom?: number;
  readonly isSparse: boolean;
  /** What its header announces. */
  readonly features: number;
}

/** Makes out what the frames of a segment say, over damage too. */
export class SegmentWalk implements FrameGuest {
  /** Whole records of whole batches. */
  readonly records: { from: number; to: number }[] = [];
  readonly holes: Hole[] = [];
  /** What whole batches say is gone. */
  readonly carried: CarriedRanges[] = [];
  /** Behind the last frame that ends a batch. */
  end = HEADER_BYTES;
  /** The index behind the last one that is known to have been there. */
  next: number;
  /** What the seal says: where the log goes on. */
  seal: number | undefined;
  /** The greatest index that a frame calls safe. */
  safe = 0;
  firstTime: number | undefined;
  /** The same as the seal has it: where the first record is damaged, nothing else tells. */
  sealedFirstTime: number | undefined;
  time = 0;
  /** Whether a record is marked. */
  isMarked = false;
  /** Bytes of whole frames of whole batches. */
  bytes = 0;
  /** Where the first frame of an index at or beyond `shadowFrom` begins. */
  shadow: number | undefined;
  readonly #file: DiskFile;
  readonly #first: number;
  readonly #limit: number;
  readonly #shadowFrom: number;
  readonly #isSparse: boolean;
  readonly #features: number;
  readonly #listener: CommitListener;
  #pendingNext: number;
  #pendingTime = 0;
  #pendingBytes = 0;
  #pending: Commit[] = [];
  #pendingHoles: Hole[] = [];
  #pendingCarried: CarriedRanges | undefined;

  /** Nothing at or behind `limit` counts. A sparse segment holds some of its indexes, in order. */
  constructor(
    file: DiskFile,
    first: number,
    { limit, shadowFrom = Number.POSITIVE_INFINITY, isSparse, features }: SegmentBounds,
    listener: CommitListener,
  ) {
    this.#file = file;
    this.#first = first;
    this.#limit = limit;
    this.#shadowFrom = shadowFrom;
    this.#isSparse = isSparse;
    this.#features = features;
    this.#listener = listener;
    this.next = first;
    this.#pendingNext = first;
  }

  take(head: Head, bytes: Buffer, at: number, position: number): 'taken' | 'refused' | 'last' {
    if (position + head.length > this.#limit) return 'last';
    const { kind } = head;
    const saidNext = kind === FrameKind.seal ? this.#first + readUint48(bytes, at + HEAD_BYTES) : head.number;
    if (!isOfSegment(kind) || saidNext < this.#pendingNext) return 'refused';
    if (saidNext > this.#pendingNext && !this.#isSparse) return 'refused';
    if (kind === FrameKind.seal && head.number < saidNext) return 'refused';
    this.#pendingNext = saidNext;
    this.#pendingBytes += head.length;
    if (kind === FrameKind.record) this.#takeRecord(head, bytes, at, position);
    if (kind === FrameKind.carried) this.#takeCarried(head, bytes, at, position);
    if (kind === FrameKind.seal)
      this.#pendingTime = Math.max(this.#pendingTime, greatestTimeOfSeal(bytes, at));
    if ((head.flags & FLAG_ENDS_BATCH) === 0) return 'taken';
    this.#commit(position + head.length);
    if (head.safe > this.safe) this.safe = head.safe;
    if (kind !== FrameKind.seal) return 'taken';
    this.seal = head.number;
    this.sealedFirstTime = readUint48(bytes, at + HEAD_BYTES + 6);
    return 'last';
  }

  resumesAt(frame: FrameAt): boolean {
    if (frame.position >= this.#limit || !isOfSegment(frame.kind)) return false;
    const next = this.#nextOf(frame);
    // A seal of another segment counts from another first index.
    return next >= this.#pendingNext && (frame.kind !== FrameKind.seal || frame.number >= next);
  }

  hole(position: number, frame: FrameAt): void {
    const to = this.#nextOf(frame);
    const from = this.#pendingNext;
    const time = this.#pendingTime;
    const isInBatch = this.#pending.length > 0;
    this.#pendingHoles.push({
      position,
      bytes: frame.position - position,
      from,
      to,
      time,
      safe: this.safe,
      isInBatch,
    });
    this.#pendingNext = to;
  }

  /** The index that is next where that frame begins. */
  #nextOf({ kind, number, position }: FrameAt): number {
    if (kind !== FrameKind.seal) return number;
    const count = Buffer.alloc(6);
    return this.#file.read(count, 0, 6, position + HEAD_BYTES) === 6 ? this.#first + readUint48(count, 0) : 0;
  }

  #takeRecord({ number, length, time }: Head, bytes: Buffer, at: number, position: number): void {
    const marks = isMarkedFrame(bytes, at) ? entryMarksOf(marksOfFrame(bytes, at)) : NO_ENTRY_MARKS;
    this.#pending.push({ index: number, position, length, time, marks });
    this.#pendingNext = number + 1;
    if (time > this.#pendingTime) this.#pendingTime = time;
    if (number >= this.#shadowFrom) this.shadow ??= position;
  }

  #takeCarried(
    { kind, number, length, marksBytes, headersBytes }: Head,
    bytes: Buffer,
    at: number,
    position: number,
  ): void {
    if ((this.#features & FEATURE_STREAMS) === 0)
      throw laterVersion(
        this.#file.path,
        `has a frame of kind ${kind} at byte ${position}, which it does not announce`,
      );
    const facts = bytes.subarray(at + HEAD_BYTES + marksBytes + headersBytes, at + length);
    try {
      this.#pendingCarried = { number, ranges: decodeCarried(facts, this.#file.path) };
    } catch (error) {
      // Whoever opens the store is told.
      if (!(error instanceof CorruptError)) throw error;
    }
  }

  #commit(end: number): void {
    for (const { index, position, length, time, marks } of this.#pending) {
      const last = this.records[this.records.length - 1];
      if (last !== undefined && last.to === index) last.to = index + 1;
      else this.records.push({ from: index, to: index + 1 });
      this.firstTime ??= time;
      if (marks !== NO_ENTRY_MARKS) this.isMarked = true;
      this.#listener(index, position, length, time, marks, this.isMarked);
    }
    this.holes.push(...this.#pendingHoles);
    if (this.#pendingCarried !== undefined) this.carried.push(this.#pendingCarried);
    this.#pendingCarried = undefined;
    this.#pending = [];
    this.#pendingHoles = [];
    this.bytes += this.#pendingBytes;
    this.#pendingBytes = 0;
    this.end = end;
    this.next = this.#pendingNext;
    this.time = this.#pendingTime;
  }
}

const isOfSegment = (kind: number): boolean =>
  kind === FrameKind.record || kind === FrameKind.seal || isBetweenRecords(kind);
