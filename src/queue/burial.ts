import type { FactSink } from '../journal/facts.js';
import type { Engine } from '../store/engine.js';
import { beyondBounds, type DeadAt, type DeadLetterBounds, earlier, reasonOf } from './judgement.js';

/** A message that is to be given up. */
export interface Burial {
  readonly index: number;
  readonly reason: string;
  /** How often it was claimed, where the fates do not know of the last time yet. */
  readonly attempts?: number | undefined;
}

/** What is given up in one decision while nobody waits for more. */
const AT_ONCE = 1000;
/** The wall clock may be set: it is looked again after so long, however old the oldest is. */
const LOOK_EVERY_MS = 60_000;

/**
 * Gives messages up, and purges the dead letters that are then beyond the bounds, in one decision. Those that nobody gave up
 * (their last lease ended, their last holder died) are found by `settle`; dead letters that grow too old, by a timer.
 */
export class Undertaker {
  readonly #engine: Engine;
  readonly #bounds: DeadLetterBounds;
  #stopWatching: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Whether the last try came to nothing: no room, or a store that has failed. */
  #hasFailed = false;
  #closed = false;

  constructor(engine: Engine, maxAttempts: number, bounds: DeadLetterBounds) {
    this.#engine = engine;
    this.#bounds = bounds;
    engine.fates.allowAttempts(maxAttempts);
    if (bounds.maxAgeMs === Number.POSITIVE_INFINITY) return;
    this.#stopWatching = engine.fates.watch({
      moved: () => {},
      cleared: () => {},
      // The timer that is set is for one that died before.
      died: () => {
        if (this.#cancelTimer === undefined) this.#arm();
      },
    });
    this.#arm();
  }

  /** Whether nobody has the message and it was claimed as often as it may be; under the fate lock it is to be buried. */
  isSpent(index: number): boolean {
    const { fates, journal } = this.#engine;
    return fates.spent.has(index) && journal.takesJobs;
  }

  /** Under the fate lock: states that these are dead, and that the dead letters beyond the bounds are gone. */
  bury(facts: FactSink, burials: readonly Burial[]): void {
    const { fates, clock } = this.#engine;
    const now = Math.floor(clock.now());
    const died: DeadAt[] = [];
    for (const { index, reason, attempts = fates.attemptsOf(index) } of burials) {
      const firstFailedAt = fates.firstFailureOf(index) || now;
      // A wall clock that was set back does not make the last failure the first.
      const lastFailedAt = Math.max(now, firstFailedAt);
      facts.died(index, { attempts, firstFailedAt, lastFailedAt, reason });
      died.push({ index, lastFailedAt });
    }
    this.#purgeBeyond(facts, died, now);
  }

  /** Buries what is spent and purges what is beyond the bounds, if there is any such. Best effort: who takes a message meets the error. True where it tried; false at once where there is nothing to do. */
  settle(): Promise<boolean> | false {
    const { fates, clock } = this.#engine;
    fates.expireBy(clock);
    return this.#isDue() && this.#settleAll();
  }

  async #settleAll(): Promise<true> {
    const { fates, decider } = this.#engine;
    while (this.#isDue()) {
      this.#hasFailed = true;
      try {
        await decider.decide((facts) => {
          const spent: Burial[] = [];
          for (const index of fates.spent) {
            if (spent.length === AT_ONCE) break;
            spent.push({ index, reason: reasonOf(fates, index) });
          }
          this.bury(facts, spent);
        }, false);
        this.#hasFailed = false;
      } catch {
        break;
      }
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#stopWatching?.();
    this.#cancelTimer?.();
  }

  #isDue(): boolean {
    const { fates, journal, clock } = this.#engine;
    if (!journal.takesJobs) return false;
    if (fates.spent.size > 0 || fates.dead.size > this.#bounds.maxCount) return true;
    const { oldest } = fates.dead;
    return oldest !== undefined && clock.now() - oldest.lastFailedAt >= this.#bounds.maxAgeMs;
  }

  /** `died` are to be dead by the same decision. Mostly nothing is beyond the bounds, or one. */
  #purgeBeyond(facts: FactSink, died: readonly DeadAt[], now: number): void {
    const { dead } = this.#engine.fates;
    const { maxAgeMs, maxCount } = this.#bounds;
    const added = died.filter(({ index }) => !dead.has(index));
    const over = dead.size + added.length - maxCount;
    const { oldest } = dead;
    const first = oldest === undefined ? added[0] : earlier(oldest, added[0]);
    const isOld = first !== undefined && now - first.lastFailedAt >= maxAgeMs;
    if (over === 1 && !isOld && first !== undefined) this.#purge(facts, first.index);
    if ((over <= 1 && !isOld) || first === undefined) return;
    const all = [...dead.entries()].map(([index, { lastFailedAt }]) => ({ index, lastFailedAt }));
    for (const index of beyondBounds([...all, ...added], this.#bounds, now)) this.#purge(facts, index);
  }

  #purge(facts: FactSink, index: number): void {
    const { decider, sweeper } = this.#engine;
    facts.gone(index, index + 1);
    decider.afterwards((counts) => {
      if (counts) queueMicrotask(() => sweeper.check(index));
    });
  }

  /** Sets the timer for when the oldest is too old. */
  #arm(): void {
    const { fates, clock } = this.#engine;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const { oldest } = fates.dead;
    if (this.#closed || oldest === undefined) return;
    const left = oldest.lastFailedAt + this.#bounds.maxAgeMs - clock.now();
    // ⚑ What could not be purged just now is not tried again at once, and again.
    const wait = left <= 0 && this.#hasFailed ? LOOK_EVERY_MS : Math.min(Math.max(left, 0), LOOK_EVERY_MS);
    this.#cancelTimer = clock.setTimer(clock.monotonic() + wait, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#cancelTimer = undefined;
    if (!this.#closed) void Promise.resolve(this.settle()).finally(() => this.#arm());
  };
}
