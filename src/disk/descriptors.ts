import { DurostoreError } from '../errors.js';
import type { Disk, DiskFile } from './disk.js';

interface Held {
  readonly file: DiskFile;
  pins: number;
  /** Greater the later it was used. */
  usedAt: number;
}

/**
 * Open files by path, the least recently used closed first, so that thousands of segments cost a bounded number of
 * descriptors. A file that was unlinked by others stays readable for as long as it is held here.
 */
export class Descriptors {
  readonly #disk: Disk;
  readonly #capacity: number;
  readonly #held = new Map<string, Held>();
  #uses = 0;
  #closed = false;

  constructor(disk: Disk, capacity: number) {
    this.#disk = disk;
    this.#capacity = capacity;
  }

  /**
   * The file, open for writing where permissions allow, for reading otherwise; undefined where it does not exist.
   * Lent until the next call of this object: for anything that spans an `await`, `pin` it.
   */
  get(path: string): DiskFile | undefined {
    const held = this.#held.get(path);
    if (held !== undefined) {
      this.#uses += 1;
      held.usedAt = this.#uses;
      return held.file;
    }
    // ⚑ Whoever comes back from a wait after the end must not open anything that nobody closes.
    if (this.#closed) throw new DurostoreError('CLOSED', `${path} is closed here: open the store again`);
    const file = this.withRoom(() => this.#open(path));
    if (file !== undefined) this.keep(file);
    return file;
  }

  /** Takes over an open file. */
  keep(file: DiskFile): void {
    this.forget(file.path);
    this.#uses += 1;
    this.#held.set(file.path, { file, pins: 0, usedAt: this.#uses });
    this.#evict();
  }

  /** Keeps a file open until the returned function is called. */
  pin(path: string): { file: DiskFile; unpin: () => void } | undefined {
    const file = this.get(path);
    const held = this.#held.get(path);
    if (file === undefined || held === undefined) return undefined;
    held.pins += 1;
    return {
      file,
      unpin: () => {
        held.pins -= 1;
        if (held.pins === 0 && this.#held.get(path) !== held) held.file.close();
      },
    };
  }

  /** Opens something; where this process has no descriptor left, again after all that are not pinned were let go of. */
  withRoom<T>(open: () => T): T {
    try {
      return open();
    } catch (error) {
      if (!isOutOfDescriptors(error) || !this.#letGo()) throw error;
      return open();
    }
  }

  /** Syncs a directory, which takes a descriptor. */
  async syncDirectory(directory: string): Promise<void> {
    try {
      await this.#disk.syncDirectory(directory);
    } catch (error) {
      if (!isOutOfDescriptors(error) || !this.#letGo()) throw error;
      await this.#disk.syncDirectory(directory);
    }
  }

  /** Whether there was something to let go of. The newest is lent to somebody. */
  #letGo(): boolean {
    const before = this.#held.size;
    for (const [path, { pins, usedAt }] of [...this.#held])
      if (pins === 0 && usedAt !== this.#uses) this.forget(path);
    return this.#held.size < before;
  }

  forget(path: string): void {
    const held = this.#held.get(path);
    if (held === undefined) return;
    this.#held.delete(path);
    if (held.pins === 0) held.file.close();
  }

  /** The same of a file that was unlinked, by whoever. */
  forgetRemoved(path: string): void {
    const held = this.#held.get(path);
    if (held === undefined) return;
    this.#held.delete(path);
    if (held.pins === 0) held.file.closeRemoved();
  }

  /** Closes all; what is asked for then is opened again. */
  forgetAll(): void {
    for (const path of [...this.#held.keys()]) this.forget(path);
  }

  /** Nothing is opened any more. */
  close(): void {
    this.#closed = true;
    this.forgetAll();
  }

  #open(path: string): DiskFile | undefined {
    try {
      return this.#disk.open(path, 'write');
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM') throw error;
      return this.#disk.open(path, 'read');
    }
  }

  #evict(): void {
    if (this.#held.size <= this.#capacity) return;
    for (const [path, { pins, usedAt }] of [...this.#held].sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
      if (this.#held.size <= this.#capacity) return;
      if (pins === 0 && usedAt !== this.#uses) this.forget(path);
    }
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return code === 'EMFILE' || code === 'ENFILE';
}
