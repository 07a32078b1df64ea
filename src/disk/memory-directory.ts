import { Inode, type Room } from './memory-inode.js';
import type { PowerCut } from './memory-power-cut.js';
import type { Random } from './memory-random.js';

export type Node = Inode | MemoryDirectory;

interface NameChange {
  readonly moment: number;
  readonly name: string;
  /** Undefined where the name was removed. */
  readonly node: Node | undefined;
}

/** The names in a directory: as processes see them, as they are on the device, and the changes between the two. */
export class MemoryDirectory {
  /** What it takes on the disk: a block, with room for a few names; nothing, where room does not matter. */
  readonly bytes: number;
  /** When names in it last changed, or what somebody set. */
  modifiedAt = Date.now();
  readonly #names = new Map<string, Node>();
  readonly #device = new Map<string, Node>();
  #unsynced: NameChange[] = [];
  #moment = 0;
  readonly #watches = new Set<() => void>();
  #noticed = false;

  constructor(bytes = 0) {
    this.bytes = bytes;
  }

  get(name: string): Node | undefined {
    return this.#names.get(name);
  }

  names(): string[] {
    return [...this.#names.keys()];
  }

  entries(): Iterable<[string, Node]> {
    return this.#names.entries();
  }

  set(name: string, node: Node): void {
    this.#names.set(name, node);
    this.#change(name, node);
  }

  delete(name: string): void {
    this.#names.delete(name);
    this.#change(name, undefined);
  }

  /** Names a point in time, for `settle`. */
  moment(): number {
    return this.#moment;
  }

  /** A sync that began at a moment succeeded. */
  settle(moment: number): void {
    this.#settleWhere((change) => change.moment <= moment);
  }

  /** What happened to the names that one file got is on the device. */
  settleNamesOf(inode: Inode): void {
    const named = new Set<string>();
    for (const { name, node } of this.#unsynced) if (node === inode) named.add(name);
    if (named.size > 0) this.#settleWhere(({ name }) => named.has(name));
  }

  cutPower(cut: PowerCut, random: Random): void {
    const { names } = cut;
    for (const [place, change] of this.#unsynced.entries()) {
      const kept =
        typeof names === 'function'
          ? names(place)
          : names === 'keep' || (names === 'random' && random() < 0.5);
      if (kept) apply(change, this.#device);
    }
    this.#unsynced = [];
    this.#names.clear();
    for (const [name, node] of this.#device) this.#names.set(name, node);
  }

  watch(notice: () => void): void {
    this.#watches.add(notice);
  }

  unwatch(notice: () => void): void {
    this.#watches.delete(notice);
  }

  /** Tells the watches, merged within a turn of the event loop. */
  notify(): void {
    if (this.#watches.size === 0 || this.#noticed) return;
    this.#noticed = true;
    setImmediate(() => {
      this.#noticed = false;
      for (const notice of [...this.#watches]) if (this.#watches.has(notice)) notice();
    });
  }

  /** The same, elsewhere, without watches. `copies` keeps files with two names one. */
  fork(room: Room, copies = new Map<Node, Node>()): MemoryDirectory {
    const fork = new MemoryDirectory(this.bytes);
    const copied = (node: Node): Node => {
      let copy = copies.get(node);
      if (copy === undefined) {
        copy = node instanceof Inode ? node.fork(room) : node.fork(room, copies);
        copies.set(node, copy);
      }
      return copy;
    };
    for (const [name, node] of this.#names) fork.#names.set(name, copied(node));
    for (const [name, node] of this.#device) fork.#device.set(name, copied(node));
    fork.#unsynced = this.#unsynced.map((change) => ({
      ...change,
      node: change.node && copied(change.node),
    }));
    fork.#moment = this.#moment;
    fork.modifiedAt = this.modifiedAt;
    return fork;
  }

  /** Names what is in it, and what of that is on the device: the same for the same. */
  digest(): string {
    const told = (names: Iterable<[string, Node]>): string[] =>
      [...names].map(([name, node]) => `${name}=${node.digest()}`).sort();
    return JSON.stringify([
      told(this.#names),
      told(this.#device),
      this.#unsynced.map(({ name, node }) => [name, node?.digest()]),
    ]);
  }

  #change(name: string, node: Node | undefined): void {
    this.modifiedAt = Date.now();
    this.#moment += 1;
    this.#unsynced.push({ moment: this.#moment, name, node });
  }

  #settleWhere(settles: (change: NameChange) => boolean): void {
    const remaining: NameChange[] = [];
    for (const change of this.#unsynced) {
      if (settles(change)) apply(change, this.#device);
      else remaining.push(change);
    }
    this.#unsynced = remaining;
  }
}

function apply({ name, node }: NameChange, to: Map<string, Node>): void {
  if (node === undefined) to.delete(name);
  else to.set(name, node);
}
