import { createHash } from 'node:crypto';
import { basename, dirname, resolve } from 'node:path';
import { MemoryDirectory, type Node } from './memory-directory.js';
import { systemError } from './memory-error.js';
import type { Fault, Operation, OperationKind, PlacedBytes } from './memory-fault.js';
import { Inode, type Room } from './memory-inode.js';
import { MemoryOpener } from './memory-opener.js';
import type { PowerCut } from './memory-power-cut.js';
import { type Random, seeded } from './memory-random.js';
import { Syncs } from './memory-syncs.js';
import { isNews } from './news.js';

export interface MemoryDiskOptions {
  /** Decides what `random` in a power cut means. */
  readonly seed?: number;
  readonly canLock?: boolean;
  /** Whether files can have two names. Default true; without, `link` gets EPERM. */
  readonly hardLinks?: boolean;
  readonly locality?: 'local' | 'unknown';
  /** Writes and creations beyond it get ENOSPC; a write first takes what fits. */
  readonly capacityBytes?: number;
  /** How much time passes whenever a process is killed, as far as directories tell. Default 0. */
  readonly deathTakesMs?: number;
  /** Whether power can be cut. Default true; without, what is written counts as on the device, and costs its bytes but once. */
  readonly cutsPower?: boolean;
  /** Whether syncing a file makes the names it got durable too, as some file systems have it. Default false. */
  readonly syncKeepsNames?: boolean;
}

const OFF_MS = 3_600_000;

/**
 * A machine in memory, for tests: files that several processes share, that knows what was synced, loses power, fills
 * up and fails on command. Each process is an `opener`, and each opener is a `Disk`.
 */
export class MemoryDisk {
  readonly canLock: boolean;
  readonly hardLinks: boolean;
  readonly locality: 'local' | 'unknown';
  readonly syncKeepsNames: boolean;
  readonly deathTakesMs: number;
  capacityBytes: number;
  /** Asked before each operation. */
  onOperation: ((operation: Operation) => Fault | undefined) | undefined;
  /** Whether watches hear anything. */
  notices: 'deliver' | 'drop' = 'deliver';
  /** Syncs under way, which a test may hold back and release. */
  readonly syncs = new Syncs();
  /** How many operations there were. */
  operations = 0;
  readonly room: Room;
  readonly random: Random;
  readonly #openers = new Set<MemoryOpener>();
  #root = new MemoryDirectory();
  /** By path. */
  readonly #directories = new Map<string, MemoryDirectory>();
  #used = 0;
  #boot = 1;
  #named = 0;

  constructor(options: MemoryDiskOptions = {}) {
    this.canLock = options.canLock ?? true;
    this.hardLinks = options.hardLinks ?? true;
    this.locality = options.locality ?? 'local';
    this.syncKeepsNames = options.syncKeepsNames ?? false;
    this.deathTakesMs = options.deathTakesMs ?? 0;
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY;
    this.random = seeded(options.seed ?? 1);
    const machine = this;
    this.room = {
      keepsChanges: options.cutsPower ?? true,
      get free() {
        return machine.capacityBytes - machine.#used;
      },
      take(bytes) {
        machine.#used += bytes;
      },
    };
  }

  get usedBytes(): number {
    return this.#used;
  }

  get bootId(): string {
    return `boot-${this.#boot}`;
  }

  /** A process. */
  opener(name?: string): MemoryOpener {
    this.#named += 1;
    const opener = new MemoryOpener(this, name ?? `process ${this.#named}`);
    this.#openers.add(opener);
    return opener;
  }

