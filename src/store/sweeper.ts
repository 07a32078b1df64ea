import { isDiskFull } from './disk-errors.js';
import type { Engine } from './engine.js';
import type { ArchivedId } from './id-archive.js';

/**
 * Removes segments all of whose records are gone. ⚑ First the facts that say so are on the device, then the files are
 * unlinked: whatever a crash leaves in the directory, a segment that is wholly gone is a leftover, and a missing one that
 * is not is damage. The last segment is never removed, so the next index is always known.
 */
export class Sweeper {
  readonly #engine: Engine;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Looks whether a segment that held one of the records `from` to `to`, both inclusive, can go now. */
  check(from: number, to: number = from): void {
    const { tail, compactor } = this.#engine;
    const { segments } = tail;
    let first = segments.holding(from) ?? segments.lowest;
    while (first !== undefined && first <= to) {
      if (this.#isGone(first)) {
        this.#start();
        return;
      }
      compactor.touch(first);
      first = segments.after(first);
    }
  }

  /** Looks at all segments. */
  checkAll(): void {
    for (const first of this.#engine.tail.segments) {
      if (this.#isGone(first)) {
        this.#start();
        return;
      }
    }
  }

  /** Segments that hold records that are not gone; an empty one that is being written counts. */
  liveSegments(): number {
    let bytes = 0;
    for (const first of this.#engine.tail.segments) bytes += this.weight(first);
    return Math.ceil(bytes / this.#engine.options.maxFileSize);
  }

  /** The bytes that a segment counts for: a whole file's; a sparse one's own; none where it is wholly gone. */
  weight(first: number): number {
    const { files, options } = this.#engine;
    if (this.isEmptied(first)) return 0;
    const { maxFileSize } = options;
    return files.isSparse(first) ? Math.min(maxFileSize, files.data(first)?.size() ?? 0) : maxFileSize;
  }

  /** Whether all the records of a segment are gone, and it had some. */
  isEmptied(first: number): boolean {
    const { tail, fates } = this.#engine;
    const end = tail.segments.after(first) ?? tail.nextIndex;
    return end > first && fates.goneSet.firstAbsent(first) >= end;
  }

  /** Lets go of the oldest segment if another opener has removed it: its descriptors keep the space on the disk. */
  forgetOldest(): void {
    const { segments } = this.#engine.tail;
    if (segments.length > 1 && segments.lowest !== undefined) this.#forgetRemoved(segments.lowest);
  }

  /** The same for all segments. */
  forgetAll(): void {
    for (const first of [...this.#engine.tail.segments]) this.#forgetRemoved(first);
  }

  #forgetRemoved(first: number): void {
    const { tail, files, disk } = this.#engine;
    if (!this.#isGone(first) || disk.exists(files.dataPath(first))) return;
    files.forgetRemoved(first);
    tail.segments.drop(first);
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /**
   * ⚑ The ids of messages are remembered for longer than the messages. ⚑ A full disk can be emptied: what has no room for its ids
   * goes first, and they are written into the room that it leaves. Returns those.
   */
  async #archiveIds(gone: readonly number[]): Promise<Map<number, readonly ArchivedId[]>> {
    const { idArchives, idWindowMs, clock, turns } = this.#engine;
    const horizon = clock.now() - idWindowMs;
    const unwritten = new Map<number, readonly ArchivedId[]>();
    idArchives.removeOld(horizon);
    for (const first of gone) {
      const pause = turns.pause();
      if (pause !== undefined) await pause;
      try {
        await idArchives.archive(first, horizon);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        unwritten.set(first, await idArchives.idsOf(first, horizon));
      }
    }
    return unwritten;
  }

  #isGone(first: number): boolean {
    return this.#engine.tail.segments.after(first) !== undefined && this.isEmptied(first);
  }

  #start(): void {
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#running = this.#sweep()
      .catch(() => {
        // A failed sync has made the store failed already; an unlink that fails is tried again at the next change.
      })
      .finally(() => {
        this.#running = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.checkAll();
      });
  }

  async #sweep(): Promise<void> {
    const { tail, files, turns } = this.#engine;
    const gone = [...tail.segments].filter((first) => this.#isGone(first));
    const { tenure, epochs } = this.#engine;
    const { epoch } = tenure;
    // What is decided over a fence may not count, and is known here until the lock was entered again.
    if (gone.length === 0 || tenure.isTainted || epochs.isFenced()) return;
    await this.#engine.carried.settle();
    const unwritten = await this.#archiveIds(gone);
    if (tenure.isTainted || tenure.epoch !== epoch) return;
    for (const first of gone) {
      files.remove(first);
      tail.segments.drop(first);
      const pause = turns.pause();
      if (pause === undefined) continue;
      await pause;
      // ⚑ What was decided since the lock was lost does not count.
      if (tenure.isTainted || tenure.epoch !== epoch) return;
    }
    this.#engine.indexer.changed();
    for (const [first, ids] of unwritten) await this.#engine.idArchives.write(first, ids);
  }
}
