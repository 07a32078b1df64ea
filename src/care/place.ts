import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import type { Epochs } from '../epoch/epochs.js';
import { encodeFileHeader, type HeaderKind } from '../frame/file-header.js';
import { saltOf } from '../frame/frame.js';

/** Where a store is, and what its files have in common. */
export class Place {
  readonly disk: Disk;
  readonly names: FileNames;
  readonly epochs: Epochs;
  readonly storeId: Buffer;
  readonly salt: number;

  constructor(disk: Disk, names: FileNames, epochs: Epochs, storeId: Buffer) {
    this.disk = disk;
    this.names = names;
    this.epochs = epochs;
    this.storeId = storeId;
    this.salt = saltOf(storeId);
  }

  dataPath(first: number): string {
    return this.names.data(first, this.epochs.ofSegment(first));
  }

  entriesPath(first: number): string {
    return this.names.entries(first, this.epochs.ofSegment(first));
  }

  journalPath(number: number): string {
    return this.names.fateJournal(number, this.epochs.ofJournal(number));
  }

  /** The header that a segment's file must have. */
  segmentHeader(kind: HeaderKind, first: number): Buffer {
    return encodeFileHeader(kind, this.storeId, first, this.epochs.ofSegment(first));
  }
}
