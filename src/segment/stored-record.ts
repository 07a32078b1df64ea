import { checksum } from '../frame/checksum.js';
import {
  HEAD_BYTES,
  type Head,
  headersBytesOfFrame,
  marksBytesOfFrame,
  timeOfFrame,
} from '../frame/frame.js';
import { copyOut } from './slab.js';

/** A record as it was read. Headers and payload belong to the caller; marks are for looking at, and may be another record's too. */
export interface StoredRecord {
  readonly index: number;
  readonly time: number;
  readonly marks: Uint8Array;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/** In place of a record that is larger than was asked for: it is to be had by `readLarge`. */
export const LARGE: StoredRecord = { index: 0, time: 0, marks: EMPTY, headers: EMPTY, payload: EMPTY };

/** Most records of a queue carry the same marks, those of its codec: they are copied once. */
let latestMarks: Uint8Array = EMPTY;

export function marksAt(bytes: Buffer, at: number, length: number): Uint8Array {
  if (length === 0) return EMPTY;
  if (latestMarks.length === length) {
    let same = 0;
    while (same < length && bytes[at + same] === latestMarks[same]) same += 1;
    if (same === length) return latestMarks;
  }
  latestMarks = new Uint8Array(bytes.subarray(at, at + length));
  return latestMarks;
}

/** The record whose frame, head and body, begins at `at`, as copies; undefined where its body is damaged. */
export function copyRecord(bytes: Buffer, at: number, head: Head): StoredRecord | undefined {
  const { marksBytes, headersBytes, length } = head;
  if (checksum(bytes, at + HEAD_BYTES, at + length) !== head.bodySum) return undefined;
  const headersAt = at + HEAD_BYTES + marksBytes;
  const payloadAt = headersAt + headersBytes;
  return {
    index: head.number,
    time: head.time,
    marks: marksAt(bytes, at + HEAD_BYTES, marksBytes),
    headers: headersBytes === 0 ? EMPTY : copyOut(bytes, headersAt, payloadAt),
    payload: copyOut(bytes, payloadAt, at + length),
  };
}

/**
 * The same without a copy of the payload, which the memory is given away with: nobody else may read these bytes, also where it is
 * undefined. Moves the payload to a multiple of eight, over what stands before it, so that whoever looks at it in larger units may.
 */
export function giveRecord(bytes: Buffer, at: number, head: Head): StoredRecord | undefined {
  const { marksBytes, headersBytes, length } = head;
  const bodyAt = at + HEAD_BYTES;
  const headersAt = bodyAt + marksBytes;
  const payloadAt = headersAt + headersBytes;
  const before = payloadAt === bodyAt ? 0 : checksum(bytes, bodyAt, payloadAt);
  const marks = marksAt(bytes, bodyAt, marksBytes);
  const headers = headersBytes === 0 ? EMPTY : copyOut(bytes, headersAt, payloadAt);
  const off = (bytes.byteOffset + payloadAt) & 7;
  if (off !== 0) bytes.copyWithin(payloadAt - off, payloadAt, at + length);
  const size = at + length - payloadAt;
  const payload = new Uint8Array(bytes.buffer, bytes.byteOffset + payloadAt - off, size);
  // Over the payload's own view: another one for the checksum alone would cost as much as a fifth of it.
  if (checksum(payload, 0, size, before) !== head.bodySum) return undefined;
  return { index: head.number, time: head.time, marks, headers, payload };
}

/**
 * The same of a frame that was checked, in bytes that begin where `memory` does: to ask for that costs as much as a view. The frame's
 * index and length are what its head says. Undefined where its parts have more bytes than it.
 */
export function giveWhole(
  bytes: Buffer,
  memory: ArrayBufferLike,
  at: number,
  index: number,
  length: number,
): StoredRecord | undefined {
  const marksBytes = marksBytesOfFrame(bytes, at);
  const headersBytes = headersBytesOfFrame(bytes, at);
  const time = timeOfFrame(bytes, at);
  const headersAt = at + HEAD_BYTES + marksBytes;
  const from = headersAt + headersBytes;
  const to = at + length;
  if (from > to) return undefined;
  const marks = marksBytes === 0 ? EMPTY : marksAt(bytes, at + HEAD_BYTES, marksBytes);
  const headers = headersBytes === 0 ? EMPTY : copyOut(bytes, headersAt, from);
  const off = from & 7;
  if (off !== 0) bytes.copyWithin(from - off, from, to);
  return { index, time, marks, headers, payload: new Uint8Array(memory, from - off, to - from) };
}
