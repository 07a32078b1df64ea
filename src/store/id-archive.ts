import type { DiskFile } from '../disk/disk.js';
import { checkFileHeader, encodeFileHeader, HEADER_BYTES, HeaderKind } from '../frame/file-header.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  isKnownInArchive,
  placeOf,
  saltOf,
  writeBodyFields,
} from '../frame/frame.js';
import { FrameScanner } from '../frame/frame-scanner.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from '../frame/uint48.js';

/** The messages that were written with an id: the first one's index, how many they are, and when. */
export interface ArchivedId {
  readonly id: string;
  readonly index: number;
  readonly count: number;
  readonly time: number;
}

const HEAD_OF_ID = 18;
/** Ids are told in frames of about this size. */
const FRAME_BYTES = 64 * 1024;

/**
 * What is left of a segment that goes while the ids of its messages are still to be remembered: `duro.ids.N`, N being its first
 * index. A header of kind 6, then frames of kind 21 whose number is N and whose time is the latest of an id in them. Their body is
 * ids, one behind the other:
 *
 *      0       6       10      16        18
 *      | index | count | time  | length  | id …
 *      |  u48  |  u32  |  u48  |  u16    | UTF-8
 */
export function* encodeArchive(
  storeId: Buffer,
  first: number,
  ids: readonly ArchivedId[],
): IterableIterator<Buffer> {
  yield encodeFileHeader(HeaderKind.ids, storeId, first);
  let position = HEADER_BYTES;
  for (let from = 0; from < ids.length; ) {
    const parts: Buffer[] = [Buffer.alloc(HEAD_BYTES)];
    let length = HEAD_BYTES;
    let latest = 0;
    for (; from < ids.length && length < FRAME_BYTES; from++) {
      const one = ids[from] as ArchivedId;
      const part = encodeId(one);
      parts.push(part);
      length += part.length;
      latest = Math.max(latest, one.time);
    }
    const frame = Buffer.concat(parts, length);
    writeBodyFields(frame, 0, length, FrameKind.ids, FLAG_ENDS_BATCH, 0, 0);
    completeHead(frame, 0, placeOf(saltOf(storeId), position), first, latest, 0);
    position += length;
    yield frame;
  }
}

export interface ReadArchive {
  readonly ids: readonly ArchivedId[];
  /** Behind the last whole frame; 0 where the header is not whole. */
  readonly end: number;
  /** Whether nothing stands behind that. */
  readonly isWhole: boolean;
}

/** UNSUPPORTED_VERSION where it is a later version's. */
export function readArchive(file: DiskFile, storeId: Buffer, first: number): ReadArchive {
  const header = Buffer.alloc(HEADER_BYTES);
  const length = file.read(header, 0, HEADER_BYTES, 0);
  if (checkFileHeader(header, length, HeaderKind.ids, storeId, first, file.path) !== 'valid')
    return { ids: [], end: 0, isWhole: false };
  const ids: ArchivedId[] = [];
  const scanner = new FrameScanner(saltOf(storeId), () => false, isKnownInArchive);
  const { position, stop } = scanner.scan(file, HEADER_BYTES, (head, bytes, at) => {
    ids.push(...decodeIds(bytes, at + HEAD_BYTES, at + head.length));
    return true;
  });
  return { ids, end: position, isWhole: stop === 'end' && position === file.size() };
}

function encodeId({ id, index, count, time }: ArchivedId): Buffer {
  const name = Buffer.from(id);
  const bytes = Buffer.alloc(HEAD_OF_ID + name.length);
  writeUint48(bytes, index, 0);
  writeUint32(bytes, count, 6);
  writeUint48(bytes, time, 10);
  bytes.writeUInt16LE(name.length, 16);
  name.copy(bytes, HEAD_OF_ID);
  return bytes;
}

function* decodeIds(bytes: Buffer, from: number, to: number): IterableIterator<ArchivedId> {
  for (let at = from; at + HEAD_OF_ID <= to; ) {
    const end = at + HEAD_OF_ID + bytes.readUInt16LE(at + 16);
    if (end > to) return;
    yield {
      index: readUint48(bytes, at),
      count: readUint32(bytes, at + 6),
      time: readUint48(bytes, at + 10),
      id: bytes.toString('utf8', at + HEAD_OF_ID, end),
    };
    at = end;
  }
}
