import { join } from 'node:path';
import { Descriptors } from '../disk/descriptors.js';
import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { isNoRoom } from '../disk/no-room.js';
import { makeOwn } from '../disk/own-file.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';
import type { Epochs } from '../epoch/epochs.js';
import { CorruptError } from '../errors.js';
import {
  checkFileHeader,
  encodeFileHeader,
  featuresOf,
  HEADER_BYTES,
  HeaderKind,
} from '../frame/file-header.js';
import { placeOf, saltOf } from '../frame/frame.js';
import { entryPosition } from './entry.js';

/** Descriptors kept open at a time, two a segment in use. */
const OPEN_FILES = 64;

/**
 * Opens and creates the two files of a segment; knows their headers and nothing of what stands behind them.
 *
 * A first index stands for the highest generation of sparse successors there is, or for the dense pair that is appended to.
 * Somebody may make a successor at any time; what is open of the predecessor can be read on.
 */
export class SegmentFiles {
  readonly disk: Disk;
  readonly names: FileNames;
  readonly descriptors: Descriptors;
  readonly epochs: Epochs;
  /** The store's part of a frame's place. */
  readonly salt: number;
  /** Counts how often first indexes may have come to stand for other files. */
  turns = 0;
  /**
   * Whether what a stream has in its frame's front is believed before its bytes are read. ⚑ Not before somebody, here or elsewhere, has
   * looked at what a power cut may have left; nor where another machine may have the file before its bytes.
   */
  believesStreams = false;
  /** Entries that are still to be written: whoever asks for an entries file is to find them there. */
  unwritten: { flush(): void } | undefined;
  readonly #storeId: Buffer;
  /** The features in the data headers of the segments where they were seen to be right, by first index. */
  readonly #checked = new Map<number, number>();
  /** The generation of the sparse successor that a first index stands for; none for a dense segment. */
  readonly #generations = new Map<number, number>();
  /** Building a path costs as much as a small read. */
  readonly #paths = new Map<number, { data: string; entries: string }>();

  constructor(disk: Disk, names: FileNames, storeId: Buffer, epochs: Epochs) {
    this.disk = disk;
    this.names = names;
    this.epochs = epochs;
    this.#storeId = storeId;
    this.salt = saltOf(storeId);
    this.descriptors = new Descriptors(disk, OPEN_FILES);
  }

  /** The place of a frame at a position of a data file. */
  placeOf(position: number): number {
    return placeOf(this.salt, position);
  }

  /** Whether that is so of a large frame there: a stream is the first in its file, which was whole before it had its name. */
  believesAt(position: number): boolean {
    return this.believesStreams && position === HEADER_BYTES;
  }

  /** First indexes of the segments that have a data file which counts, ascending. */
  list(): number[] {
    const firsts = new Set<number>();
    const generations = new Map<number, number>();
    for (const name of this.disk.list(this.names.directory)) {
      const parsed = this.names.parse(name);
      if (parsed?.kind === 'data' && parsed.epoch === this.epochs.ofSegment(parsed.number))
        firsts.add(parsed.number);
      if (parsed?.kind === 'sparse-data') {
        firsts.add(parsed.number);
        if (parsed.generation > (generations.get(parsed.number) ?? 0))
          generations.set(parsed.number, parsed.generation);
      }
    }
    for (const [first, generation] of generations) this.#turnTo(first, generation);
    return [...firsts].sort((a, b) => a - b);
  }

  /** Whether a segment has a sparse successor that was not known; from then on the segment is that. */
  refresh(first: number): boolean {
    const before = this.generation(first);
    this.list();
    return this.generation(first) !== before;
  }

  /** Whether a segment's entries are missing because it was succeeded; from then on it is its successor. */
  hasLostEntries(first: number): boolean {
    return (
      this.entries(first) === undefined && !this.disk.exists(this.dataPath(first)) && this.refresh(first)
    );
  }

  /** The generation of the sparse successor that a segment is known as; 0 where it is dense. */
  generation(first: number): number {
    return this.#generations.get(first) ?? 0;
  }

  /** A sparse segment is whole, sealed and synced, and holds only some of its indexes. Nobody ever writes to it. */
  isSparse(first: number): boolean {
    return this.#generations.has(first);
  }

