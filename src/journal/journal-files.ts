import { hasBytesBehind } from '../disk/bytes-behind.js';
import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { publishFile } from '../disk/publish-file.js';
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
import { saltOf } from '../frame/frame.js';

const ZEROED_AT_A_TIME = 1024 * 1024;

/** The numbered files of a journal: which there are, and what their headers must say. */
export class JournalFiles {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #storeId: Buffer;
  readonly #epochs: Epochs;
  /** The store's part of a frame's place. */
  readonly salt: number;

  constructor(disk: Disk, names: FileNames, storeId: Buffer, epochs: Epochs) {
    this.#disk = disk;
    this.#names = names;
    this.#storeId = storeId;
    this.#epochs = epochs;
    this.salt = saltOf(storeId);
  }

  path(number: number): string {
    return this.#names.fateJournal(number, this.#epochs.ofJournal(number));
  }

  /** The numbers of the journals that count, ascending. */
  list(): number[] {
    const numbers: number[] = [];
    for (const name of this.#disk.list(this.#names.directory)) {
      const parsed = this.#names.parse(name);
      if (parsed?.kind === 'fate' && parsed.epoch === this.#epochs.ofJournal(parsed.number))
        numbers.push(parsed.number);
    }
    return numbers.sort((a, b) => a - b);
  }

  /** With what its header names. Undefined where the file is not there. CORRUPT where its header is damaged or another's. */
  open(number: number): { file: DiskFile; features: number } | undefined {
    const path = this.path(number);
    const file = this.#disk.open(path, 'write');
    if (file === undefined) return undefined;
    try {
      const bytes = Buffer.alloc(HEADER_BYTES);
      const length = file.read(bytes, 0, HEADER_BYTES, 0);
      const epoch = this.#epochs.ofJournal(number);
      if (checkFileHeader(bytes, length, HeaderKind.fates, this.#storeId, number, path, epoch) === 'valid')
        return { file, features: featuresOf(bytes) };
      throw new CorruptError('the header is damaged or belongs to another store', {
        file: path,
        position: 0,
        bytes: file.size(),
      });
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Creates the first journal, on the device when it returns: under a temporary name first, so that it is there whole or
   * not at all. Only by the first opener of a new store.
   */
  createFirst(): void {
    publishFile(this.#disk, this.#names, this.path(1), this.header(1));
    this.syncNames();
  }

  /**
   * The file for a successor, holding nothing but zeros: the one that was prepared, or what somebody who died left of one,
   * or a new one. What it held is overwritten, not cut, for on a full disk its room is all there is.
   */
  createSuccessor(number: number, epoch: number = this.#epochs.ofJournal(number)): DiskFile {
    this.#epochs.assertHere();
    const path = this.#names.fateJournal(number, epoch);
    const file = this.#disk.open(path, 'write') ?? this.#disk.create(path);
    if (file === undefined) throw Object.assign(new Error(`${path} cannot be created`), { code: 'EEXIST' });
    if (hasBytesBehind(file, 0)) {
      const size = file.size();
      const zeros = Buffer.alloc(Math.min(size, ZEROED_AT_A_TIME));
      for (let at = 0; at < size; at += zeros.length)
        writeFully(file, zeros, Math.min(zeros.length, size - at), at);
    }
    return file;
  }

  /** Reserves room for a successor with zeros. Best effort: who finds none creates it. */
  prepareSuccessor(number: number, bytes: number): void {
    let file: DiskFile | undefined;
    try {
      this.#epochs.assertHere();
      file = this.#disk.create(this.path(number));
      if (file !== undefined) writeFully(file, Buffer.alloc(bytes), bytes, 0);
    } catch {
      // No room: the disk is full already.
    } finally {
      file?.close();
    }
  }

  /** Bytes of a journal's file; 0 where there is none. */
  size(number: number): number {
    const file = this.#disk.open(this.path(number), 'read');
    try {
      return file?.size() ?? 0;
    } finally {
      file?.close();
    }
  }

  /**
   * Removes the journals below a number, whose marks nobody needs any more. ⚑ The lowest first, on the device before the
   * next: of several unlinks a power cut keeps any, and the mark of one that came back must not lead to one that is gone.
   * There are several where a take-over went before.
   */
  removeBelow(number: number): void {
    const lower = this.list().filter((one) => one < number);
    if (lower.length > 0) this.#epochs.assertHere();
    for (const [at, one] of lower.entries()) {
      if (at > 0) this.syncNames();
      this.#disk.unlink(this.path(one));
    }
  }

  header(number: number, epoch: number = this.#epochs.ofJournal(number)): Buffer {
    return encodeFileHeader(HeaderKind.fates, this.#storeId, number, epoch);
  }

  syncNames(): void {
    this.#disk.syncDirectoryNow(this.#names.directory);
  }

  /** The same in the background. */
  syncNamesLater(): Promise<void> {
    return this.#disk.syncDirectory(this.#names.directory);
  }
}
