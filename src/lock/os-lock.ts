import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames, HoldKind } from '../disk/file-names.js';
import { Arrival } from './arrival.js';
import { FileHolds, type Hold } from './holds.js';
import { locksClosed, openLockFile } from './lock-file.js';
import type { Locks } from './locks.js';
import { QueuedLock } from './queued-lock.js';
import { Slots } from './slots.js';
import { TriedLock } from './tried-lock.js';
import { Turnstile } from './turnstile.js';

/** Locks of the operating system: freed by the kernel when their holder dies, never taken from one that sleeps. */
export function openOsLocks(disk: Disk, names: FileNames): Locks {
  const opened: { close(): void }[] = [];
  const keep = <T extends { close(): void }>(part: T): T => {
    opened.push(part);
    return part;
  };
  const file = (path: string): DiskFile => keep(openLockFile(disk, path));
  try {
    const arrival = keep(new Arrival(disk, names));
    const writeGate = new Turnstile(file(names.lock('write.turn')), file(names.lock('write')));
    const fateGate = new Turnstile(file(names.lock('fate.turn')), file(names.lock('fate')));
    return new OsLocks(disk, names, arrival, writeGate, fateGate);
  } catch (error) {
    for (const part of opened) part.close();
    throw error;
  }
}

class OsLocks implements Locks {
  readonly mode = 'os';
  readonly isAlone = false;
  readonly tenure = 0;
  readonly write: QueuedLock;
  readonly fate: QueuedLock;
  readonly shorten: TriedLock;
  readonly #arrival: Arrival;
  readonly #slots: Slots;
  readonly #holds: FileHolds;
  readonly #directory: string;
  #closed = false;

  constructor(disk: Disk, names: FileNames, arrival: Arrival, writeGate: Turnstile, fateGate: Turnstile) {
    this.#directory = names.directory;
    this.#arrival = arrival;
    this.write = new QueuedLock(writeGate, names.directory);
    this.fate = new QueuedLock(fateGate, names.directory, this.write);
    this.shorten = new TriedLock(disk, names.lock('shorten'));
    this.#slots = new Slots(disk, names);
    this.#holds = new FileHolds(disk, names);
  }

  arrive(signal?: AbortSignal): Promise<'first' | 'later'> {
    return this.#arrival.arrive(signal);
  }

  settle(): void {
    this.#arrival.settle();
  }

  isStillHeld(): boolean {
    return true;
  }

  renounce(): void {}

  takeSlot(): number {
    this.#assertOpen();
    return this.#slots.take();
  }

  slotIsFree(slot: number): boolean {
    this.#assertOpen();
    return this.#slots.isFree(slot);
  }

  tryHold(path: string): Hold | undefined {
    this.#assertOpen();
    return this.#holds.tryHold(path);
  }

  isHeld(path: string): boolean {
    this.#assertOpen();
    return this.#holds.isHeld(path);
  }

  held(kind: HoldKind, name?: string): Map<string, number[]> {
    this.#assertOpen();
    return this.#holds.held(kind, name);
  }

  /** The alive lock goes last: whoever then comes first finds everything else free. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#holds.close();
    this.write.close();
    this.fate.close();
    this.shorten.close();
    this.#slots.close();
    this.#arrival.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw locksClosed(this.#directory);
  }
}
