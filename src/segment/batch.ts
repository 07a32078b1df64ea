import { checksum, checksumIn } from '../frame/checksum.js';
import { FEATURE_JOBS, FEATURE_STREAMS } from '../frame/file-header.js';
import {
  FLAG_ENDS_BATCH,
  FLAG_MARKED,
  FrameKind,
  HEAD_BYTES,
  writeBodyFieldsIn,
  writeBodySum,
} from '../frame/frame.js';
import { viewOf } from '../frame/view.js';
import { SLICES } from './slices.js';

const EMPTY = Buffer.alloc(0);
const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** A frame whose body has no sum yet, and perhaps no payload. */
interface Unfinished {
  readonly at: number;
  readonly length: number;
  /** What is still to be copied, if it belongs to us, and where to. */
  readonly payload: Uint8Array | undefined;
  readonly payloadAt: number;
}

/** What one call wrote: frames that are committed together, within one file. */
export interface Group {
  /** Where its frames stand in the batch's bytes. */
  start: number;
  end: number;
  /** How many records it has, one behind the other. */
  count: number;
  /** Large frames that are not finished: see `finish`. */
  unfinished: Unfinished[] | undefined;
  /** Whether any of its records carries marks of order. */
  marked: boolean;
  /** The features that the header of its segment has to announce. */
  needs: number;
  /** Where the frame with the facts that it carries begins, behind its records; undefined where it carries none. */
  carriedAt: number | undefined;
}

/**
 * Frames on their way to a file: bodies encoded and checksummed before the lock is asked for, heads completed under it.
 * The buffer is reused from batch to batch.
 */
export class Batch {
  bytes: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  /** The same bytes. */
  view: DataView = viewOf(this.bytes);
  length = 0;
  groups: Group[] = [];
  /** Where the last frame begins. */
  #lastFrame = 0;
  readonly #sliceBytes: number;

  constructor(sliceBytes: number = SLICES.writeBytes) {
    this.#sliceBytes = sliceBytes;
  }

  /**
   * Begins what one call writes, of about so many bytes in all. Everything added until the next `begin` is committed with it. `needs`:
   * features that the segment's header has to announce.
   */
  begin(bytes = 0, needs = 0): void {
    const at = this.length;
    this.#reserve(at + bytes);
    this.groups.push({
      start: at,
      end: at,
      count: 0,
      unfinished: undefined,
      marked: false,
      needs,
      carriedAt: undefined,
    });
  }

  /**
   * Adds a record to the last group; `marked` says that its marks are of order, `owned` that nobody else will change the payload.
   * A large one has to be finished.
   */
  add(
    payload: Uint8Array,
    marks: Buffer = EMPTY,
    headers: Buffer = EMPTY,
    marked = false,
    owned = false,
  ): void {
    const group = this.groups[this.groups.length - 1];
    if (group === undefined) throw new Error('a record outside a group');
    const at = this.length;
    const length = HEAD_BYTES + marks.length + headers.length + payload.length;
    this.#reserve(at + length);
    const bytes = this.bytes;
    let position = at + HEAD_BYTES;
    if (marks.length > 0) position += marks.copy(bytes, position);
    if (headers.length > 0) position += headers.copy(bytes, position);
    const isLarge = length > this.#sliceBytes;
    // The sum is that of the copy: what the caller holds may change under our hands.
    if (!isLarge || !owned) bytes.set(payload, position);
    const flags = marked ? FLAG_ENDS_BATCH | FLAG_MARKED : FLAG_ENDS_BATCH;
    const { view } = this;
    const sum = isLarge ? 0 : checksumIn(view, at + HEAD_BYTES, at + length);
    writeBodyFieldsIn(view, at, length, FrameKind.record, flags, marks.length, headers.length, sum);
    if (isLarge) {
      group.unfinished ??= [];
      group.unfinished.push({ at, length, payload: owned ? payload : undefined, payloadAt: position });
    }
    // Only the last frame of a group ends it.
    if (group.count > 0) {
      const before = this.#lastFrame + 5;
      bytes[before] = (bytes[before] as number) & ~FLAG_ENDS_BATCH;
    }
    if (marked) {
      group.marked = true;
      group.needs |= FEATURE_JOBS;
    }
    this.#lastFrame = at;
    this.length = at + length;
    group.end = this.length;
    group.count += 1;
  }

