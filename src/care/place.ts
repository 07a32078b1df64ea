import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import type { Epochs } from '../epoch/epochs.js';
import { encodeFileHeader, HeaderKind, NEW_FEATURES, WRITTEN_FEATURES } from '../frame/file-header.js';
import { saltOf } from '../frame/frame.js';

/** Where a store is, and what its files have in common. */
export class Place {
  readonly disk: Disk;
  readonly names: FileNames;
  readonly epochs: Epochs;
  readonly storeId: Buffer;
  readonly salt: number;
  /** The generation of the sparse successor that a first index stands for, as the directory was last listed. */
  #generations = new Map<number, number>();

  constructor(disk: Disk, names: FileNames, epochs: Epochs, storeId: Buffer) {
    this.disk = disk;
    this.names = names;
    this.epochs = epochs;
    this.storeId = storeId;
    this.salt = saltOf(storeId);
  }

  /** First indexes of the segments that have a data file which counts, ascending. */
  listSegments(): number[] {
    const firsts = new Set<number>();
    const generations = new Map<number, number>();
    for (const name of this.disk.list(this.names.directory)) {
      const parsed = this.names.parse(name);
      if (parsed?.kind === 'data' && parsed.epoch === this.epochs.ofSegment(parsed.number))
        firsts.add(parsed.number);
      if (parsed?.kind !== 'sparse-data') continue;
      firsts.add(parsed.number);
      const { number, generation } = parsed;
      generations.set(number, Math.max(generation, generations.get(number) ?? 0));
    }
    this.#generations = generations;
    return [...firsts].sort((a, b) => a - b);
  }

  /** 0 where the segment is dense: it holds all of its indexes. */
  generation(first: number): number {
    return this.#generations.get(first) ?? 0;
  }

  dataPath(first: number): string {
    const generation = this.generation(first);
    if (generation > 0) return this.names.sparseData(first, generation);
    return this.names.data(first, this.epochs.ofSegment(first));
  }

  entriesPath(first: number): string {
    const generation = this.generation(first);
    if (generation > 0) return this.names.sparseEntries(first, generation);
    return this.names.entries(first, this.epochs.ofSegment(first));
  }

  journalPath(number: number): string {
    return this.names.fateJournal(number, this.epochs.ofJournal(number));
  }

  dataHeader(first: number): Buffer {
    return this.#header(this.dataKind(first), first);
  }

  entriesHeader(first: number): Buffer {
    return this.#header(this.generation(first) > 0 ? HeaderKind.sparseEntries : HeaderKind.entries, first);
  }

  /** Headers that entries may have: those of every program so far. */
  entriesHeaders(first: number): readonly Buffer[] {
    const kind = this.generation(first) > 0 ? HeaderKind.sparseEntries : HeaderKind.entries;
    return WRITTEN_FEATURES.map((features) => this.#header(kind, first, features));
  }

  dataKind(first: number): HeaderKind {
    return this.generation(first) > 0 ? HeaderKind.sparseData : HeaderKind.data;
  }

  /** Where a take-over ended a segment. A sparse one is whole. */
  cutOf(first: number): ReturnType<Epochs['cutOfSegment']> {
    return this.generation(first) > 0 ? undefined : this.epochs.cutOfSegment(first);
  }

  /** What a segment's headers say beside its number. */
  stamp(first: number): number {
    return this.generation(first) || this.epochs.ofSegment(first);
  }

  #header(kind: HeaderKind, first: number, features = NEW_FEATURES): Buffer {
    return encodeFileHeader(kind, this.storeId, first, this.stamp(first), features);
  }
}
