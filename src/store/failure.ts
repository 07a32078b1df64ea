import type { Clock } from '../clock.js';
import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { directoryGone, type Residence } from '../disk/residence.js';
import { SyncFailure } from '../disk/sync-failure.js';
import { DurostoreError } from '../errors.js';
import { describeDiskError } from './disk-errors.js';

/** In the background it is looked at most so often whether the directory is still there. */
const PATROL_EVERY_MS = 200;

/** Whether this opener has failed for good, and why. The first failure stays. */
export class Failure {
  /** Told once, when it fails. */
  onFailure: (error: DurostoreError) => void = () => {};
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #clock: Clock;
  readonly #residence: Residence;
  #first: DurostoreError | undefined;
  /** Set when the directory was removed or replaced: then there is nothing to read either. */
  #gone: DurostoreError | undefined;
  #patrolAt = Number.NEGATIVE_INFINITY;

  constructor(disk: Disk, names: FileNames, clock: Clock, residence: Residence) {
    this.#disk = disk;
    this.#names = names;
    this.#clock = clock;
    this.#residence = residence;
  }

  get isFailed(): boolean {
    return this.#first !== undefined;
  }

  /** Throws STORE_FAILED after a failed write or sync. */
  assertNone(): void {
    if (this.#first !== undefined) throw this.#first;
  }

  /** Throws where there is nothing to read any more. */
  assertThere(): void {
    if (this.#gone !== undefined) throw this.#gone;
  }

  /** What a failed write or decision means for the store: no room fails the call, anything else fails the store. */
  of(error: unknown, doing: string): DurostoreError {
    if (error instanceof SyncFailure) return this.ofSync(error);
    const described = describeDiskError(error, doing);
    if (described.code === 'STORE_FAILED') this.#fail(described);
    return described;
  }

  /**
   * A sync that failed leaves a mark in the directory: nobody may call anything synced until the next opener has written
   * again what may be missing on the device.
   */
  ofSync(cause: unknown): DurostoreError {
    if (this.#residence.isLost()) return this.#lost(cause);
    // What was closed here was not synced, and nothing is known to be lost.
    if (cause instanceof DurostoreError && cause.code === 'CLOSED') return cause;
    const failure = this.#fail(
      new DurostoreError(
        'STORE_FAILED',
        'a sync failed: what was being written may exist, and may be lost to a power cut. Reopen the store to go on',
        cause,
      ),
    );
    try {
      this.#disk.create(this.#names.suspect())?.close();
    } catch {
      // A device that takes no new name either: this opener stays failed all the same.
    }
    return failure;
  }

  /** Open files do not tell that their directory was removed. True where that was found out just now, and who waits is to be told. */
  patrol(): boolean {
    const now = this.#clock.monotonic();
    if (now < this.#patrolAt || this.#gone !== undefined) return false;
    this.#patrolAt = now + PATROL_EVERY_MS;
    if (!this.#residence.isLost()) return false;
    this.#lost(undefined);
    return true;
  }

  #lost(cause: unknown): DurostoreError {
    this.#gone ??= directoryGone(this.#names.directory, cause);
    return this.#fail(this.#gone);
  }

  #fail(error: DurostoreError): DurostoreError {
    if (this.#first === undefined) {
      this.#first = error;
      this.onFailure(error);
    }
    return this.#first;
  }
}
