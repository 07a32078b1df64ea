import { createHash } from 'node:crypto';
import { GrowingBytes } from './memory-bytes.js';
import { apply, type Change, type PowerCut, survive } from './memory-power-cut.js';
import type { Random } from './memory-random.js';

/** Who counts the bytes that files take. */
export interface Room {
  /** Whether it matters what of a file was synced. */
  readonly keepsChanges: boolean;
  readonly free: number;
  take(bytes: number): void;
}

/** A file without its name: what processes see of it, what is on the device, and the changes between the two. */
export class Inode {
  readonly #room: Room;
  #cache = new GrowingBytes();
  #device = new GrowingBytes();
  #unsynced: Change[] = [];
  /** How many changes have left `#unsynced`. */
  #settled = 0;
  /** Bytes that have their place on the device; growing by `truncate` gives none. A hole counts as a place. */
  #allocated = 0;
  /** Names and open files that keep it. */
  #references = 0;
  /** Of its content, until that changes. */
  #digest: string | undefined;
  readonly #lockers = new Map<object, 'shared' | 'exclusive'>();

  constructor(room: Room) {
    this.#room = room;
  }

  get size(): number {
    return this.#cache.size;
  }

  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#cache.read(into, offset, length, position);
  }

  /** How many of the bytes found room. */
  write(bytes: Uint8Array, offset: number, length: number, position: number): number {
    const growth = position + length - this.#allocated;
    const taken = growth > this.#room.free ? length - (growth - this.#room.free) : length;
    if (taken <= 0) return 0;
    this.#allocate(Math.max(this.#allocated, position + taken));
    // Not `bytes.slice`: a Buffer's is a view, and writers use their buffers again.
    const copy = Uint8Array.prototype.slice.call(bytes, offset, offset + taken);
    this.#digest = undefined;
    this.#cache.write(copy, position);
    if (this.#room.keepsChanges) this.#unsynced.push({ kind: 'write', position, bytes: copy });
    return taken;
  }

  truncate(size: number): void {
    this.#digest = undefined;
    this.#cache.resize(size);
    this.#allocate(Math.min(this.#allocated, size));
    if (this.#room.keepsChanges) this.#unsynced.push({ kind: 'truncate', size });
  }

  /** Names a point in time, for `settle` and `forsake`. */
  moment(): number {
    return this.#settled + this.#unsynced.length;
  }

  /** A sync that began at a moment succeeded. */
  settle(moment: number): void {
    for (const change of this.#takeUntil(moment)) apply(change, this.#device);
  }

  /**
   * A sync that began at a moment failed. As Linux has it, the pages count as clean from then on: they can still be
   * read, but no later sync writes them. `reached` of them may have got to the device.
   */
  forsake(moment: number, reached: PowerCut, random: Random): void {
    survive(this.#takeUntil(moment), this.#device, reached, random);
  }

  /** Forgets pages that count as clean: from now on reading tells what the device has. */
  evict(): void {
    this.#digest = undefined;
    this.#cache = this.#device.copy();
    for (const change of this.#unsynced) apply(change, this.#cache);
  }

  /** Back from the device. Takes no room: that is counted anew when the names are known. */
  cutPower(cut: PowerCut, random: Random): void {
    const digest = this.#unsynced.length === 0 && this.#isOnDevice ? this.#digest : undefined;
    survive(this.#takeUntil(this.moment()), this.#device, cut, random);
    this.#digest = digest;
    this.#cache = this.#device.copy();
    this.#allocated = this.#cache.size;
    this.#references = 0;
  }

  /** What keeps it, and the room it takes, are its names alone: no file is open after a power cut or a fork. */
  recount(): void {
    if (this.#references === 0) this.#room.take(this.#allocated);
    this.#references += 1;
  }

  /** False where another holds it in a conflicting way; then `who` keeps what it has. */
  lock(who: object, mode: 'shared' | 'exclusive'): boolean {
    for (const [other, held] of this.#lockers) {
      if (other !== who && (mode === 'exclusive' || held === 'exclusive')) return false;
    }
    this.#lockers.set(who, mode);
    return true;
  }

  lockOf(who: object): 'shared' | 'exclusive' | undefined {
    return this.#lockers.get(who);
  }

  unlock(who: object): void {
    this.#lockers.delete(who);
  }

  retain(): void {
    this.#references += 1;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references === 0) this.#allocate(0);
  }

  view(): Uint8Array {
    return this.#cache.view();
  }

  /** Damage: bytes change on the device and in the cache, and nobody is told. */
  damage(position: number, bytes: Uint8Array): void {
    this.#digest = undefined;
    this.#cache.write(bytes, position);
    if (position + bytes.length <= this.#device.size) this.#device.write(bytes, position);
  }

  /** The same, elsewhere, without locks and open files. */
  fork(room: Room): Inode {
    const fork = new Inode(room);
    fork.#cache = this.#cache.copy();
    fork.#device = this.#device.copy();
    fork.#unsynced = this.#unsynced.slice();
    fork.#allocated = this.#allocated;
    fork.#digest = this.#digest;
    return fork;
  }

  /** Names what is in it, and what of that is on the device: the same for the same. */
  digest(): string {
    if (this.#digest === undefined) {
      const hash = createHash('sha1').update(`${this.#cache.size} ${this.#device.size} `);
      hash.update(this.#cache.view());
      if (!this.#isOnDevice) hash.update(this.#device.view());
      for (const change of this.#unsynced) {
        hash.update(
          change.kind === 'write' ? `w${change.position} ${change.bytes.length} ` : `t${change.size} `,
        );
        if (change.kind === 'write') hash.update(change.bytes);
      }
      this.#digest = hash.digest('base64');
    }
    return this.#digest;
  }

  get #isOnDevice(): boolean {
    return Buffer.compare(this.#cache.view(), this.#device.view()) === 0;
  }

  #takeUntil(moment: number): Change[] {
    const count = Math.max(0, moment - this.#settled);
    if (count > 0) this.#digest = undefined;
    this.#settled += count;
    if (count < this.#unsynced.length) return this.#unsynced.splice(0, count);
    const all = this.#unsynced;
    this.#unsynced = [];
    return all;
  }

  #allocate(bytes: number): void {
    this.#room.take(bytes - this.#allocated);
    this.#allocated = bytes;
  }
}
