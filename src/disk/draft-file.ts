import { randomBytes } from 'node:crypto';
import type { Disk, DiskFile } from './disk.js';
import type { FileNames } from './file-names.js';
import { publishName } from './publish-name.js';
import { syncNow } from './sync-failure.js';
import { writeFully } from './write-fully.js';

/**
 * A file that gets its name when it is whole and on the device: until then it is written under a temporary one, which
 * whoever dies in between leaves behind.
 */
export class DraftFile {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #temporary: string;
  readonly #file: DiskFile;
  #size = 0;

  private constructor(disk: Disk, names: FileNames, temporary: string, file: DiskFile) {
    this.#disk = disk;
    this.#names = names;
    this.#temporary = temporary;
    this.#file = file;
  }

  static create(disk: Disk, names: FileNames): DraftFile {
    for (;;) {
      const temporary = names.temporary(randomBytes(8).toString('hex'));
      const file = disk.create(temporary);
      if (file !== undefined) return new DraftFile(disk, names, temporary, file);
    }
  }

  /** Bytes appended so far. */
  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array): void {
    writeFully(this.#file, bytes, bytes.length, this.#size);
    this.#size += bytes.length;
  }

  /** Resolves when what was appended is on the device. Rejects with what the disk says. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** The same, waiting in the calling thread. Throws SyncFailure. */
  syncNow(): void {
    syncNow(this.#file);
  }

  /** Gives it its name; false where that is taken. That the name is on the device too is left to the caller. */
  publish(path: string): boolean {
    // What has no links is renamed, which not every system does with an open file.
    this.#file.close();
    return publishName(this.#disk, this.#names, this.#temporary, path);
  }

  /** Takes the temporary name away, whether it was published or not. */
  close(): void {
    this.#file.close();
    this.#disk.unlink(this.#temporary);
  }
}
