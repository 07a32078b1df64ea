import { HEADER_BYTES } from '../frame/file-header.js';
import { ENTRY_BYTES } from '../segment/entry.js';
import { SparseSuccessor } from '../segment/sparse-successor.js';
import type { Engine } from './engine.js';

/** When a segment is succeeded by a sparse one. Tests have it often. */
export interface CompactionLimits {
  /** A data file of less is left as it is. */
  readonly leastBytes: number;
  /** At most one successor is made in so many milliseconds. */
  readonly everyMs: number;
  /** What could not be made, for lack of space perhaps, is tried again after so long. */
  readonly retryMs: number;
}

const LIMITS: CompactionLimits = { leastBytes: 1024 * 1024, everyMs: 1000, retryMs: 60_000 };

/** A segment is thin when fewer than one in so many of its records are living. */
const THIN = 10;
/** So many indexes are looked at before all are counted. */
const PROBES = 16;

/**
 * Has thin segments succeeded by sparse ones, in the background: a few records that stay for long (dead letters, claims of a
 * slow consumer) would keep a whole file each. ⚑ The facts that say that the others are gone are on the device before the
 * successor has its name, and its name is before what it succeeds is unlinked.
 *
 * Nobody waits for it and nobody is told where it fails, for then everything is as before.
 */
export class Compactor {
  readonly #engine: Engine;
  readonly #limits: CompactionLimits;
  /** Segments that have lost records since they were looked at. */
  readonly #touched = new Set<number>();
  /** When those that could not be succeeded are tried again. */
  readonly #notBefore = new Map<number, number>();
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(engine: Engine, limits: CompactionLimits = LIMITS) {
    this.#engine = engine;
    this.#limits = limits;
  }

  /** Records of the segment are gone. */
  touch(first: number): void {
    this.#touched.add(first);
    if (this.#cancel === undefined && this.#running === undefined) this.#arm(this.#limits.everyMs);
  }

  touchAll(): void {
    for (const first of this.#engine.tail.segments) this.touch(first);
  }

  /** Makes at most one successor, of the first touched segment that is thin. Never rejects. */
  async run(): Promise<void> {
    this.#disarm();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#touched.size > 0) this.#arm(this.#limits.everyMs);
    });
    await this.#running;
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
  }

  /** Resolves when nothing is being made. */
  async idle(): Promise<void> {
    await this.#running;
  }

  #arm(delayMs: number): void {
    const { clock } = this.#engine;
    if (this.#closed) return;
    this.#cancel = clock.setTimer(clock.monotonic() + delayMs, () => {
      this.#cancel = undefined;
      void this.run();
    });
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #run(): Promise<void> {
    const now = this.#engine.clock.monotonic();
    for (const first of [...this.#touched]) {
      if (this.#closed) return;
      if ((this.#notBefore.get(first) ?? now) > now) continue;
      this.#notBefore.delete(first);
      this.#touched.delete(first);
      try {
        if (!this.#isThin(first)) continue;
        await this.#succeed(first);
      } catch {
        this.#touched.add(first);
        this.#notBefore.set(first, now + this.#limits.retryMs);
      }
      return;
    }
  }

  #isThin(first: number): boolean {
    const { tail, files, fates } = this.#engine;
    const next = tail.segments.after(first);
    if (next === undefined || this.#engine.sweeper.isEmptied(first)) return false;
    let alive = 0;
    for (let probe = 0; probe < PROBES; probe++)
      if (!fates.goneSet.has(first + Math.floor(((next - first) * probe) / PROBES))) alive += 1;
    if (alive > PROBES / 2) return false;
    const data = files.data(first);
    if (data === undefined || data.size() < this.#limits.leastBytes) return false;
    const held = this.#heldBy(first) ?? next - first;
    let living = 0;
    for (const _ of this.#living(first, next)) {
      living += 1;
      if (living * THIN >= held) return false;
    }
    return true;
  }

  /** How many records the file holds, living or not; undefined where its entries are missing. */
  #heldBy(first: number): number | undefined {
    const entries = this.#engine.files.entries(first);
    return entries && (entries.size() - HEADER_BYTES) / ENTRY_BYTES;
  }

  *#living(first: number, next: number): Generator<number, void> {
    const { goneSet } = this.#engine.fates;
    for (let at = goneSet.firstAbsent(first); at < next; at = goneSet.firstAbsent(at + 1)) yield at;
  }

  async #succeed(first: number): Promise<void> {
    const { tail, files, syncer, locks, epochs, disk, names } = this.#engine;
    this.#engine.catchUp();
    const next = tail.segments.after(first);
    const { tenure } = this.#engine;
    const { epoch } = tenure;
    // What is decided over a fence may not count, and is known here until the lock was entered again.
    if (next === undefined || tenure.isTainted || epochs.isFenced()) return;
    const living = [...this.#living(first, next)];
    const before = (files.data(first)?.size() ?? 0) + (files.entries(first)?.size() ?? 0);
    await syncer.upTo(next - 1);
    await this.#engine.carried.settle();
    if (tenure.isTainted || tenure.epoch !== epoch) return;
    // The ids of the messages that the successor does not hold are remembered for longer than they.
    const { idArchives, clock, idWindowMs } = this.#engine;
    await idArchives.archive(first, clock.now() - idWindowMs);
    const successor = await SparseSuccessor.draft(files, first, living);
    if (successor === undefined) return;
    let isPublished = false;
    try {
      if (successor.size * 2 > before || this.#closed) return;
      await locks.write.enter();
      try {
        tenure.enter();
        isPublished = tenure.epoch === epoch && successor.publish();
      } finally {
        locks.write.leave();
      }
    } finally {
      successor.close();
    }
    if (!isPublished) return;
    try {
      await disk.syncDirectory(names.directory);
    } catch (error) {
      throw this.#engine.failure.ofSync(error);
    }
    files.removeSucceeded(first);
    // Whoever waits for room finds some.
    this.#engine.indexer.changed();
  }
}
