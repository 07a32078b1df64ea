import { DurostoreError } from '../errors.js';
import type { FactSink } from '../journal/facts.js';
import type { Engine } from '../store/engine.js';

/** How often the slots of others are probed while they hold claims: a dying holder raises no notice. */
const PROBE_EVERY_MS = 50;
const RELEASE_TRIES = 3;

/**
 * Who holds claims. ⚑ An open queue that claims has a slot, an OS lock that it holds while it lives, and a fact says which
 * incarnation has the slot; its claims are worth something as long as the lock is held. So a dead process's claims are
 * free at once, and a process that merely sleeps keeps its own. Never by process id: those come again. With lock files
 * there are no slots, and claims last as long as their leases.
 */
export class Holder {
  readonly #engine: Engine;
  #incarnation = 0;
  #probedAt = Number.NEGATIVE_INFINITY;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** This opener's incarnation, under the fate lock; takes a slot and states it at the first claim. */
  incarnation(facts: FactSink): number {
    const { fates, journal, locks, boot, decider } = this.#engine;
    if (this.#incarnation > 0 && fates.knows(this.#incarnation)) return this.#incarnation;
    this.#incarnation = journal.fact + 1;
    facts.slotTaken(locks.takeSlot(), this.#incarnation, boot);
    // A fact that does not count leaves no incarnation behind, and its number is somebody else's soon.
    decider.afterwards((counts) => {
      if (!counts) this.#incarnation = 0;
    });
    return this.#incarnation;
  }

  /** Gives back everything that is claimed here; `last` hears of it first, under the fate lock. */
  async release(last: (facts: FactSink, claimed: readonly number[]) => void): Promise<void> {
    const { fates, decider } = this.#engine;
    for (let tries = RELEASE_TRIES; tries > 0; tries--) {
      if (this.#incarnation === 0 || !fates.knows(this.#incarnation)) return;
      try {
        await decider.decide((facts) => {
          last(facts, fates.claimsOf(this.#incarnation));
          facts.freed(this.#incarnation);
        }, false);
        return;
      } catch (error) {
        // With lock files a take-over may have come between; claims without a slot would last as long as their leases.
        if (!(error instanceof DurostoreError && error.code === 'LOCK_LOST' && tries > 1)) throw error;
      }
    }
  }

  /** When the slots of others are to be probed again; infinite where none of them holds a claim. */
  nextProbe(): number {
    const { fates } = this.#engine;
    if (fates.slotsWithClaims(this.#incarnation).length === 0) return Number.POSITIVE_INFINITY;
    return this.#probedAt + PROBE_EVERY_MS;
  }

  /** The next probe may be at once. */
  probeAgain(): void {
    this.#probedAt = Number.NEGATIVE_INFINITY;
  }

  /** Frees the claims of holders that are dead, if it is time to look; undefined where there is nothing to wait for. */
  freeDead(): Promise<void> | undefined {
    const { fates, locks, decider, clock } = this.#engine;
    if (fates.running === 0) return undefined;
    const now = clock.monotonic();
    if (now < this.nextProbe()) return undefined;
    this.#probedAt = now;
    const free = fates.slotsWithClaims(this.#incarnation).filter((slot) => locks.slotIsFree(slot));
    if (free.length === 0) return undefined;
    return decider.decide((facts) => {
      for (const slot of free) {
        // Somebody may have taken the slot since; then its own fact frees what was claimed before.
        const incarnation = fates.incarnationOf(slot);
        if (incarnation !== undefined && locks.slotIsFree(slot)) facts.freed(incarnation);
      }
    }, false);
  }
}