  /** Adds facts that ride in the last group, behind its records, of which there is one at least. Nothing comes behind them. */
  carry(facts: Uint8Array): void {
    const group = this.groups[this.groups.length - 1];
    if (group === undefined || group.count === 0) throw new Error('nothing to ride in');
    const at = this.length;
    const length = HEAD_BYTES + facts.length;
    this.#reserve(at + length);
    this.bytes.set(facts, at + HEAD_BYTES);
    const sum = checksumIn(this.view, at + HEAD_BYTES, at + length);
    writeBodyFieldsIn(this.view, at, length, FrameKind.carried, FLAG_ENDS_BATCH, 0, 0, sum);
    const before = this.#lastFrame + 5;
    this.bytes[before] = (this.bytes[before] as number) & ~FLAG_ENDS_BATCH;
    group.carriedAt = at;
    group.needs |= FEATURE_STREAMS;
    this.length = at + length;
    group.end = this.length;
  }

  /** Takes them out again. */
  dropCarried(): void {
    const group = this.groups[this.groups.length - 1];
    if (group?.carriedAt === undefined) return;
    const last = this.#lastFrame + 5;
    this.bytes[last] = (this.bytes[last] as number) | FLAG_ENDS_BATCH;
    this.length = group.carriedAt;
    group.end = this.length;
    group.carriedAt = undefined;
  }

  /**
   * Copies and sums what is large in a group, slice by slice: yields where others may have a turn of the event loop. Groups may be
   * added meanwhile, and none dropped.
   */
  *finish(at: number): Generator<undefined, void> {
    const group = this.groups[at];
    for (const frame of group?.unfinished ?? []) {
      const end = frame.at + frame.length;
      let sum = 0;
      for (let from = frame.at + HEAD_BYTES; from < end; from += this.#sliceBytes) {
        const to = Math.min(from + this.#sliceBytes, end);
        this.#copy(frame, from, to);
        sum = checksum(this.bytes, from, to, sum);
        yield;
      }
      writeBodySum(this.view, frame.at, sum);
    }
    if (group !== undefined) group.unfinished = undefined;
  }

  #copy({ payload, payloadAt }: Unfinished, from: number, to: number): void {
    if (payload === undefined || to <= payloadAt) return;
    const begin = Math.max(from, payloadAt);
    this.bytes.set(payload.subarray(begin - payloadAt, to - payloadAt), begin);
  }

  /** The same at once, of groups `[from, to)`. */
  finishAll(from: number, to: number): void {
    for (let at = from; at < to; at++)
      if (this.groups[at]?.unfinished !== undefined) for (const _ of this.finish(at));
  }

  /** Takes the last group back, as if it had never begun. */
  takeBack(): void {
    const group = this.groups.pop();
    if (group === undefined) return;
    this.length = group.start;
  }

  /** Forgets the first groups; those that stay move to the front of the buffer. */
  drop(count: number): void {
    if (count === this.groups.length) {
      // One that is emptied by `pop` keeps its memory.
      if (count === 1) this.groups.pop();
      else this.groups = [];
      this.length = 0;
      if (this.bytes.length > KEPT_BYTES) this.#hold(Buffer.allocUnsafe(INITIAL_BYTES));
      return;
    }
    this.groups.splice(0, count);
    const { start } = this.groups[0] as Group;
    // Where much is left it stays where it is, until most is gone: else each of many drops would move it all.
    if (count === 0 || start < this.length - start) return;
    this.bytes.copy(this.bytes, 0, start, this.length);
    this.length -= start;
    for (const group of this.groups) {
      group.start -= start;
      group.end -= start;
      group.unfinished = group.unfinished?.map((one) => ({
        ...one,
        at: one.at - start,
        payloadAt: one.payloadAt - start,
      }));
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    let size = this.bytes.length * 2;
    while (size < bytes) size *= 2;
    const larger = Buffer.allocUnsafe(size);
    this.bytes.copy(larger, 0, 0, this.length);
    this.#hold(larger);
  }

  #hold(bytes: Buffer): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}
