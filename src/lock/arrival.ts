import type { Disk, DiskFile } from '../disk/disk.js';
import type { FileNames } from '../disk/file-names.js';
import { locksClosed, lockUnavailable, openLockFile, tryLockFile } from './lock-file.js';
import { Poll } from './poll.js';
import { WaitingLine } from './waiting-line.js';

/**
 * Who is in the directory: each holds the alive file shared, the first one exclusively until it settles.
 *
 * The doorway is held from arriving until settling. Without it, a first one that died unsettled between another's
 * attempts at 'exclusive' and 'shared' would make that other 'later', and nobody would do what the first one must.
 */
export class Arrival {
  readonly #alive: DiskFile;
  readonly #doorway: DiskFile;
  readonly #directory: string;
  readonly #line = new WaitingLine(() => this.#poll.stop());
  readonly #poll = new Poll(() => this.#tryAdmit());
  #outcome: 'first' | 'later' | undefined;
  #asked = false;
  #settled = false;
  #closed = false;

  constructor(disk: Disk, names: FileNames) {
    this.#directory = names.directory;
    this.#alive = openLockFile(disk, names.lock('alive'));
    try {
      this.#doorway = openLockFile(disk, names.lock('arrive'));
    } catch (error) {
      this.#alive.close();
      throw error;
    }
  }

  async arrive(signal?: AbortSignal): Promise<'first' | 'later'> {
    signal?.throwIfAborted();
    if (this.#closed) throw locksClosed(this.#directory);
    if (this.#asked) throw new Error('Arrived twice');
    this.#asked = true;
    const admitted = this.#line.join(signal);
    if (!this.#tryAdmit()) this.#poll.start();
    await admitted;
    return this.#outcome ?? 'later';
  }

  settle(): void {
    if (this.#closed || this.#settled || this.#outcome !== 'first') return;
    this.#settled = true;
    if (!tryLockFile(this.#alive, 'shared')) {
      throw lockUnavailable('lock', this.#alive.path, new Error('exclusive did not become shared'));
    }
    this.#doorway.unlock();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll.stop();
    this.#alive.close();
    this.#doorway.close();
    this.#line.refuseAll(locksClosed(this.#directory));
  }

  #tryAdmit(): boolean {
    try {
      if (!tryLockFile(this.#doorway, 'exclusive')) return false;
      if (tryLockFile(this.#alive, 'exclusive')) {
        this.#outcome = 'first';
      } else {
        const shared = tryLockFile(this.#alive, 'shared');
        this.#doorway.unlock();
        if (!shared) return false;
        this.#outcome = 'later';
      }
    } catch (error) {
      this.#line.refuseAll(error);
      return true;
    }
    this.#line.admitFirst();
    return true;
  }
}
