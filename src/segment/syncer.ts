import { DurostoreError } from '../errors.js';
import type { SegmentFiles } from './segment-files.js';
import type { Tail } from './tail.js';

interface Waiter {
  readonly index: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Brings records to the device: one sync for all who wait (group commit). Synced means a prefix: a record counts as
 * synced when it *and everything before it* is, so earlier segments that are not known to be safe, and the directory that
 * names them, are synced first.
 */
export class Syncer {
  readonly #files: SegmentFiles;
  readonly #tail: Tail;
  #waiters: Waiter[] = [];
  #running = false;
  #failure: DurostoreError | undefined;

  constructor(files: SegmentFiles, tail: Tail) {
    this.#files = files;
    this.#tail = tail;
  }

  /** Why no sync will succeed again for this opener. */
  get failure(): DurostoreError | undefined {
    return this.#failure;
  }

  /** Resolves when everything up to and including `index` is on the device. */
  upTo(index: number): Promise<void> {
    if (index <= this.#tail.safe) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ index, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  /** Syncs for those who wait until nobody does. Who comes while a sync is under way waits for the next one. */
  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        if (waiters.some((waiter) => waiter.index > this.#tail.safe)) await this.#sync();
        for (const waiter of waiters) waiter.resolve();
      } catch (error) {
        this.#fail(error);
        for (const waiter of [...waiters, ...this.#waiters.splice(0)]) waiter.reject(this.#failure);
      }
    }
    this.#running = false;
  }

  async #sync(): Promise<void> {
    const tail = this.#tail;
    const upTo = tail.nextIndex - 1;
    const from = tail.segments.holding(tail.safe + 1) ?? tail.segments.lowest;
    const segments = [...tail.segments].filter(
      (first) => from !== undefined && first >= from && first <= tail.active,
    );
    if (this.#files.disk.exists(this.#files.names.suspect())) {
      throw new Error('a sync failed in another process, and what it covered may not be on the device');
    }
    for (const first of segments) await this.#syncData(first);
    // A segment was named in the directory before any record in it was called safe.
    if (segments.some((first) => first > tail.safe)) {
      await this.#files.disk.syncDirectory(this.#files.names.directory);
    }
    tail.sawSafe(upTo);
  }

  async #syncData(first: number): Promise<void> {
    const pinned = this.#files.descriptors.pin(this.#files.names.data(first));
    // Removed by others meanwhile: its records are gone by a synced fact.
    if (pinned === undefined) return;
    try {
      await pinned.file.sync();
    } finally {
      pinned.unpin();
    }
  }

  /**
   * After a failed sync the system may call the lost pages clean, and the next sync would succeed without them. So the
   * failure sticks, and a mark in the directory tells every other opener before it calls anything synced.
   */
  #fail(cause: unknown): void {
    this.#failure ??= new DurostoreError(
      'STORE_FAILED',
      'a sync failed: what was being written may exist, and may be lost to a power cut. Reopen the store to go on',
      cause,
    );
    try {
      this.#files.disk.create(this.#files.names.suspect())?.close();
    } catch {
      // A device that takes no new name either: this opener stays failed all the same.
    }
  }
}
