import { GroupSync, type Syncing } from '../disk/group-sync.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

/** More than that is not waited for in the calling thread. */
const LITTLE_BYTES = 256 * 1024;

/**
 * Brings records to the device. Synced means a prefix: a record counts as synced when it *and everything before it* is,
 * so earlier segments that are not known to be safe, and the directory that names them, are synced first.
 */
export class Syncer implements Syncing {
  readonly failed: (error: unknown) => unknown;
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  readonly #group: GroupSync;
  /** Up to where the segment `#syncedIn` was synced. */
  #syncedEnd = 0;
  #syncedIn = 0;

  /** `failed` is told the error of a sync, once, and returns the one that callers get from then on. */
  constructor(files: SegmentFiles, tail: Tail, failed: (error: unknown) => unknown) {
    this.#files = files;
    this.#tail = tail;
    this.failed = failed;
    this.#group = new GroupSync(this);
  }

  /** Resolves when everything up to and including `index` is on the device. */
  upTo(index: number): Promise<void> {
    return index <= this.#tail.safe ? Promise.resolve() : this.#group.request();
  }

  /** The same for who has just written a little; undefined where it is there already. */
  upToHere(index: number): Promise<void> | undefined {
    return index <= this.#tail.safe ? undefined : this.#group.requestHere();
  }

  async sync(): Promise<void> {
    const tail = this.#tail;
    const { active, end } = tail;
    const upTo = tail.nextIndex - 1;
    if (active > tail.safe) await this.#syncWithNames();
    else await this.#syncData(active);
    tail.sawSafe(upTo);
    this.#synced(active, end);
  }

  syncHere(): boolean {
    const tail = this.#tail;
    const { active, end } = tail;
    const upTo = tail.nextIndex - 1;
    const isLittle = active === this.#syncedIn && end - this.#syncedEnd <= LITTLE_BYTES;
    if (active > tail.safe || !isLittle) return false;
    const file = this.#files.descriptors.get(this.#files.dataPath(active));
    if (file === undefined) return false;
    file.syncNow();
    // ⚑ As below. What another process was told of its failed sync before this one began has left its mark by now.
    this.#files.assertNotSuspect();
    tail.sawSafe(upTo);
    this.#synced(active, end);
    return true;
  }

  #synced(active: number, end: number): void {
    this.#syncedIn = active;
    this.#syncedEnd = end;
  }

  async #syncWithNames(): Promise<void> {
    const tail = this.#tail;
    // Also the one that holds the last safe record: its seal may have come since.
    const from = tail.segments.holding(tail.safe) ?? tail.segments.lowest ?? tail.active;
    const segments = [...tail.segments].filter((first) => first >= from && first <= tail.active);
    for (const first of segments) await this.#syncData(first);
    // A segment's name is on the device before any record in it is called safe.
    if (segments.some((first) => first > tail.safe)) {
      await this.#files.descriptors.syncDirectory(this.#files.names.directory);
    }
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
