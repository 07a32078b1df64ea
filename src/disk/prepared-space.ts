import type { DiskFile } from './disk.js';
import { writeFully } from './write-fully.js';

/**
 * Fills a file with zeros ahead of what is appended. A synced write over them need not journal a new size: 79 µs against
 * 124 (measured). And what is written over them needs no room on the disk. The zeros reach the device with the first
 * commit over them. `ftruncate` would not do: it reserves nothing.
 */
export class PreparedSpace {
  readonly #zeros: Buffer;
  /** How far the file is known to reach, records and zeros. Others may have prepared more. */
  #reach = 0;
  #path = '';
  #refused = false;

  /** Prepares `step` bytes at a time. */
  constructor(step: number) {
    this.#zeros = Buffer.alloc(step);
  }

  /** Whether the last time that space was wanted there was no room on the disk. */
  get isRefused(): boolean {
    return this.#refused;
  }

  /** Sees to it that `[end, end + bytes)` is prepared, if there is room below `limit` and on the disk. */
  ensure(file: DiskFile, end: number, bytes: number, limit: number): void {
    const needed = end + bytes;
    if (this.#path === file.path && needed <= this.#reach) return;
    this.#path = file.path;
    this.#reach = file.size();
    this.#refused = false;
    if (needed <= this.#reach) return;
    const from = Math.max(end, this.#reach);
    const length = Math.min(this.#zeros.length, limit - from);
    if (length <= 0) return;
    try {
      writeFully(file, this.#zeros, length, from);
      this.#reach = from + length;
    } catch {
      // No room to prepare: what is appended may still fit.
      this.#path = '';
      this.#refused = true;
    }
  }

  /** To be called when the file was cut, or may have been. */
  forget(): void {
    this.#path = '';
  }
}
