import { GroupSync } from '../disk/group-sync.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

/**
 * Brings records to the device. Synced means a prefix: a record counts as synced when it *and everything before it* is,
 * so earlier segments that are not known to be safe, and the directory that names them, are synced first.
 */
export class Syncer {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #group: GroupSync;

  constructor(files: SegmentFiles, tail: Tail, failed: (error: unknown) => unknown) {
    this.#files = files;
    this.#tail = tail;
    this.#group = new GroupSync(() => this.#sync(), failed);
  }

  /** Resolves when everything up to and including `index` is on the device. */
  upTo(index: number): Promise<void> {
    return index <= this.#tail.safe ? Promise.resolve() : this.#group.request();
  }

  async #sync(): Promise<void> {
    const tail = this.#tail;
    const upTo = tail.nextIndex - 1;
    // Also the one that holds the last safe record: its seal may have come since.
    const from = tail.segments.holding(tail.safe) ?? tail.segments.lowest ?? tail.active;
    const segments = [...tail.segments].filter((first) => first >= from && first <= tail.active);
    for (const first of segments) await this.#syncData(first);
    // A segment's name is on the device before any record in it is called safe.
    if (segments.some((first) => first > tail.safe)) {
      await this.#files.descriptors.syncDirectory(this.#files.names.directory);
    }
    tail.sawSafe(upTo);
  }

  /** ⚑ The mark of a failed sync is looked for while this one runs, where it costs no time. */
  async #syncData(first: number): Promise<void> {
    const pinned = this.#files.descriptors.pin(this.#files.dataPath(first));
    try {
      // Where it was removed meanwhile, its records are gone by facts on the device.
      const synced = pinned?.file.sync();
      // Whoever finds the mark needs no more to be told.
      synced?.catch(() => {});
      this.#files.assertNotSuspect();
      await synced;
    } finally {
      pinned?.unpin();
    }
  }
}
