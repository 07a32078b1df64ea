import { eachMark, encodeLongMark, encodeMark, findLongMark, findMark, Mark } from './marks.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from './uint48.js';

/** What a record's marks say of its place in line, and by what it is known. */
export interface OrderMarks {
  /** Wall time from which on it is to be had; 0: at once. */
  readonly due: number;
  readonly priority: number;
  /** How many of its batch stand before it; undefined where it does not go to the front. */
  readonly front: number | undefined;
  readonly key: string | undefined;
  readonly id: string | undefined;
  /** How many records, itself the first, the id stands for. */
  readonly count: number;
}

/**
 * The same in an index entry, as far as it has room: the lowest four bits are the priority; of the others it says which there
 * are. So who opens a store learns the order of its records from 32 bytes each.
 */
export const EntryFlag = { priority: 0x0f, front: 0x10, key: 0x20, id: 0x40 } as const;

export interface EntryMarks {
  readonly flags: number;
  readonly due: number;
}

export const NO_ENTRY_MARKS: EntryMarks = { flags: 0, due: 0 };

export function encodeOrderMarks({ due, priority, front, key, id, count }: OrderMarks): Buffer {
  const parts: Buffer[] = [];
  if (due > 0) parts.push(encodeMark(Mark.due, uint48(due)));
  if (priority > 0) parts.push(encodeMark(Mark.priority, Buffer.of(priority)));
  if (front !== undefined) parts.push(encodeMark(Mark.front, uint32(front)));
  if (key !== undefined) parts.push(encodeLongMark(Mark.key, Buffer.from(key)));
  if (id !== undefined) parts.push(encodeLongMark(Mark.id, Buffer.from(id)));
  if (count > 1) parts.push(encodeMark(Mark.count, uint32(count)));
  return Buffer.concat(parts);
}

export function decodeOrderMarks(marks: Uint8Array): OrderMarks {
  const front = findMark(marks, Mark.front);
  const count = findMark(marks, Mark.count);
  const { flags, due } = entryMarksOf(marks);
  return {
    due,
    priority: flags & EntryFlag.priority,
    front: uint32In(front),
    key: findLongMark(marks, Mark.key)?.toString(),
    id: findLongMark(marks, Mark.id)?.toString(),
    count: uint32In(count) ?? 1,
  };
}

/** What an entry says of a record with these marks. A value that is shorter than it should be is none. */
export function entryMarksOf(marks: Uint8Array): EntryMarks {
  let flags = 0;
  let due = 0;
  for (const [tag, value] of eachMark(marks)) {
    if (tag === Mark.due && value.length >= 6) due = readUint48(Buffer.from(value), 0);
    else if (tag === Mark.priority && value.length > 0) flags |= Math.min(value[0] as number, 9);
    else if (tag === Mark.front && value.length >= 4) flags |= EntryFlag.front;
    else if (tag === Mark.key) flags |= EntryFlag.key;
    else if (tag === Mark.id) flags |= EntryFlag.id;
  }
  return flags === 0 && due === 0 ? NO_ENTRY_MARKS : { flags, due };
}

const uint32In = (value: Uint8Array | undefined): number | undefined =>
  value !== undefined && value.length >= 4 ? readUint32(Buffer.from(value), 0) : undefined;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  writeUint32(bytes, value, 0);
  return bytes;
}

function uint48(value: number): Buffer {
  const bytes = Buffer.alloc(6);
  writeUint48(bytes, value, 0);
  return bytes;
}
