import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  read,
  readSync,
  writeSync,
} from 'node:fs';
import type { DiskFile } from './disk.js';
import { osLocks } from './os-lock.js';

/** No call on it ever reaches a file: the system may have given the number of a closed descriptor to another. */
const CLOSED = -1;

export class OsFile implements DiskFile {
  readonly path: string;
  #fd: number;
  #held: 'shared' | 'exclusive' | undefined;
  #syncing = 0;

  constructor(path: string, flags: 'r' | 'r+' | 'wx+') {
    this.path = path;
    this.#fd = openSync(path, flags);
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return readSync(this.#fd, into, offset, length, position);
  }

  readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return new Promise((done, refuse) => {
      read(this.#fd, into, offset, length, position, (error, count) => {
        if (error === null) done(count);
        else refuse(error);
      });
    });
  }

  write(bytes: Uint8Array, offset: number, length: number, position: number): number {
    return writeSync(this.#fd, bytes, offset, length, position);
  }

  size(): number {
    return fstatSync(this.#fd).size;
  }

  truncate(size: number): void {
    ftruncateSync(this.#fd, size);
  }

  sync(): Promise<void> {
    const fd = this.#fd;
    return new Promise((done, refuse) => {
      fdatasync(fd, (error) => {
        this.#syncing -= 1;
        // A descriptor closed while its sync waits for a thread would have the sync reach another file, or none.
        if (this.#fd === CLOSED && this.#syncing === 0) closeSync(fd);
        if (error === null) done();
        else refuse(error);
      });
      this.#syncing += 1;
    });
  }

  syncNow(): void {
    fdatasyncSync(this.#fd);
  }

  tryLock(mode: 'shared' | 'exclusive'): boolean {
    if (this.#held === mode) return true;
    const locks = osLocks();
    if (this.#held === 'exclusive') {
      // Refused or failed, macOS has let the exclusive lock go as well.
      this.#held = undefined;
      if (locks.downgrade(this.#fd)) this.#held = 'shared';
      return this.#held === 'shared';
    }
    if (this.#held === 'shared') throw new Error(`${this.path}: a shared lock cannot be made exclusive`);
    if (!locks.tryLock(this.#fd, mode)) return false;
    this.#held = mode;
    return true;
  }

  unlock(): void {
    if (this.#held === undefined) return;
    this.#held = undefined;
    osLocks().unlock(this.#fd);
  }

  close(): void {
    if (this.#fd === CLOSED) return;
    this.unlock();
    const fd = this.#fd;
    this.#fd = CLOSED;
    if (this.#syncing === 0) closeSync(fd);
  }

  closeRemoved(): void {
    if (this.#fd === CLOSED) return;
    this.unlock();
    const fd = this.#fd;
    this.#fd = CLOSED;
    // Nothing that may fail here is anybody's: the file has no name any more.
    if (this.#syncing === 0) close(fd, () => {});
  }
}
