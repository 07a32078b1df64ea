import { basename, join } from 'node:path';
import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { syncNow } from '../disk/sync-failure.js';
import { writeFully } from '../disk/write-fully.js';

const CHUNK_BYTES = 1024 * 1024;

/**
 * Where a repair puts the bytes that it is going to change, before it changes them: a directory of its own, with a file for
 * each stretch of bytes, named after the file and the position that they stood at. What is in it is on the device when
 * `copy` returns; a copy that fails ends the repair before anything was changed.
 */
export class SideDirectory {
  readonly #disk: Disk;
  readonly #names: FileNames;
  #path: string | undefined;

  constructor(disk: Disk, names: FileNames) {
    this.#disk = disk;
    this.#names = names;
  }

  /** Copies `length` bytes from a position on, or as many as there are. */
  copy(path: string, position = 0, length = Number.POSITIVE_INFINITY): void {
    const from = this.#disk.open(path, 'read');
    if (from === undefined) return;
    try {
      const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
      const directory = this.#directory();
      const target = join(directory, `${basename(path)}.${position}`);
      // Two findings may be about the same bytes.
      const to = this.#disk.create(target);
      if (to === undefined) return;
      try {
        for (let done = 0; done < length; ) {
          const read = from.read(bytes, 0, Math.min(CHUNK_BYTES, length - done), position + done);
          if (read === 0) break;
          writeFully(to, bytes, read, done);
          done += read;
        }
        syncNow(to);
      } finally {
        to.close();
      }
      this.#disk.syncDirectoryNow(directory);
    } finally {
      from.close();
    }
  }

  /** Made when it is needed: the lowest number that is free. */
  #directory(): string {
    for (let number = 1; this.#path === undefined; number++) {
      const path = this.#names.repair(number);
      if (this.#disk.exists(path)) continue;
      this.#disk.makeDirectory(path);
      this.#disk.syncDirectoryNow(this.#names.directory);
      this.#path = path;
    }
    return this.#path;
  }
}