  #turnTo(first: number, generation: number): void {
    if (generation <= this.generation(first)) return;
    this.forget(first);
    this.#generations.set(first, generation);
  }

  /**
   * The data file of a segment; undefined where it is not there, or was created and has no header yet. CORRUPT where
   * the header is another's.
   */
  data(first: number): DiskFile | undefined {
    return this.#openData(first) ?? (this.refresh(first) ? this.#openData(first) : undefined);
  }

  /**
   * Under the write lock, of a segment without frames: has its header announce all that is known. A header that a power cut tears
   * before anything safe is behind it is written anew by recovery.
   */
  announce(first: number): void {
    const header = this.header(first);
    const file = this.#openData(first);
    if (file !== undefined) writeFully(file, header, HEADER_BYTES, 0);
    this.#checked.set(first, featuresOf(header));
  }

  #openData(first: number): DiskFile | undefined {
    const file = this.descriptors.get(this.#path(first).data);
    if (file === undefined || this.#checked.has(first)) return file;
    return this.#hasHeader(file, first) ? file : undefined;
  }

  /** The header of a data file that is begun now. */
  header(first: number): Buffer {
    return encodeFileHeader(HeaderKind.data, this.#storeId, first, this.epochs.ofSegment(first));
  }

  /**
   * Under the write lock: a whole file takes the place of a segment that holds nothing. ⚑ Who has the empty one open sees nothing of
   * that: whoever looks at an empty segment opens it anew.
   */
  replaceEmpty(first: number, path: string): void {
    this.epochs.assertHere();
    this.disk.rename(path, this.dataPath(first));
    this.openAnew(first);
  }

  /**
   * ⚑ To be called before anything is changed in a segment that may be sealed: a copy of the store may have the same file. Where there is
   * no room for another it is changed in place, for a full disk keeps no directory from opening: the copy would mend the same.
   */
  makeOwn(first: number): void {
    try {
      if (makeOwn(this.disk, this.names, this.dataPath(first))) this.openAnew(first);
    } catch (error) {
      if (!isNoRoom(error)) throw error;
    }
  }

  /** What has the name of a segment's data file now is what is looked at next. */
  openAnew(first: number): void {
    this.descriptors.forget(this.dataPath(first));
    this.#checked.delete(first);
  }

  /** Whether the header of a segment, which is there, announces all these features. */
  announces(first: number, features: number): boolean {
    return (features & ~(this.#checked.get(first) ?? 0)) === 0;
  }

  /** Whether nothing may be written to a segment: it is of an earlier epoch, or a take-over has ended it. */
  isEnded(first: number): boolean {
    const { epochs } = this;
    return epochs.ofSegment(first) !== epochs.current || epochs.cutOfSegment(first) !== undefined;
  }

  /** The entries file, or undefined where it is missing or odd: then the data file is scanned instead. */
  entries(first: number): DiskFile | undefined {
    this.unwritten?.flush();
    return this.descriptors.get(this.#path(first).entries);
  }

  /**
   * Creates a segment's files, or completes what a dying creator left. Only under the write lock. Syncs nothing: a
   * record in it counts as synced only after its directory was, which the syncer sees to.
   */
  create(first: number): DiskFile {
    const path = this.dataPath(first);
    const file = this.descriptors.withRoom(() => {
      this.epochs.assertHere();
      return this.disk.create(path) ?? this.disk.open(path, 'write');
    });
    if (file === undefined) throw Object.assign(new Error(`${path} vanished`), { code: 'ENOENT' });
    this.descriptors.keep(file);
    if (!this.#hasHeader(file, first)) {
      const header = this.header(first);
      writeFully(file, header, HEADER_BYTES, 0);
      this.#checked.set(first, featuresOf(header));
    }
    return file;
  }

  /**
   * Creates the entries file where it is missing, and its header where that was torn; undefined where that fails, for
   * entries are only a cache, and for a sparse segment, whose entries are only published with it.
   */
  createEntries(first: number): DiskFile | undefined {
    if (this.isSparse(first)) return undefined;
    try {
      let file = this.entries(first);
      if (file === undefined) {
        file = this.descriptors.withRoom(() => {
          this.epochs.assertHere();
          return this.disk.create(this.#path(first).entries);
        });
        if (file === undefined) return this.entries(first);
        this.descriptors.keep(file);
      }
      const epoch = this.epochs.ofSegment(first);
      const features = this.#checked.get(first);
      const header = encodeFileHeader(HeaderKind.entries, this.#storeId, first, epoch, features);
      const found = Buffer.alloc(HEADER_BYTES);
      file.read(found, 0, HEADER_BYTES, 0);
      if (!found.equals(header)) {
        this.epochs.assertHere();
        writeFully(file, header, HEADER_BYTES, 0);
      }
      return file;
    } catch {
      return undefined;
    }
  }

  /**
   * Cuts off the entries from an index on: of records that a power cut took, whose entries survived. Otherwise they would witness
   * for ever that something is missing. ⚑ On the device when it returns: the index is given again, and an old entry that came back
   * with another power cut would say of the new record what the old one's marks were. Throws what the disk says.
   */
  dropEntries(first: number, index: number): void {
    if (this.isSparse(first)) return;
    const file = this.entries(first);
    const end = entryPosition(first, index);
    if (file === undefined || file.size() <= end) return;
    try {
      file.truncate(end);
    } catch {
      // Without any entries the records are found all the same.
      this.descriptors.forget(this.entriesPath(first));
      this.disk.unlink(this.entriesPath(first));
      this.disk.syncDirectoryNow(this.names.directory);
      return;
    }
    syncNow(file);
  }

  /**
   * Throws where a failed sync has left its mark: what it covered may not be on the device, and a sync that succeeds now
   * would not tell.
   */
  assertNotSuspect(): void {
    if (!this.disk.exists(this.names.suspect())) return;
    throw new Error('a sync failed in another process, and what it covered may not be on the device');
  }

  /**
   * Unlinks the files of a segment, what it succeeded first, so that nothing that was succeeded comes to light; entries
   * before data, so that a leftover data file still tells of the segment.
   */
  remove(first: number): void {
    this.epochs.assertHere();
    this.removeSucceeded(first);
    const { data, entries } = this.#path(first);
    this.#holdOpen(data);
    this.descriptors.forget(entries);
    this.disk.unlink(entries);
    this.disk.unlink(data);
    this.forgetRemoved(first);
  }

  /** While it is open, unlinking a file is quick: its blocks are freed when it is closed. Best effort. */
  #holdOpen(path: string): void {
    try {
      this.descriptors.get(path);
    } catch {
      // Then it takes longer.
    }
  }

  /** Unlinks what a sparse segment succeeded: the dense pair, and older generations. That its name is synced is up to the caller. */
  removeSucceeded(first: number): void {
    const stale: { path: string; isData: boolean }[] = [];
    this.list();
    const generation = this.generation(first);
    if (generation === 0) return;
    this.epochs.assertHere();
    for (const name of this.disk.list(this.names.directory)) {
      const parsed = this.names.parse(name);
      if (parsed === undefined || !('number' in parsed) || parsed.number !== first) continue;
      const isDense = parsed.kind === 'data' || parsed.kind === 'entries';
      const isOlder = 'generation' in parsed && parsed.generation < generation;
      if (isDense || isOlder)
        stale.push({
          path: join(this.names.directory, name),
          isData: parsed.kind === 'data' || parsed.kind === 'sparse-data',
        });
    }
    for (const { path } of stale.sort((a, b) => Number(a.isData) - Number(b.isData))) {
      this.#holdOpen(path);
      this.disk.unlink(path);
      this.descriptors.forgetRemoved(path);
    }
  }

  forget(first: number): void {
    const { data, entries } = this.#forgetNames(first);
    this.descriptors.forget(entries);
    this.descriptors.forget(data);
  }

  /** The same of a segment whose files were unlinked. */
  forgetRemoved(first: number): void {
    const { data, entries } = this.#forgetNames(first);
    this.descriptors.forgetRemoved(entries);
    this.descriptors.forgetRemoved(data);
  }

  #forgetNames(first: number): { data: string; entries: string } {
    const path = this.#path(first);
    this.#checked.delete(first);
    this.#generations.delete(first);
    this.#paths.delete(first);
    return path;
  }

  /** After a take-over a first index may stand for another file. */
  forgetPaths(): void {
    this.turns += 1;
    for (const first of [...this.#paths.keys()]) this.forget(first);
  }

  /** The header of a sparse successor's file. */
  sparseHeader(kind: 'sparseData' | 'sparseEntries', first: number, generation: number): Buffer {
    return encodeFileHeader(HeaderKind[kind], this.#storeId, first, generation);
  }

  dataPath(first: number): string {
    return this.#path(first).data;
  }

  entriesPath(first: number): string {
    return this.#path(first).entries;
  }

  #path(first: number): { data: string; entries: string } {
    let path = this.#paths.get(first);
    if (path === undefined) {
      const generation = this.generation(first);
      const epoch = this.epochs.ofSegment(first);
      path =
        generation === 0
          ? { data: this.names.data(first, epoch), entries: this.names.entries(first, epoch) }
          : {
              data: this.names.sparseData(first, generation),
              entries: this.names.sparseEntries(first, generation),
            };
      this.#paths.set(first, path);
    }
    return path;
  }

  #hasHeader(file: DiskFile, first: number): boolean {
    const bytes = Buffer.alloc(HEADER_BYTES);
    const length = file.read(bytes, 0, HEADER_BYTES, 0);
    const isSparse = this.isSparse(first);
    const verdict = isSparse
      ? this.#check(bytes, length, HeaderKind.sparseData, first, file.path, this.generation(first))
      : this.#check(bytes, length, HeaderKind.data, first, file.path, this.epochs.ofSegment(first));
    // A sparse segment was whole before it had its name.
    if (verdict === 'foreign' || (verdict === 'absent' && isSparse)) {
      throw new CorruptError('the header is damaged or belongs to another store', {
        file: file.path,
        position: 0,
        bytes: file.size(),
      });
    }
    if (verdict === 'valid') this.#checked.set(first, featuresOf(bytes));
    return verdict === 'valid';
  }

  #check(
    bytes: Buffer,
    length: number,
    kind: HeaderKind,
    first: number,
    path: string,
    version: number,
  ): ReturnType<typeof checkFileHeader> {
    return checkFileHeader(bytes, length, kind, this.#storeId, first, path, version);
  }
}
