import { FLAG_ENDS_BATCH, FrameKind, HEAD_BYTES, writeBodyFields } from '../frame/frame.js';

const EMPTY = Buffer.alloc(0);
const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew beyond this for one batch is not kept for the next. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** What one call wrote: frames that are committed together, within one file. */
export interface Group {
  /** Where its frames stand in the batch's bytes. */
  start: number;
  end: number;
  /** Start of each frame. */
  readonly frames: number[];
}

/**
 * Frames on their way to a file: bodies encoded and checksummed before the lock is asked for, heads completed under it.
 * The buffer is reused from batch to batch.
 */
export class Batch {
  bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  length = 0;
  groups: Group[] = [];

  /** Begins what one call writes. Everything added until the next `begin` is committed with it. */
  begin(): Group {
    const group: Group = { start: this.length, end: this.length, frames: [] };
    this.groups.push(group);
    return group;
  }

  /** Adds a record to the last group. */
  add(payload: Uint8Array, marks: Buffer = EMPTY, headers: Buffer = EMPTY): void {
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
    writeBodyFields(bytes, at, length, FrameKind.record, FLAG_ENDS_BATCH, marks.length, headers.length);
    const previous = group.frames[group.frames.length - 1];
    if (previous !== undefined) bytes[previous + 5] = 0;
    group.frames.push(at);
    this.length = at + length;
    group.end = this.length;
  }

  /** Forgets all groups but the last ones, which move to the front of the buffer. */
  keep(groups: readonly Group[]): void {
    const start = groups[0]?.start ?? this.length;
    this.bytes.copy(this.bytes, 0, start, this.length);
    this.length -= start;
    this.groups = [];
    for (const group of groups) {
      group.start -= start;
      group.end -= start;
      for (let i = 0; i < group.frames.length; i++) group.frames[i] = (group.frames[i] as number) - start;
      this.groups.push(group);
    }
    if (this.length === 0 && this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafe(INITIAL_BYTES);
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
