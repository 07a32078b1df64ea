import { join } from 'node:path';
import { DraftFile } from '../disk/draft-file.js';
import { CorruptError } from '../errors.js';
import { checkFileHeader, encodeFileHeader, HEADER_BYTES, HeaderKind } from '../frame/file-header.js';
import {
  completeHead,
  FLAG_ENDS_BATCH,
  FrameKind,
  HEAD_BYTES,
  isKnownInArchive,
  placeOf,
  writeBodyFields,
} from '../frame/frame.js';
import { FrameScanner } from '../frame/frame-scanner.js';
import { decodeOrderMarks, EntryFlag, entryMarksOf } from '../frame/order-marks.js';
import { readUint32, readUint48, writeUint32, writeUint48 } from '../frame/uint48.js';
import { markedEntries } from '../segment/mark-scan.js';
import type { Engine } from './engine.js';

/**
 * What is left of a segment that goes while the ids of its messages are still to be remembered: `duro.ids.N`, N being its first
 * index. A header of kind 6 and frames of kind 21, whose number is N and whose time is the latest of an id in them. Their body
 * is ids, one behind the other:
 *
 *      0       6       10      16        18
 *      | index | count | time  | length  | id …
 *      |  u48  |  u32  |  u48  |  u16    | UTF-8
 *
 * It has its name only when it is whole and on the device, and that before the segment goes. It never changes, and whoever
 * makes it makes the same.
 */
export interface ArchivedId {
  readonly id: string;
  readonly index: number;
  readonly count: number;
  readonly time: number;
}

const HEAD_OF_ID = 18;
/** Ids are told in frames of about this size. */
const FRAME_BYTES = 64 * 1024;

/** The archives of a directory. */
export class IdArchives {
  readonly #engine: Engine;
  /** The latest time in each archive that was read, by its name. */
  readonly #latest = new Map<string, number>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Archives the ids of a segment's messages that are younger than `horizon`, on the device when it resolves. Nothing where there
   * are none, or they are archived already.
   */
  async archive(first: number, horizon: number): Promise<void> {
    const { disk, names, epochs, storeId } = this.#engine;
    const path = names.ids(first);
    if (disk.exists(path)) return;
    const ids = [...idsOf(this.#engine, first, horizon)];
    if (ids.length === 0) return;
    const draft = DraftFile.create(disk, names);
    try {
      draft.append(encodeFileHeader(HeaderKind.ids, storeId, first));
      for (let at = 0; at < ids.length; ) at = appendFrame(this.#engine, draft, first, ids, at);
      await draft.sync();
      epochs.assertHere();
      draft.publish(path);
    } finally {
      draft.close();
    }
    await disk.syncDirectory(names.directory);
  }

  /** Removes those all of whose ids are older than `horizon`. */
  removeOld(horizon: number): void {
    const { disk, names, epochs } = this.#engine;
    for (const name of this.#list()) {
      let latest = this.#latest.get(name);
      if (latest === undefined) {
        latest = readArchive(this.#engine, name).reduce((most, { time }) => Math.max(most, time), 0);
        this.#latest.set(name, latest);
      }
      if (latest > horizon) continue;
      epochs.assertHere();
      disk.unlink(join(names.directory, name));
      this.#latest.delete(name);
    }
  }

  /** All archived ids that are younger than `horizon`, in the order of their times. CORRUPT where an archive is damaged. */
  *read(horizon: number): IterableIterator<ArchivedId> {
    for (const name of this.#list())
      for (const id of readArchive(this.#engine, name)) if (id.time > horizon) yield id;
  }

  /** The names, in the order of the segments. */
  #list(): string[] {
    const { disk, names } = this.#engine;
    const found: { name: string; first: number }[] = [];
    for (const name of disk.list(names.directory)) {
      const kind = names.parse(name);
      if (kind?.kind === 'ids') found.push({ name, first: kind.number });
    }
    return found.sort((a, b) => a.first - b.first).map(({ name }) => name);
  }
}

function* idsOf(engine: Engine, first: number, horizon: number): IterableIterator<ArchivedId> {
  const { files, tail } = engine;
  const isSegment = (one: number): boolean => one === first;
  const next = tail.segments.after(first) ?? tail.nextIndex;
  for (const { index, marks, time } of markedEntries(files, tail, first, next, isSegment)) {
    if (marks !== undefined && ((marks.flags & EntryFlag.id) === 0 || time <= horizon)) continue;
    const record = readOrNothing(engine, index);
    if (record === undefined || record.time <= horizon) continue;
    if ((entryMarksOf(record.marks).flags & EntryFlag.id) === 0) continue;
    const { id, count } = decodeOrderMarks(record.marks);
    if (id !== undefined) yield { id, index, count, time: record.time };
  }
}

/** An id that cannot be read cannot be kept. */
function readOrNothing(engine: Engine, index: number): ReturnType<Engine['readBytes']> {
  try {
    return engine.readBytes(index);
  } catch {
    return undefined;
  }
}

/** Appends a frame of the ids from `from` on; returns the first that it left. */
function appendFrame(
  engine: Engine,
  draft: DraftFile,
  first: number,
  ids: readonly ArchivedId[],
  from: number,
): number {
  const parts: Buffer[] = [Buffer.alloc(HEAD_BYTES)];
  let length = HEAD_BYTES;
  let latest = 0;
  let at = from;
  for (; at < ids.length && length < FRAME_BYTES; at++) {
    const one = ids[at] as ArchivedId;
    const part = encodeId(one);
    parts.push(part);
    length += part.length;
    latest = Math.max(latest, one.time);
  }
  const frame = Buffer.concat(parts, length);
  writeBodyFields(frame, 0, length, FrameKind.ids, FLAG_ENDS_BATCH, 0, 0);
  completeHead(frame, 0, placeOf(engine.files.salt, draft.size), first, latest, 0);
  draft.append(frame);
  return at;
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

function readArchive(engine: Engine, name: string): ArchivedId[] {
  const { disk, names, files } = engine;
  const path = join(names.directory, name);
  const kind = names.parse(name);
  const file = disk.open(path, 'read');
  // Another opener found it to be old.
  if (file === undefined || kind?.kind !== 'ids') return [];
  const ids: ArchivedId[] = [];
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const length = file.read(header, 0, HEADER_BYTES, 0);
    const verdict = checkFileHeader(header, length, HeaderKind.ids, engine.storeId, kind.number, path);
    const scanner = new FrameScanner(files.salt, () => false, isKnownInArchive);
    const { position, stop } = scanner.scan(file, HEADER_BYTES, (head, bytes, at) => {
      ids.push(...decodeIds(bytes, at + HEAD_BYTES, at + head.length));
      return true;
    });
    if (verdict === 'valid' && stop === 'end' && position === file.size()) return ids;
    throw new CorruptError('the ids of messages that are gone are damaged', {
      file: path,
      position: verdict === 'valid' ? position : 0,
      bytes: file.size() - (verdict === 'valid' ? position : 0),
      remedy:
        'Restore the file from a copy; without it, what was enqueued with one of these ids may be stored again',
    });
  } finally {
    file.close();
  }
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
