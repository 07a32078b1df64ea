import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { openExistingLockFile, openLockFile, tryLockFile } from './lock-file.js';

const LOWEST = 1;

/** Numbered lock files, each held by one living opener: that a slot is free tells the others that its holder is gone. */
export class Slots {
  readonly #disk: Disk;
  readonly #names: FileNames;
  /** Of slots that were held when they were probed. */
  readonly #probes = new Map<number, DiskFile>();
  #mine: { readonly number: number; readonly file: DiskFile } | undefined;

  constructor(disk: Disk, names: FileNames) {
    this.#disk = disk;
    this.#names = names;
  }

  take(): number {
    for (let number = LOWEST; this.#mine === undefined; number++) {
      const file = openLockFile(this.#disk, this.#names.slot(number));
      let taken = false;
      try {
        taken = tryLockFile(file, 'exclusive');
      } finally {
        if (!taken) file.close();
      }
      if (taken) this.#mine = { number, file };
    }
    return this.#mine.number;
  }

  /**
   * A slot without a file was never held. The probe has the file open on its own, for locks belong to the open file: so
   * its own slot is held, too. Probes share the lock, so that two of them do not see each other. Slots are probed again and
   * again, so the file of one that is held stays open: it is never another one's, for lock files are not removed.
   */
  isFree(number: number): boolean {
    const file = this.#probes.get(number) ?? openExistingLockFile(this.#disk, this.#names.slot(number));
    if (file === undefined) return true;
    let isHeld = false;
    try {
      isHeld = !tryLockFile(file, 'shared');
    } finally {
      if (isHeld) this.#probes.set(number, file);
      else {
        this.#probes.delete(number);
        file.close();
      }
    }
    return !isHeld;
  }

  close(): void {
    this.#mine?.file.close();
    this.#mine = undefined;
    for (const file of this.#probes.values()) file.close();
    this.#probes.clear();
  }
}
