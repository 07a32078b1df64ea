import { basename, dirname, resolve } from 'node:path';
import type { Disk } from './disk.js';
import type { MemoryDisk } from './memory.js';
import { MemoryDirectory } from './memory-directory.js';
import { ProcessDied, systemError } from './memory-error.js';
import type { Fault, OperationKind, PlacedBytes } from './memory-fault.js';
import { MemoryFile } from './memory-file.js';
import { Inode } from './memory-inode.js';

/** What a directory takes that is made and removed. Those that stores are in do not matter. */
const BLOCK_BYTES = 4096;

/** One process on a memory disk. */
export class MemoryOpener implements Disk {
  readonly name: string;
  readonly machine: MemoryDisk;
  readonly #files = new Set<MemoryFile>();
  readonly #watches = new Set<{ close(): void }>();
  #dead = false;

  constructor(machine: MemoryDisk, name: string) {
    this.machine = machine;
    this.name = name;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Dies by a signal: see `MemoryDisk.kill`. */
  die(): void {
    if (this.#dead) return;
    for (const file of [...this.#files]) file.close();
    for (const watch of [...this.#watches]) watch.close();
    this.#dead = true;
    this.machine.syncs.orphan(this, new ProcessDied(this.name));
    this.machine.kill(this);
  }

  open(path: string, access: 'read' | 'write'): MemoryFile | undefined {
    const fault = this.begin('open', path);
    const directory = this.machine.directoryAt(dirname(resolve(path)));
    const node = directory?.get(basename(path));
    if (node instanceof MemoryDirectory) throw systemError('EISDIR', 'open', path);
    const file = directory && node && this.#opened(path, directory, node, access);
    this.finish(fault);
    return file;
  }

  create(path: string): MemoryFile | undefined {
    const fault = this.begin('create', path);
    const directory = this.#directoryOf(path, 'create');
    let file: MemoryFile | undefined;
    if (directory.get(basename(path)) === undefined) {
      if (directory.bytes === 0 && this.machine.room.free <= 0) throw systemError('ENOSPC', 'create', path);
      const inode = new Inode(this.machine.room);
      this.#name(directory, path, inode);
      file = this.#opened(path, directory, inode, 'write');
    }
    this.finish(fault);
    return file;
  }

  exists(path: string): boolean {
    this.alive();
    return this.machine.lookup(path) !== undefined;
  }

  list(directory: string): string[] {
    const fault = this.begin('list', directory);
    const names = this.machine.directory(directory, 'list').names();
    this.finish(fault);
    return names;
  }

  makeDirectory(path: string): string[] {
    this.alive();
    return this.#make(resolve(path));
  }

  createDirectory(path: string): boolean {
    const fault = this.begin('createDirectory', path);
    const parent = this.#directoryOf(path, 'createDirectory');
    const free = parent.get(basename(path)) === undefined;
    if (free && this.machine.room.free < BLOCK_BYTES) throw systemError('ENOSPC', 'createDirectory', path);
    if (free) {
      this.#addDirectory(parent, path, BLOCK_BYTES);
      this.machine.room.take(BLOCK_BYTES);
    }
    this.finish(fault);
    return free;
  }

  removeDirectory(path: string): 'removed' | 'missing' | 'occupied' {
    const fault = this.begin('removeDirectory', path);
    const node = this.machine.lookup(path);
    if (node instanceof Inode) throw systemError('ENOTDIR', 'removeDirectory', path);
    const answer = node === undefined ? 'missing' : node.names().length > 0 ? 'occupied' : 'removed';
    if (answer === 'removed') {
      const parent = this.#directoryOf(path, 'removeDirectory');
      this.machine.room.take(-(node?.bytes ?? 0));
      parent.delete(basename(path));
      this.machine.forget(resolve(path));
      this.machine.changed(parent, path);
    }
    this.finish(fault);
    return answer;
  }

  modifiedAt(path: string): number | undefined {
    const fault = this.begin('modifiedAt', path);
    const at = this.machine.directoryAt(resolve(path))?.modifiedAt;
    this.finish(fault);
    return at;
  }

  setModifiedAt(path: string, at: number): boolean {
    const fault = this.begin('setModifiedAt', path);
    const directory = this.machine.directoryAt(resolve(path));
    if (directory !== undefined) directory.modifiedAt = at;
    this.finish(fault);
    return directory !== undefined;
  }

  link(from: string, to: string): boolean {
    const fault = this.begin('link', to);
    if (!this.machine.hardLinks) throw systemError('EPERM', 'link', to);
    const inode = this.machine.lookup(from);
    if (inode === undefined) throw systemError('ENOENT', 'link', from);
    if (!(inode instanceof Inode)) throw systemError('EPERM', 'link', from);
    const directory = this.#directoryOf(to, 'link');
    const free = directory.get(basename(to)) === undefined;
    if (free) this.#name(directory, to, inode);
    this.finish(fault);
    return free;
  }

  links(path: string): number {
    const inode = this.machine.lookup(path);
    if (inode === undefined) return 0;
    return [...this.machine.snapshot().keys()].filter((name) => this.machine.lookup(name) === inode).length;
  }

  rename(from: string, to: string): void {
    const fault = this.begin('rename', to);
    const source = this.#directoryOf(from, 'rename');
    const target = this.#directoryOf(to, 'rename');
    const inode = source.get(basename(from));
    if (inode === undefined) throw systemError('ENOENT', 'rename', from);
    const replaced = target.get(basename(to));
    if (!(inode instanceof Inode) || replaced instanceof MemoryDirectory)
      throw systemError('EISDIR', 'rename', to);
    this.#name(target, to, inode);
    source.delete(basename(from));
    inode.release();
    replaced?.release();
    this.finish(fault);
  }

  unlink(path: string): boolean {
    const fault = this.begin('unlink', path);
    const directory = this.machine.directoryAt(dirname(resolve(path)));
    const node = directory?.get(basename(path));
    if (node instanceof MemoryDirectory) throw systemError('EISDIR', 'unlink', path);
    if (directory && node) {
      directory.delete(basename(path));
      node.release();
      this.machine.changed(directory, path);
    }
    this.finish(fault);
    return node !== undefined;
  }

  async syncDirectory(path: string): Promise<void> {
    const fault = this.begin('syncDirectory', path);
    const directory = this.machine.directory(path, 'syncDirectory');
    const moment = directory.moment();
    await this.machine.syncs.begin(this, () => {
      directory.settle(moment);
      this.finish(fault);
    });
  }

  syncDirectoryNow(path: string): void {
    const fault = this.begin('syncDirectory', path);
    const directory = this.machine.directory(path, 'syncDirectory');
    directory.settle(directory.moment());
    this.finish(fault);
  }

  locality(directory: string): 'local' | 'unknown' {
    this.alive();
    this.machine.directory(directory, 'open');
    return this.machine.locality;
  }

  get canLock(): boolean {
    return this.machine.canLock;
  }

  bootId(): string {
    this.alive();
    return this.machine.bootId;
  }

  watch(path: string, notice: () => void, failed: (error: unknown) => void): { close(): void } {
    const fault = this.fault('watch', path);
    const directory = this.machine.directory(path, 'watch');
    const watch = {
      close: () => {
        this.#watches.delete(watch);
        directory.unwatch(notified);
      },
    };
    // Of its own for each watch, though two may share a `notice`.
    const notified = (): void => notice();
    this.#watches.add(watch);
    if (typeof fault === 'object' && 'error' in fault) {
      setImmediate(() => {
        if (!this.#watches.delete(watch)) return;
        failed(systemError(fault.error, 'watch', path));
      });
    } else {
      directory.watch(notified);
      this.machine.changed(directory, path);
    }
    this.finish(fault);
    return watch;
  }

  /** Throws where the process has died. */
  alive(): void {
    if (this.#dead) throw new ProcessDied(this.name);
  }

  /** Starts an operation. Its fault, if any, that is not an error; for `finish`. */
  begin(kind: OperationKind, path: string, write?: PlacedBytes): Fault | undefined {
    const fault = this.fault(kind, path, write);
    if (typeof fault === 'object' && 'error' in fault) throw systemError(fault.error, kind, path);
    return fault;
  }

  /** The same, leaving errors to the caller. */
  fault(kind: OperationKind, path: string, write?: PlacedBytes): Fault | undefined {
    this.alive();
    const fault = this.machine.operation(this.name, kind, path, write);
    if (fault === 'die') {
      this.die();
      throw new ProcessDied(this.name);
    }
    return fault;
  }

  /** Ends an operation that has taken effect. */
  finish(fault: Fault | undefined): void {
    if (fault === undefined) return;
    if (fault === 'die-after' || (typeof fault === 'object' && 'torn' in fault)) this.die();
    this.alive();
  }

  /** For files. */
  forget(file: MemoryFile): void {
    this.#files.delete(file);
  }

  #opened(path: string, directory: MemoryDirectory, inode: Inode, access: 'read' | 'write'): MemoryFile {
    const file = new MemoryFile(this, path, directory, inode, access);
    this.#files.add(file);
    return file;
  }

  #name(directory: MemoryDirectory, path: string, inode: Inode): void {
    directory.set(basename(path), inode);
    inode.retain();
    this.machine.changed(directory, path);
  }

  #make(path: string): string[] {
    if (this.machine.lookup(path) !== undefined) return [];
    const created = this.#make(dirname(path));
    const fault = this.begin('makeDirectory', path);
    const parent = this.machine.directory(dirname(path), 'makeDirectory');
    if (this.machine.room.free <= 0) throw systemError('ENOSPC', 'makeDirectory', path);
    this.#addDirectory(parent, path);
    this.finish(fault);
    return [...created, path];
  }

  #addDirectory(parent: MemoryDirectory, path: string, bytes?: number): void {
    parent.set(basename(path), new MemoryDirectory(bytes));
    this.machine.changed(parent, path);
  }

  #directoryOf(path: string, call: OperationKind): MemoryDirectory {
    return this.machine.directory(dirname(resolve(path)), call);
  }
}
