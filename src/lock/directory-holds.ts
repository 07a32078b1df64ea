import type { Disk } from '../disk/disk.js';
import type { FileNames, HoldKind } from '../disk/file-names.js';
import { type Hold, type Holds, heldAmong } from './holds.js';
import { LockDirectory } from './lock-directory.js';

/**
 * By lock directories, one a name, each with a sign of life of its own. They are taken away without a fence: what was done by who
 * held one is judged by the lock under which it was done.
 */
export class DirectoryHolds implements Holds {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #staleMs: number;
  readonly #taken = new Set<LockDirectory>();

  constructor(disk: Disk, names: FileNames, staleMs: number) {
    this.#disk = disk;
    this.#names = names;
    this.#staleMs = staleMs;
  }

  tryHold(path: string): Hold | undefined {
    const directory = this.#directory(path);
    if (!directory.tryTake()) return undefined;
    this.#taken.add(directory);
    return {
      isStillHeld: () => this.#taken.has(directory) && !directory.isLost && directory.isStillOwned,
      release: () => {
        if (this.#taken.delete(directory)) directory.release();
      },
    };
  }

  isHeld(path: string): boolean {
    return this.#directory(path).isHeldBySomebody;
  }

  held(kind: HoldKind, name?: string): Map<string, number[]> {
    const listed = this.#disk.list(this.#names.directory);
    return heldAmong(listed, this.#names, kind, name, (path) => this.isHeld(path));
  }

  close(): void {
    for (const directory of this.#taken) directory.release();
    this.#taken.clear();
  }

  #directory(path: string): LockDirectory {
    return new LockDirectory(this.#disk, this.#names, this.#staleMs, path, () => {});
  }
}
