import { decodeOrderMarks, EntryFlag } from '../frame/order-marks.js';
import type { Engine } from '../store/engine.js';
import type { ArchivedId } from '../store/id-archive.js';
import { type Marked, MarkFollower, type MarkSink } from './mark-follower.js';

/** The messages that were written with an id: the first one's index, how many they are, and when. */
export type FirstOfId = Omit<ArchivedId, 'id'>;

/** `seenAt`: when this opener learnt of them, on the monotonic clock. */
type Known = FirstOfId & { readonly seenAt: number };

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
  readonly #known = new Map<string, Known>();
  #follower: MarkFollower | undefined;
  #isLoaded = false;

  constructor(engine: Engine, windowMs: number) {
    this.#engine = engine;
    this.#windowMs = windowMs;
  }

  /** Whether a look would take long: then `lookInTurns` had better come before it. */
  get isBehind(): boolean {
    return this.#begin().isBehind;
  }

  /** Does what takes long in a look, with turns of the event loop in between. */
  lookInTurns(): Promise<void> {
    return this.#begin().followInTurns();
  }

  #begin(): MarkFollower {
    this.#follower ??= new MarkFollower(this.#engine, this, {
      from: () => this.#engine.tail.segments.lowest ?? 1,
      segment: (_first, next) => this.#isRecent(next),
    });
    return this.#follower;
  }

  /** Takes in what there is. Under the write lock only what is new is left to do. */
  look(): void {
    this.#begin().follow();
    // ⚑ A segment that went before it was looked at has left its archive; so the archives are looked at afterwards, and again
    // whenever this opener has fallen behind.
    if (this.#isLoaded) return;
    for (const { id, ...first } of this.#engine.idArchives.read(this.#horizon())) this.#learn(id, first);
    this.#isLoaded = true;
  }

  /** The messages that were written with this id within the window; undefined where there are none. */
  find(id: string): FirstOfId | undefined {
    this.look();
    this.#forgetOld();
    const found = this.#known.get(id);
    return found === undefined || this.#isOld(found) ? undefined : found;
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

  lookedUp(): void {
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
    // The first within the window counts.
    if (known !== undefined && (known.index >= first.index || !this.#isOld(known))) return;
    this.#known.delete(id);
    this.#known.set(id, { ...first, seenAt: this.#engine.clock.monotonic() });
  }

  /**
   * By the wall clock, which may be set, or by the time that this opener has known it: times of records never go backwards, so a
   * clock that was ahead once would keep ids until it gets there.
   */
  #isOld({ time, seenAt }: Known): boolean {
    return time <= this.#horizon() || seenAt + this.#windowMs <= this.#engine.clock.monotonic();
  }

  /** Those that were learnt from archives may stand behind later ones; they are passed over when they are asked for. */
  #forgetOld(): void {
    for (const [id, known] of this.#known) {
      if (!this.#isOld(known)) return;
      this.#known.delete(id);
    }
  }
}
