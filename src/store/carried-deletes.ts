import { Fenced } from '../epoch/fenced.js';
import { decodeCarried } from '../journal/carried-facts.js';
import type { CarriedRanges } from '../journal/fates.js';
import { type CarriedFeed, Tail } from '../segment/tail.js';
import type { Engine } from './engine.js';
import { shortenIfLong } from './succession.js';

/**
 * Deletes that ride in batches of the log, as those of a transaction do: what is said there counts from the moment the batch is
 * whole. ⚑ The journal says, on the device, from where on there may be such batches, before there is one; so whoever opens the
 * directory knows how far back to look, and whoever has it open knows to look at the log before it says what is gone.
 *
 * They become facts of the journal later, all that have come together, ⚑ and only when their batches are on the device: a power cut
 * that takes a batch takes its deletes with it. ⚑ No segment goes, and no journal is succeeded, before that.
 */
export class CarriedDeletes implements CarriedFeed {
  readonly #engine: Engine;
  /** Whether frames were passed over that may carry what is not known. */
  #isStale = true;
  /** What `lowerings` of the fates were when the log was looked through. */
  #lowerings = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether facts that were just folded do not say all that is gone: then `look`. */
  get isBehind(): boolean {
    return this.#isStale || this.#engine.fates.isCarrying;
  }

  /** What was read may turn out not to count: nothing is to be told before `begin`, and all facts are folded again. */
  forget(): void {
    const { tail, fates } = this.#engine;
    tail.carriedFeed = undefined;
    fates.forgetCarried();
    this.#isStale = true;
  }

  /** From now on what is read counts. Looks through what was there before; false where a fence stands before it. */
  begin(): boolean {
    const { tail, journal } = this.#engine;
    tail.carriedFeed = this;
    this.#isStale = true;
    // ⚑ Behind the look at the log: whatever is in it, the facts that tell of it came before.
    journal.catchUp();
    return !journal.isFenced && this.look();
  }

  carried(number: number, facts: Buffer, path: string): void {
    const { fates } = this.#engine;
    if (number > fates.carriedUpTo) fates.carry({ number, ranges: decodeCarried(facts, path) });
  }

  passedOver(): void {
    this.#isStale = true;
  }

  /**
   * With all facts folded: learns of everything that batches say is gone. False where a fence stands before it: then more may be gone
   * than is known.
   */
  look(): boolean {
    const { fates, tail, journal } = this.#engine;
    for (;;) {
      // ⚑ Also where batches were read before the facts were that they are not known yet: they passed for older ones of their numbers.
      if (fates.lowerings !== this.#lowerings) this.#isStale = true;
      if (this.#isStale && fates.isCarrying && !this.#lookThrough()) return false;
      this.#isStale = false;
      this.#lowerings = fates.lowerings;
      if (!fates.isCarrying) return true;
      tail.catchUp();
      if (tail.isFenced) return false;
      if (!this.#isStale) return true;
      journal.catchUp();
    }
  }

  /** The same under the fate lock. Throws Fenced. */
  lookLocked(): void {
    if (this.isBehind && !this.look()) throw new Fenced();
  }

  /** Reads the log from where the facts say, by frames, as if it had just come. */
  #lookThrough(): boolean {
    const { fates, tail, files } = this.#engine;
    const found: CarriedRanges[] = [];
    const reader = new Tail(files);
    reader.segments.reset(files.list());
    if (reader.segments.length > 0) {
      reader.enterAt(Math.max(1, fates.carriedUpTo));
      reader.carriedFeed = {
        carried: (number, facts, path) => {
          found.push({ number, ranges: decodeCarried(facts, path) });
        },
        passedOver: () => {},
      };
      if (!this.#readToEnd(reader)) return false;
    }
    tail.catchUp();
    if (tail.isFenced) return false;
    // What came since is told by the tail.
    const known = fates.unfolded;
    fates.forgetCarried();
    for (const one of [...found, ...known]) fates.carry(one);
    return true;
  }

  /**
   * ⚑ A power cut may have taken the seal of a segment, or its header, and whoever opened since may not be the one who mends that:
   * reading goes on in the next one that has a header. That is listed before the reading: a seal comes before the segment it leads to.
   */
  #readToEnd(reader: Tail): boolean {
    const { files } = this.#engine;
    for (;;) {
      const next = files.list().find((first) => first > reader.active && files.data(first) !== undefined);
      if (files.data(reader.active) !== undefined) reader.catchUp();
      if (reader.isFenced) return false;
      if (next === undefined) return true;
      if (reader.active < next) reader.enter(next);
    }
  }

  /**
   * Resolves when every delete that is known here is a fact on the device, as is everything else that facts say: only then a segment
   * may go. Rejects with STORE_FAILED, DISK_FULL, LOCK_UNAVAILABLE.
   */
  async settle(): Promise<void> {
    const engine = this.#engine;
    while (engine.fates.isCarrying) {
      await engine.syncRecords();
      const { fate } = engine.locks;
      await fate.enter();
      try {
        if (this.fold()) break;
      } finally {
        fate.leave();
      }
    }
    await engine.syncFacts();
  }

  /** Under the fate lock: makes facts of what is on the device. False where the lock was lost meanwhile. */
  fold(): boolean {
    const engine = this.#engine;
    const { fates, journal, tail, clock, tenure } = engine;
    try {
      engine.failure.assertNone();
      tenure.enter();
      journal.catchUpLocked();
      this.lookLocked();
      if (!fates.isCarrying) return true;
      const { unfolded } = fates;
      const ready = unfolded.filter(({ number }) => number - 1 <= tail.safe);
      const last = ready[ready.length - 1];
      if (last === undefined && unfolded.length > 0) return true;
      const facts = journal.begin();
      for (const { ranges } of ready) for (const { from, to } of ranges) facts.gone(from, to);
      facts.carried(last?.number ?? fates.carriedUpTo, ready.length < unfolded.length);
      journal.decided(clock.now());
      journal.commit();
      shortenIfLong(engine);
      return !tenure.isLost(tail.position());
    } catch (error) {
      if (!(error instanceof Fenced)) throw engine.failure.of(error, 'deciding a fate');
      tenure.lost();
      return false;
    }
  }
}
