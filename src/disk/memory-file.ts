import { DurostoreError } from '../errors.js';
import type { DiskFile } from './disk.js';
import type { MemoryDirectory } from './memory-directory.js';
import { systemError } from './memory-error.js';
import type { Fault } from './memory-fault.js';
import type { Inode } from './memory-inode.js';
import type { MemoryOpener } from './memory-opener.js';

/** A file that a process on a memory disk has open. */
export class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #opener: MemoryOpener;
  readonly #directory: MemoryDirectory;
  readonly #inode: Inode;
  readonly #access: 'read' | 'write';
  #closed = false;

  constructor(
    opener: MemoryOpener,
    path: string,
    directory: MemoryDirectory,
    inode: Inode,
    access: 'read' | 'write',
  ) {
    this.path = path;
    this.#opener = opener;
    this.#directory = directory;
    this.#inode = inode;
    this.#access = access;
    inode.retain();
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    this.#open('read');
    const fault = this.#opener.begin('read', this.path);
    const count = this.#inode.read(into, offset, length, position);
    this.#opener.finish(fault);
    return count;
  }

  async readLater(into: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.read(into, offset, length, position);
  }

  write(bytes: Uint8Array, offset: number, length: number, position: number): number {
    this.#openForWriting('write');
    const what = { position, bytes: bytes.subarray(offset, offset + length) };
    const fault = this.#opener.begin('write', this.path, what);
    const count = Math.min(length, limit(fault));
    const taken = this.#inode.write(bytes, offset, count, position);
    if (taken > 0) this.#opener.machine.changed(this.#directory, this.path);
    this.#opener.finish(fault);
    if (taken === 0 && count > 0) throw systemError('ENOSPC', 'write', this.path);
    return taken;
  }

  size(): number {
    this.#open('fstat');
    return this.#inode.size;
  }

  truncate(size: number): void {
    this.#openForWriting('truncate');
    const fault = this.#opener.begin('truncate', this.path);
    this.#inode.truncate(size);
    this.#opener.machine.changed(this.#directory, this.path);
    this.#opener.finish(fault);
  }

  async sync(): Promise<void> {
    const settle = this.#beginSync();
    await this.#opener.machine.syncs.begin(this.#opener, settle);
  }

  syncNow(): void {
    this.#beginSync()();
  }

  tryLock(mode: 'shared' | 'exclusive'): boolean {
    this.#open('lock');
    if (!this.#opener.machine.canLock) {
      throw new DurostoreError('LOCK_UNAVAILABLE', 'This memory disk has no locks. Give it `canLock: true`');
    }
    const fault = this.#opener.begin('lock', this.path);
    if (mode === 'exclusive' && this.#inode.lockOf(this) === 'shared') {
      throw new Error(`${this.path}: a shared lock cannot be made exclusive`);
    }
    if (mode === 'exclusive' && this.#access === 'read') throw systemError('EBADF', 'lock', this.path);
    const locked = this.#inode.lock(this, mode);
    this.#opener.finish(fault);
    return locked;
  }

  unlock(): void {
    this.#inode.unlock(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inode.unlock(this);
    this.#inode.release();
    this.#opener.forget(this);
  }

  closeRemoved(): void {
    this.close();
  }

  /** What the sync reaches is decided now, when it takes effect by the caller. */
  #beginSync(): () => void {
    this.#open('sync');
    const { machine } = this.#opener;
    const fault = this.#opener.fault('sync', this.path);
    const moment = this.#inode.moment();
    return () => {
      if (typeof fault === 'object' && 'error' in fault) {
        const writes = fault.reached === 'some' ? 'random' : 'lose';
        this.#inode.forsake(moment, { writes, names: 'lose' }, machine.random);
        throw systemError(fault.error, 'sync', this.path);
      }
      this.#inode.settle(moment);
      if (machine.syncKeepsNames) this.#directory.settleNamesOf(this.#inode);
      this.#opener.finish(fault);
    };
  }

  #open(call: string): void {
    this.#opener.alive();
    if (this.#closed) throw systemError('EBADF', call, this.path);
  }

  #openForWriting(call: string): void {
    this.#open(call);
    if (this.#access === 'read') throw systemError('EBADF', call, this.path);
  }
}

const limit = (fault: Fault | undefined): number => {
  if (typeof fault !== 'object') return Number.POSITIVE_INFINITY;
  if ('short' in fault) return fault.short;
  return 'torn' in fault ? fault.torn : Number.POSITIVE_INFINITY;
};
