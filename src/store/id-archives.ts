import { DraftFile } from '../disk/draft-file.js';
import { CorruptError } from '../errors.js';
import { decodeOrderMarks, EntryFlag, entryMarksOf } from '../frame/order-marks.js';
import { markedEntries } from '../segment/mark-scan.js';
import type { StoredRecord } from '../segment/stored-record.js';
import type { Engine } from './engine.js';
import { type ArchivedId, encodeArchive, readArchive } from './id-archive.js';

/** So many records are read between two turns of the event loop. */
const SLICE = 1000;

/**
 * The archives of a directory. ⚑ One has its name only when it is whole and on the device, and that before its segment goes, unless
 * a full disk has no room for it. It never changes, and whoever makes it makes the same, but for ids that are too old by then.
 */
export class IdArchives {
  readonly #engine: Engine;
  /** The latest time in each archive that was read, by its segment. */
  readonly #latest = new Map<number, number>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Archives the ids of a segment's messages that are younger than `horizon`, on the device when it resolves. Nothing where there
   * are none, or they are archived already.
   */
  async archive(first: number, horizon: number): Promise<void> {
    if (this.#engine.disk.exists(this.#engine.names.ids(first))) return;
    await this.write(first, await this.idsOf(first, horizon));
  }

  /** Archives these ids as a segment's. Nothing where there are none. */
  async write(first: number, ids: readonly ArchivedId[]): Promise<void> {
    const { disk, names, epochs, storeId } = this.#engine;
    if (ids.length === 0) return;
    const draft = DraftFile.create(disk, names);
    try {
      for (const bytes of encodeArchive(storeId, first, ids)) draft.append(bytes);
      await draft.sync();
      epochs.assertHere();
      draft.publish(names.ids(first));
    } finally {
      draft.close();
    }
    await disk.syncDirectory(names.directory);
  }

  /** Removes those all of whose ids are older than `horizon`. */
  removeOld(horizon: number): void {
    const { disk, names, epochs } = this.#engine;
    for (const first of this.#list()) {
      let latest = this.#latest.get(first);
      if (latest === undefined) {
        latest = this.#latestIn(first);
        this.#latest.set(first, latest);
      }
      if (latest > horizon) continue;
      epochs.assertHere();
      disk.unlink(names.ids(first));
      this.#latest.delete(first);
    }
  }

  /** What is damaged stays, for `repair`, and keeps nobody from removing others. */
  #latestIn(first: number): number {
    try {
      return this.#read(first).reduce((most, { time }) => Math.max(most, time), 0);
    } catch (error) {
      if (error instanceof CorruptError) return Number.POSITIVE_INFINITY;
      throw error;
    }
  }

  /** All archived ids that are younger than `horizon`, in the order of their times. CORRUPT where an archive is damaged. */
  *read(horizon: number): IterableIterator<ArchivedId> {
    for (const first of this.#list()) for (const id of this.#read(first)) if (id.time > horizon) yield id;
  }

  /** The segments that have one, ascending. */
  #list(): number[] {
    const { disk, names } = this.#engine;
    const firsts: number[] = [];
    for (const name of disk.list(names.directory)) {
      const kind = names.parse(name);
      if (kind?.kind === 'ids') firsts.push(kind.number);
    }
    return firsts.sort((a, b) => a - b);
  }

  /** Nothing where another opener found it to be old. */
  #read(first: number): readonly ArchivedId[] {
    const { disk, names, storeId } = this.#engine;
    const file = disk.open(names.ids(first), 'read');
    if (file === undefined) return [];
    try {
      const { ids, end, isWhole } = readArchive(file, storeId, first);
      if (isWhole) return ids;
      throw new CorruptError('the ids of messages that are gone are damaged', {
        file: file.path,
        position: end,
        bytes: file.size() - end,
        remedy:
          'Restore the file from a copy, or repair the store; what was enqueued with an id that is lost may be stored again',
      });
    } finally {
      file.close();
    }
  }

  /** The ids of a segment's messages that are younger than `horizon`. */
  async idsOf(first: number, horizon: number): Promise<ArchivedId[]> {
    const { files, tail } = this.#engine;
    const ids: ArchivedId[] = [];
    let looked = 0;
    const next = tail.segments.after(first) ?? tail.nextIndex;
    const isSegment = (one: number): boolean => one === first;
    for (const { index, marks, time } of markedEntries(files, tail, first, next, isSegment)) {
      if (marks !== undefined && ((marks.flags & EntryFlag.id) === 0 || time <= horizon)) continue;
      looked += 1;
      // Leases are to be renewed meanwhile.
      if (looked % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
      const record = this.#record(index);
      if (record === undefined || record.time <= horizon) continue;
      if ((entryMarksOf(record.marks).flags & EntryFlag.id) === 0) continue;
      const { id, count } = decodeOrderMarks(record.marks);
      if (id !== undefined) ids.push({ id, index, count, time: record.time });
    }
    return ids;
  }

  /** An id that cannot be read cannot be kept. */
  #record(index: number): StoredRecord | undefined {
    try {
      return this.#engine.readBytes(index);
    } catch {
      return undefined;
    }
  }
}
