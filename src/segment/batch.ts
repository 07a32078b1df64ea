import { FLAG_ENDS_BATCH, FLAG_MARKED, FrameKind, HEAD_BYTES, writeBodyFields } from '../frame/frame.js';

const EMPTY = Buffer.alloc(0);
const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** What one call wrote: frames that are committed together, within one file. */
export interface Group {
  /** Where its frames stand in the batch's bytes. */
  start: number;
  end: number;
  /** Which of the batch's frames are its own. */
  firstFrame: number;
  count: number;
  /** Whether any of its records carries marks of order. */
  marked: boolean;
}

/**
 * Frames on their way to a file: bodies encoded and checksummed before the lock is asked for, heads completed under it.
 * The buffer is reused from batch to batch.
 */
export class Batch {
  bytes: Buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  length = 0;
  groups: Group[] = [];
  /** Where each frame begins. */
  frames: number[] = [];

  /** Begins what one call writes. Everything added until the next `begin` is committed with it. */
  begin(): void {
    const at = this.length;
    this.groups.push({ start: at, end: at, firstFrame: this.frames.length, count: 0, marked: false });
  }

  /** Adds a record to the last group; `marked` says that its marks are of order. */
  add(payload: Uint8Array, marks: Buffer = EMPTY, headers: Buffer = EMPTY, marked = false): void {
    const group = this.groups[this.groups.length - 1];
    if (group === undefined) throw new Error('a record outside a group');
    const at = this.length;
    const length = HEAD_BYTES + marks.length + headers.length + payload.length;
    this.#reserve(at + length);
    const bytes = this.bytes;
    let position = at + HEAD_BYTES;
    if (marks.length > 0) position += marks.copy(bytes, position);
    if (headers.length > 0) position += headers.copy(bytes, position);
    bytes.set(payload, position);
    // The sum is that of the copy: what the caller holds may change under our hands.
    const flags = marked ? FLAG_ENDS_BATCH | FLAG_MARKED : FLAG_ENDS_BATCH;
    writeBodyFields(bytes, at, length, FrameKind.record, flags, marks.length, headers.length);
    // Only the last frame of a group ends it.
    if (group.count > 0) {
      const before = (this.frames[this.frames.length - 1] as number) + 5;
      bytes[before] = (bytes[before] as number) & ~FLAG_ENDS_BATCH;
    }
    if (marked) group.marked = true;
    this.frames.push(at);
    this.length = at + length;
    group.end = this.length;
    group.count += 1;
  }

  /** Takes the last group back, as if it had never begun. */
  takeBack(): void {
    const group = this.groups.pop();
    if (group === undefined) return;
    this.length = group.start;
    this.frames.length = group.firstFrame;
  }

  /** Forgets the first groups; those that stay move to the front of the buffer. */
  drop(count: number): void {
    const dropped = this.groups.splice(0, count);
    const first = this.groups[0];
    if (first === undefined) {
      this.length = 0;
      this.frames = [];
      if (this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafe(INITIAL_BYTES);
      return;
    }
    if (dropped.length === 0) return;
    const { start, firstFrame } = first;
    this.bytes.copy(this.bytes, 0, start, this.length);
    this.length -= start;
    this.frames = this.frames.slice(firstFrame).map((at) => at - start);
    for (const group of this.groups) {
      group.start -= start;
      group.end -= start;
      group.firstFrame -= firstFrame;
    }
  }

  #reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    let size = this.bytes.length * 2;
    while (size < bytes) size *= 2;
    const larger = Buffer.allocUnsafe(size);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
