import { decodeOrderMarks, EntryFlag } from '../frame/order-marks.js';
import type { Engine } from '../store/engine.js';
import { type Marked, MarkFollower, type MarkSink } from './mark-follower.js';

/** The messages that were written with an id: the first one's index, how many they are, and when. */
export interface FirstOfId {
  readonly index: number;
  readonly count: number;
  readonly time: number;
}

/**
 * The ids of the messages of the last while, by which it is known that one was written before. Ids are compared whole, never by
 * a hash. They stand in the records' marks; those of records that are gone with their segment stand in its archive.
 *
 * Nothing is remembered, and nothing read, before the first id is asked for. An id costs about 100 bytes and itself.
 */
export class MessageIds implements MarkSink {
  readonly #engine: Engine;
  readonly #windowMs: number;
  /** In the order of their times. */
  readonly #known = new Map<string, FirstOfId>();
  #follower: MarkFollower | undefined;
  #isLoaded = false;

  constructor(engine: Engine, windowMs: number) {
    this.#engine = engine;
    this.#windowMs = windowMs;
  }

  /** Takes in what there is. Under the write lock only what is new is left to do. */
  look(): void {
    this.#follower ??= new MarkFollower(this.#engine, this, {
      from: () => this.#engine.tail.segments.lowest ?? 1,
      segment: (_first, next) => this.#isRecent(next),
    });
    this.#follower.follow();
    // ⚑ A segment that went before it was looked at has left its archive; so the archives are looked at afterwards.
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const { id, ...first } of this.#engine.idArchives.read(this.#horizon())) this.#learn(id, first);
  }

  /** The messages that were written with this id within the window; undefined where there are none. */
  find(id: string): FirstOfId | undefined {
    this.look();
    this.#forgetOld();
    const found = this.#known.get(id);
    return found !== undefined && found.time > this.#horizon() ? found : undefined;
  }

  marked({ index, time, entry, marks }: Marked): void {
    if ((entry.flags & EntryFlag.id) === 0 || time <= this.#horizon()) return;
    const { id, count } = decodeOrderMarks(marks() ?? new Uint8Array());
    if (id !== undefined) this.#learn(id, { index, count, time });
  }

  forgetMarks(): void {
    this.#known.clear();
    this.#isLoaded = false;
  }

  /** What was written at or before this time is forgotten. */
  #horizon(): number {
    return this.#engine.clock.now() - this.#windowMs;
  }

  /** Whether records before the segment that begins at `next` may be of the last while. */
  #isRecent(next: number): boolean {
    const time = this.#engine.timeBefore(next);
    return time === undefined || time > this.#horizon();
  }

  #learn(id: string, first: FirstOfId): void {
    const known = this.#known.get(id);
    if (known !== undefined && known.index >= first.index) return;
    this.#known.delete(id);
    this.#known.set(id, first);
  }

  /** Those that were learnt from archives may stand behind later ones; they are passed over when they are asked for. */
  #forgetOld(): void {
    const horizon = this.#horizon();
    for (const [id, { time }] of this.#known) {
      if (time > horizon) return;
      this.#known.delete(id);
    }
  }
}
