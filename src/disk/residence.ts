import { DurostoreError } from '../errors.js';
import type { Disk } from './disk.js';
import type { FileNames } from './file-names.js';

const LARGEST_META = 4096;

/**
 * Whether the directory still holds the store that was opened. Open files outlive their names: who has them writes on into a
 * directory that was removed, and nobody will see it; and where somebody has made a new store in its place, names that are
 * created or removed are that one's. So who does either asks first.
 */
export class Residence {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #mark: string;

  constructor(disk: Disk, names: FileNames, storeId: Buffer) {
    this.#disk = disk;
    this.#names = names;
    this.#mark = `"id":"${storeId.toString('hex')}"`;
  }

  /** Throws STORE_FAILED where the store was removed or replaced; what the disk says where that cannot be told. */
  assert(): void {
    if (!this.#isThere()) throw directoryGone(this.#names.directory);
  }

  /** Whether the store is known to have been removed or replaced. */
  isLost(): boolean {
    try {
      return !this.#isThere();
    } catch {
      return false;
    }
  }

  #isThere(): boolean {
    const file = this.#disk.open(this.#names.meta(), 'read');
    if (file === undefined) return false;
    try {
      const bytes = Buffer.alloc(LARGEST_META);
      return bytes.toString('utf8', 0, file.read(bytes, 0, LARGEST_META, 0)).includes(this.#mark);
    } finally {
      file.close();
    }
  }
}

export const directoryGone = (directory: string, cause?: unknown): DurostoreError =>
  new DurostoreError(
    'STORE_FAILED',
    `${directory} was removed or replaced while it was open: what was in it is gone. Reopen the store to begin a new one`,
    cause,
  );
