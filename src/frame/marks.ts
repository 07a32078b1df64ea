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
  /** From when on it is to be had: wall time, u48. */
  due: 2,
  /** 1 to 9, u8. */
  priority: 3,
  /** Records of one key are handled one at a time; UTF-8. */
  key: 4,
  /** By which it is known that it was written before; UTF-8. Of a batch's records the first one has it. */
  id: 5,
  /**
   * The names of the transforms that the payload went through, in their order, with commas between; UTF-8. The first is `*` where it
   * went through them piece by piece. ⚑ Only in a segment that announces FEATURE_STREAMS: who does not know it would give out what is
   * no payload.
   */
  transforms: 6,
  /** The tick of a schedule that it is: its time (u48), then the schedule's name. */
  tick: 7,
  /** It stands before everything of its priority; how many of its batch stand before it, u32. */
  front: 8,
  /** How many records the id stands for, u32; none: one. */
  count: 9,
  /** The sums of the payload's blocks, so that a stream of them can be checked block by block; see `block-sums.ts`. */
  blockSums: 10,
  /** Nothing: it fills what was kept for other marks. */
  padding: 11,
} as const;

const LONGEST_VALUE = 0xff;

export function encodeMark(tag: number, value: Uint8Array): Buffer {
  if (value.length > LONGEST_VALUE || value.length + 2 > MAX_MARKS_BYTES)
    throw new RangeError('a mark of more than 255 bytes');
  const bytes = Buffer.alloc(2 + value.length);
  bytes[0] = tag;
  bytes[1] = value.length;
  bytes.set(value, 2);
  return bytes;
}

/** A value of any length, as several marks of one tag, one behind the other. */
export function encodeLongMark(tag: number, value: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < value.length; at += LONGEST_VALUE)
    parts.push(encodeMark(tag, value.subarray(at, at + LONGEST_VALUE)));
  return Buffer.concat(parts);
}

/** The value of all marks with that tag together; undefined where there is none. */
export function findLongMark(marks: Uint8Array, tag: number): Buffer | undefined {
  const parts: Uint8Array[] = [];
  for (const [found, value] of eachMark(marks)) if (found === tag) parts.push(value);
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

/** The marks, in their order. */
export function* eachMark(marks: Uint8Array): IterableIterator<readonly [tag: number, value: Uint8Array]> {
  let at = 0;
  while (at + 2 <= marks.length) {
    const length = marks[at + 1] as number;
    yield [marks[at] as number, marks.subarray(at + 2, at + 2 + length)];
    at += 2 + length;
  }
}

/** The marks but those with that tag. */
export function withoutMark(marks: Uint8Array, tag: number): Uint8Array {
  const kept: Uint8Array[] = [];
  for (const [found, value] of eachMark(marks)) if (found !== tag) kept.push(encodeMark(found, value));
  return Buffer.concat(kept);
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