  /** A process dies by a signal: its files are closed, its locks free; what it wrote stays, synced or not. */
  kill(opener: MemoryOpener): void {
    if (this.#openers.delete(opener) && this.deathTakesMs > 0) this.age(this.deathTakesMs);
    opener.die();
  }

  /** As if so much time had passed since anything changed in any directory. */
  age(ms: number): void {
    const age = (directory: MemoryDirectory): void => {
      directory.modifiedAt -= ms;
      for (const [, child] of directory.entries()) if (child instanceof MemoryDirectory) age(child);
    };
    age(this.#root);
  }

  /** All processes die, and what was not synced survives or not. The machine stays off for an hour. */
  powerCut(cut: PowerCut): void {
    if (!this.room.keepsChanges) throw new Error('this memory disk does not know what was synced');
    for (const opener of [...this.#openers]) this.kill(opener);
    this.syncs.abandon();
    this.#directories.clear();
    const random = cut.seed === undefined ? this.random : seeded(cut.seed);
    const survive = (node: Node): void => {
      node.cutPower(cut, random);
      if (node instanceof MemoryDirectory) for (const [, child] of node.entries()) survive(child);
    };
    survive(this.#root);
    this.age(OFF_MS);
    this.#recount();
    this.#boot += 1;
  }

  /** What was read since it was last synced without success is read from the device again. */
  evict(): void {
    for (const [, inode] of this.#files()) inode.evict();
  }

  /** Another machine in the same state, without its processes: one history, cut in many ways. */
  fork(seed: number): MemoryDisk {
    const fork = new MemoryDisk({
      seed,
      canLock: this.canLock,
      hardLinks: this.hardLinks,
      locality: this.locality,
      capacityBytes: this.capacityBytes,
      syncKeepsNames: this.syncKeepsNames,
      deathTakesMs: this.deathTakesMs,
    });
    fork.#root = this.#root.fork(fork.room);
    fork.#boot = this.#boot;
    fork.#recount();
    return fork;
  }

  /** Names the state that all files and names are in, what of it is on the device too: the same for the same. */
  digest(): string {
    return createHash('sha1').update(this.#root.digest()).digest('base64');
  }

  /** The bytes of all files by path, as processes see them. */
  snapshot(): Map<string, Uint8Array> {
    return new Map([...this.#files()].map(([path, inode]) => [path, inode.view().slice()]));
  }

  /** The bytes of a file as processes see them; undefined where there is none. */
  bytes(path: string): Uint8Array | undefined {
    const node = this.lookup(path);
    return node instanceof Inode ? node.view().slice() : undefined;
  }

  /** Flips bits of a byte, on the device too, without anybody noticing. */
  flip(path: string, position: number, mask = 0xff): void {
    const node = this.lookup(path);
    if (!(node instanceof Inode) || position >= node.size) throw systemError('ENOENT', 'flip', path);
    node.damage(position, Uint8Array.of((node.view()[position] ?? 0) ^ mask));
  }

  /** Puts a file there, synced, in place of what was there. Its directory is made where it is missing. */
  put(path: string, bytes: Uint8Array): void {
    const opener = this.opener('put');
    const hook = this.onOperation;
    this.onOperation = undefined;
    opener.makeDirectory(dirname(path));
    opener.unlink(path);
    const file = opener.create(path);
    file?.write(bytes, 0, bytes.length, 0);
    file?.syncNow();
    for (let at = dirname(resolve(path)); ; at = dirname(at)) {
      opener.syncDirectoryNow(at);
      if (at === dirname(at)) break;
    }
    this.kill(opener);
    this.onOperation = hook;
  }

  /** Counts an operation and asks for its fault. For openers. */
  operation(opener: string, kind: OperationKind, path: string, write?: PlacedBytes): Fault | undefined {
    this.operations += 1;
    return this.onOperation?.({ opener, n: this.operations, kind, path, ...(write && { write }) });
  }

  /** For openers, as is what follows. */
  lookup(path: string): Node | undefined {
    const absolute = resolve(path);
    const parent = dirname(absolute);
    if (parent === absolute) return this.#root;
    return this.directoryAt(parent)?.get(basename(absolute));
  }

  directoryAt(path: string): MemoryDirectory | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const node = this.lookup(path);
    if (!(node instanceof MemoryDirectory)) return undefined;
    this.#directories.set(path, node);
    return node;
  }

  /** Throws ENOENT or ENOTDIR where there is no such directory. */
  directory(path: string, call: OperationKind): MemoryDirectory {
    const node = this.directoryAt(path) ?? this.lookup(path);
    if (node instanceof MemoryDirectory) return node;
    throw systemError(node === undefined ? 'ENOENT' : 'ENOTDIR', call, path);
  }

  /** The directory there is no more. */
  forget(path: string): void {
    this.#directories.delete(path);
  }

  changed(directory: MemoryDirectory, path: string): void {
    if (this.notices === 'deliver' && isNews(path)) directory.notify();
  }

  #files(): Map<string, Inode> {
    const files = new Map<string, Inode>();
    const walk = (path: string, directory: MemoryDirectory): void => {
      for (const [name, node] of directory.entries()) {
        const child = resolve(path, name);
        if (node instanceof Inode) files.set(child, node);
        else walk(child, node);
      }
    };
    walk(resolve('/'), this.#root);
    return files;
  }

  #recount(): void {
    this.#used = 0;
    for (const [, inode] of this.#files()) inode.recount();
    const count = (directory: MemoryDirectory): void => {
      this.#used += directory.bytes;
      for (const [, child] of directory.entries()) if (child instanceof MemoryDirectory) count(child);
    };
    count(this.#root);
  }
}
