import type { DiskFile } from './disk.js';
import { writeFully } from './write-fully.js';

const STEP_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(STEP_BYTES);

/**
 * Fills a file with zeros ahead of what is appended. A synced write over them need not journal a new size: 79 µs against
 * 124 (measured). The zeros reach the device with the first commit over them. `ftruncate` would not do: it reserves
 * nothing.
 */
export class PreparedSpace {
  /** How far the file is known to reach, records and zeros. Others may have prepared more. */
  #reach = 0;
  #path = '';

  /** Sees to it that `[end, end + bytes)` is prepared, if there is room below `limit` and on the disk. */
  ensure(file: DiskFile, end: number, bytes: number, limit: number): void {
    const needed = end + bytes;
    if (this.#path === file.path && needed <= this.#reach) return;
    this.#path = file.path;
    this.#reach = file.size();
    if (needed <= this.#reach) return;
    const length = Math.min(STEP_BYTES, limit - needed);
    if (length <= 0) return;
    try {
      writeFully(file, ZEROS, length, needed);
      this.#reach = needed + length;
    } catch {
      // No room to prepare: what is appended may still fit.
      this.forget();
    }
  }

  /** To be called when the file was cut, or may have been. */
  forget(): void {
    this.#path = '';
  }
}
