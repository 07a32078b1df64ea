import { MAX_MARKS_BYTES } from './frame.js';

/**
 * Marks say about a record what the engine has to know: one behind the other, each a tag, a length and a value.
 *
 *      0    1       2
 *      |tag |length | value …
 *      | u8 |  u8   | `length` bytes
 *
 * A reader passes over tags that it does not know.
 */
export const Mark = {
  /** The name of the codec that encoded the payload, UTF-8. None: the payload is bytes. */
  codec: 1,
  /** The tick of a schedule that the record is: its time (u48), then the schedule's name. */
  tick: 7,
} as const;

export function encodeMark(tag: number, value: Uint8Array): Buffer {
  if (value.length > 0xff || value.length + 2 > MAX_MARKS_BYTES)
    throw new RangeError('a mark of more than 255 bytes');
  const bytes = Buffer.alloc(2 + value.length);
  bytes[0] = tag;
  bytes[1] = value.length;
  bytes.set(value, 2);
  return bytes;
}

/** The value of the first mark with that tag; undefined where there is none. */
export function findMark(marks: Uint8Array, tag: number): Uint8Array | undefined {
  let at = 0;
  while (at + 2 <= marks.length) {
    const length = marks[at + 1] as number;
    if (marks[at] === tag) return marks.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return undefined;
}
