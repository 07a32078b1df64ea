import { WALL_LOOK_MS } from '../clock.js';
import type { Engine } from '../store/engine.js';
import { callOptions, signalOption, waitOption } from '../store/options.js';
import type { Haul, Taken, Wish } from './asking.js';
import type { Undertaker } from './burial.js';
import type { WaitOptions } from './contract.js';
import type { DeathWatch } from './death-watch.js';
import type { Holder } from './holder.js';
import type { Line } from './line.js';
import type { Taker } from './taker.js';

const FLUSH_STEP = 1000;
export const REMOVE: Wish = { how: 'remove' };
/** Those of `WaitOptions`. */
export const WAIT_OPTIONS = new Set(['waitMs', 'signal']);

export interface WaitingTakerParts<T> {
  readonly holder: Holder;
  readonly undertaker: Undertaker;
  readonly line: Line;
  readonly taker: Taker<T>;
  readonly deathWatch: DeathWatch;
  /** Throws CLOSED or STORE_FAILED. */
  readonly assertUsable: () => void;
  readonly isClosed: () => boolean;
}

/** Takes messages for callers: what is there, or what comes while they wait. */
export class WaitingTaker<T> {
  readonly #engine: Engine;
  readonly #holder: Holder;
  readonly #undertaker: Undertaker;
  readonly #line: Line;
  readonly #taker: Taker<T>;
  readonly #deathWatch: DeathWatch;
  readonly #assertUsable: () => void;
  readonly #isClosed: () => boolean;

  constructor(engine: Engine, parts: WaitingTakerParts<T>) {
    this.#engine = engine;
    this.#holder = parts.holder;
    this.#undertaker = parts.undertaker;
    this.#line = parts.line;
    this.#taker = parts.taker;
    this.#deathWatch = parts.deathWatch;
    this.#assertUsable = parts.assertUsable;
    this.#isClosed = parts.isClosed;
  }

  /** Takes what is there, or waits for it. ⚑ Looks, then waits for a change of what it looked at, never for an event. */
  async take<R>(
    max: number,
    wish: Wish,
    options: WaitOptions | undefined,
    give: (taken: Taken<T>[]) => R,
  ): Promise<R> {
    const given = callOptions(options, WAIT_OPTIONS);
    const signal = signalOption(given.signal);
    const waitMs = waitOption(given.waitMs, 0);
    const { clock, indexer, fates } = this.#engine;
    const endsAt = waitMs === 0 ? 0 : clock.monotonic() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#assertUsable();
      if (max === 0) return give([]);
      const seen = indexer.version;
      const freeing = this.#holder.freeDead();
      if (freeing !== undefined) await freeing;
      const settling = this.#undertaker.settle();
      if (settling !== false) await settling;
      if (this.#line.isBehind) await this.#line.lookInTurns();
      const haul = await this.#taker.take(max, wish);
      const { taken } = haul;
      if (taken.length > 0 && (haul.isCut || !haul.isSettled))
        return give(await this.#takeRest(haul, max, wish, signal));
      if (taken.length > 0 || waitMs === 0 || clock.monotonic() >= endsAt) return give(taken);
      const soonest = Math.min(endsAt, fates.nextExpiry, this.#nextDue());
      this.#deathWatch.begin();
      try {
        await indexer.beyond(seen, soonest, signal);
      } finally {
        this.#deathWatch.end();
      }
    }
  }

  /**
   * Goes on taking where much was asked for, step by step. What was taken is the caller's, whatever comes then; and it is on the
   * device where that was wished for.
   */
  async #takeRest(
    { taken, isCut }: Haul<T>,
    max: number,
    wish: Wish,
    signal: AbortSignal | undefined,
  ): Promise<Taken<T>[]> {
    const { clock } = this.#engine;
    // What was claimed first is to be had while most of its lease is left.
    const until = wish.how === 'claim' ? clock.monotonic() + wish.leaseMs / 4 : Number.POSITIVE_INFINITY;
    let mayBeMore = isCut;
    while (
      clock.monotonic() < until &&
      mayBeMore &&
      taken.length < max &&
      signal?.aborted !== true &&
      !this.#isClosed()
    ) {
      try {
        const haul = await this.#taker.take(max - taken.length, wish, undefined, true);
        for (const one of haul.taken) taken.push(one);
        mayBeMore = haul.isCut;
      } catch {
        // Who asks next meets the error.
        break;
      }
    }
    if (wish.how === 'remove' && this.#engine.durable) await this.#engine.syncFacts();
    return taken;
  }

  /** Takes all that stand below `below`, and waits for none. */
  async flush(below: number): Promise<T[]> {
    const values: T[] = [];
    let isSettled = true;
    for (;;) {
      let haul: Haul<T>;
      try {
        haul = await this.#taker.take(FLUSH_STEP, REMOVE, below, values.length > 0);
      } catch (error) {
        // What was taken is the caller's; who asks again meets the error.
        if (values.length === 0) throw error;
        break;
      }
      for (const one of haul.taken) values.push(one.value);
      isSettled &&= haul.isSettled;
      if (haul.taken.length === 0) break;
    }
    if (!isSettled) await this.#engine.syncFacts();
    return values;
  }

  /** When something that was put off may be due, on the monotonic clock. */
  #nextDue(): number {
    const { clock, fates } = this.#engine;
    const nextDue = Math.min(fates.nextDue, this.#line.nextDue);
    if (nextDue === Number.POSITIVE_INFINITY) return nextDue;
    return clock.monotonic() + Math.min(Math.max(0, nextDue - clock.now()), WALL_LOOK_MS);
  }
}
