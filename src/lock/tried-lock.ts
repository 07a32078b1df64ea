import type { Disk, DiskFile } from '../disk/disk.js';
import { openLockFile, tryLockFile } from './lock-file.js';

/** A lock that is tried and never waited for. Its file is opened when first tried. */
export class TriedLock {
  readonly #disk: Disk;
  readonly #path: string;
  #file: DiskFile | undefined;
  #held = false;

  constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  tryEnter(): boolean {
    // The system would grant the same open file twice.
    if (this.#held) return false;
    this.#file ??= openLockFile(this.#disk, this.#path);
    this.#held = tryLockFile(this.#file, 'exclusive');
    return this.#held;
  }

  leave(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#file?.unlock();
  }

  close(): void {
    this.#held = false;
    this.#file?.close();
    this.#file = undefined;
  }
}
