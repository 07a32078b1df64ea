import type { Disk, DiskFile } from './disk.js';
import { writeFully } from './write-fully.js';

/**
 * A file that gets its name when it is whole and on the device: until then it is written under a temporary one, which
 * whoever dies in between leaves behind.
 */
export class DraftFile {
  readonly #disk: Disk;
  readonly #temporary: string;
  readonly #file: DiskFile;
  #size = 0;

  private constructor(disk: Disk, temporary: string, file: DiskFile) {
    this.#disk = disk;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** Undefined where the temporary name is taken. */
  static create(disk: Disk, temporary: string): DraftFile | undefined {
    const file = disk.create(temporary);
    return file && new DraftFile(disk, temporary, file);
  }

  /** Bytes appended so far. */
  get size(): number {
    return this.#size;
  }

  append(bytes: Uint8Array, length = bytes.length): void {
    writeFully(this.#file, bytes, length, this.#size);
    this.#size += length;
  }

  /** Resolves when what was appended is on the device. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Gives it its name; false where that is taken. That the name is on the device too is left to the caller. */
  publish(path: string): boolean {
    return this.#disk.link(this.#temporary, path);
  }

  /** Takes the temporary name away, whether it was published or not. */
  close(): void {
    this.#file.close();
    this.#disk.unlink(this.#temporary);
  }
}
