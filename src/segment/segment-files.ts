import { Descriptors } from '../disk/descriptors.js';
import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { writeFully } from '../disk/write-fully.js';
import type { Epochs } from '../epoch/epochs.js';
import { CorruptError } from '../errors.js';
import { checkFileHeader, encodeFileHeader, HEADER_BYTES, HeaderKind } from '../frame/file-header.js';
import { placeOf, saltOf } from '../frame/frame.js';

/** Descriptors kept open at a time, two a segment in use. */
const OPEN_FILES = 64;

/** Opens and creates the two files of a segment; knows their headers and nothing of what stands behind them. */
export class SegmentFiles {
  readonly disk: Disk;
  readonly names: FileNames;
  readonly descriptors: Descriptors;
  readonly epochs: Epochs;
  /** The store's part of a frame's place. */
  readonly salt: number;
  readonly #storeId: Buffer;
  /** First indexes of the segments whose data header was seen to be right. */
  readonly #checked = new Set<number>();
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

  /** First indexes of the segments that have a data file which counts, ascending. */
  list(): number[] {
    const firsts: number[] = [];
    for (const name of this.disk.list(this.names.directory)) {
      const parsed = this.names.parse(name);
      if (parsed?.kind === 'data' && parsed.epoch === this.epochs.ofSegment(parsed.number))
        firsts.push(parsed.number);
    }
    return firsts.sort((a, b) => a - b);
  }

  /**
   * The data file of a segment; undefined where it is not there, or was created and has no header yet. CORRUPT where
   * the header is another's.
   */
  data(first: number): DiskFile | undefined {
    const file = this.descriptors.get(this.#path(first).data);
    if (file === undefined || this.#checked.has(first)) return file;
    if (!this.#hasHeader(file, HeaderKind.data, first)) return undefined;
    this.#checked.add(first);
    return file;
  }

  /** Whether nothing may be written to a segment: it is of an earlier epoch, or a take-over has ended it. */
  isEnded(first: number): boolean {
    const { epochs } = this;
    return epochs.ofSegment(first) !== epochs.current || epochs.cutOfSegment(first) !== undefined;
  }

  /** The entries file, or undefined where it is missing or odd: then the data file is scanned instead. */
  entries(first: number): DiskFile | undefined {
    return this.descriptors.get(this.#path(first).entries);
  }

  /**
   * Creates a segment's files, or completes what a dying creator left. Only under the write lock. Syncs nothing: a
   * record in it counts as synced only after its directory was, which the syncer sees to.
   */
  create(first: number): DiskFile {
    const path = this.dataPath(first);
    const file = this.disk.create(path) ?? this.disk.open(path, 'write');
    if (file === undefined) throw Object.assign(new Error(`${path} vanished`), { code: 'ENOENT' });
    this.descriptors.keep(file);
    if (!this.#hasHeader(file, HeaderKind.data, first)) {
      const header = encodeFileHeader(HeaderKind.data, this.#storeId, first, this.epochs.ofSegment(first));
      writeFully(file, header, HEADER_BYTES, 0);
    }
    this.#checked.add(first);
    return file;
  }

  /**
   * Creates the entries file where it is missing, and its header where that was torn; undefined where that fails, for
   * entries are only a cache.
   */
  createEntries(first: number): DiskFile | undefined {
    try {
      let file = this.entries(first);
      if (file === undefined) {
        file = this.disk.create(this.#path(first).entries);
        if (file === undefined) return this.entries(first);
        this.descriptors.keep(file);
      }
      const epoch = this.epochs.ofSegment(first);
      const header = encodeFileHeader(HeaderKind.entries, this.#storeId, first, epoch);
      const found = Buffer.alloc(HEADER_BYTES);
      file.read(found, 0, HEADER_BYTES, 0);
      if (!found.equals(header)) writeFully(file, header, HEADER_BYTES, 0);
      return file;
    } catch {
      return undefined;
    }
  }

  /**
   * Throws where a failed sync has left its mark: what it covered may not be on the device, and a sync that succeeds now
   * would not tell.
   */
  assertNotSuspect(): void {
    if (!this.disk.exists(this.names.suspect())) return;
    throw new Error('a sync failed in another process, and what it covered may not be on the device');
  }

  /** Unlinks both files; entries first, so that a leftover data file still tells of the segment. */
  remove(first: number): void {
    const { data, entries } = this.#path(first);
    this.forget(first);
    this.disk.unlink(entries);
    this.disk.unlink(data);
  }

  forget(first: number): void {
    const { data, entries } = this.#path(first);
    this.#checked.delete(first);
    this.#paths.delete(first);
    this.descriptors.forget(entries);
    this.descriptors.forget(data);
  }

  /** After a take-over a first index may stand for another file. */
  forgetPaths(): void {
    for (const first of [...this.#paths.keys()]) this.forget(first);
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
      const epoch = this.epochs.ofSegment(first);
      path = { data: this.names.data(first, epoch), entries: this.names.entries(first, epoch) };
      this.#paths.set(first, path);
    }
    return path;
  }

  #hasHeader(file: DiskFile, kind: HeaderKind, first: number): boolean {
    const bytes = Buffer.alloc(HEADER_BYTES);
    const length = file.read(bytes, 0, HEADER_BYTES, 0);
    const epoch = this.epochs.ofSegment(first);
    const verdict = checkFileHeader(bytes, length, kind, this.#storeId, first, file.path, epoch);
    if (verdict === 'foreign') {
      throw new CorruptError('the header is damaged or belongs to another store', {
        file: file.path,
        position: 0,
        bytes: file.size(),
      });
    }
    return verdict === 'valid';
  }
}
