import { randomBytes } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Disk } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';

/**
 * A directory that belongs to whose file is in it, which makes taking it away a compare-and-remove. A directory alone has
 * no identity: who found it stale, and was slow to remove it, would remove the one that somebody else made in its place.
 *
 * ⚑ It is had by who made it, put in a file of its own that was never there before, and then found no other. Whoever
 * removes it removes the files that it saw, and then the directory, which the system refuses if another file is there.
 *
 * ⚑ Where the owner may only be asleep, its file goes first, which ends that it has the directory; then a fence is put up, where
 * the lock needs one, and only then the directory goes, so that nobody has it before the fence is there. So a fence that the owner puts up
 * while it still has the directory, to take over from the one before, is a lower one than that which is put up against it.
 * A directory is removed by another than its owner in no other way.
 */
export class OwnedDirectory {
  readonly #disk: Disk;
  readonly #names: FileNames;
  readonly #path: string;
  readonly #staleMs: number;
  readonly #fence: () => void;
  readonly #label = randomBytes(8).toString('hex');
  #made = 0;
  #owner: string | undefined;

  /** It is stale `staleMs` after the last sign of life from its owner; `fence` is put up against one that may only be asleep. */
  constructor(disk: Disk, names: FileNames, path: string, staleMs: number, fence: () => void) {
    this.#disk = disk;
    this.#names = names;
    this.#path = path;
    this.#staleMs = staleMs;
    this.#fence = fence;
  }

  /** Whether it was made here and not given up: it may have been taken away since. */
  get isOwned(): boolean {
    return this.#owner !== undefined;
  }

  /** Whether that is so, in truth. */
  get isStillOwned(): boolean {
    return this.#owner !== undefined && this.#disk.exists(this.#owner);
  }

  /** False where somebody else has it, or was in the way. */
  make(): boolean {
    if (!this.#disk.createDirectory(this.#path)) return false;
    this.#made += 1;
    // Always a new name: who saw the one before may still be about to remove it.
    const owner = this.#names.lockOwner(`${this.#label}-${this.#made}`, this.#path);
    this.#owner = owner;
    try {
      this.#disk.create(owner)?.close();
      const [first, ...others] = this.#disk.list(this.#path);
      if (first === basename(owner) && others.length === 0) return true;
      // We slept since it was made: it was taken away, and is another's by now.
    } catch (error) {
      if (!isMissing(error)) {
        this.giveUp();
        this.#disk.removeDirectory(this.#path);
        throw error;
      }
    }
    this.giveUp();
    return false;
  }

  /** Removes it; nothing, where it is not the own one any more. */
  giveUp(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    if (owner !== undefined && this.#disk.unlink(owner)) this.#disk.removeDirectory(this.#path);
  }

  /** Takes it away from an owner that gives no sign of life; false where there is one, or somebody else is there now. */
  reclaim(): boolean {
    let seen: string[];
    try {
      seen = this.#disk.list(this.#path);
    } catch (error) {
      if (isMissing(error)) return true;
      throw error;
    }
    // Only now: who came before this look is seen, and who comes after it is not removed.
    const at = this.#disk.modifiedAt(this.#path);
    if (at === undefined) return true;
    if (at >= Date.now() - this.#staleMs) return false;
    const removed = seen.filter((name) => this.#disk.unlink(join(this.#path, name)));
    // Somebody else is taking it away: a second fence would be against who gets it.
    if (seen.length > 0 && removed.length === 0) return false;
    this.#fence();
    return this.#disk.removeDirectory(this.#path) !== 'occupied';
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
