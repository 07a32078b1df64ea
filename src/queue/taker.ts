import { CodecError, CorruptError } from '../errors.js';
import type { FactSink } from '../journal/facts.js';
import { Runs } from '../journal/runs.js';
import type { StoredRecord } from '../segment/reader.js';
import type { Engine } from '../store/engine.js';
import { decodeHeaders } from '../store/headers.js';
import { type Codec, decodeValue } from './codec.js';
import type { Holder } from './holder.js';
import type { Line } from './line.js';

/** What a consumer wants: messages for good, or under a lease. */
export type Wish = { readonly how: 'remove' } | { readonly how: 'claim'; readonly leaseMs: number };

/** A message that somebody got. */
export interface Taken<T> {
  readonly record: StoredRecord;
  readonly value: T;
  readonly incarnation: number;
  readonly attempt: number;
  /** End of the lease on the monotonic clock. */
  readonly until: number;
}

/** A message that was read ahead, or why it cannot be given out. */
type Candidate<T> =
  | { readonly record: StoredRecord; readonly value: T; readonly error: undefined }
  | { readonly error: CodecError | CorruptError };

interface Asking<T> {
  readonly max: number;
  /** Only messages below this index. */
  readonly below: number;
  readonly wish: Wish;
  readonly resolve: (taken: Taken<T>[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Hands out the messages in line. What is next is read and decoded before the lock is asked for, and confirmed under it:
 * no user code and no slow read holds others up. Those who ask in one tick share the reading and the commit.
 */
export class Taker<T> {
  readonly #engine: Engine;
  readonly #holder: Holder;
  readonly #codec: Codec<T>;
  readonly #line: Line;
  #asking: Asking<T>[] = [];

  constructor(engine: Engine, holder: Holder, line: Line, codec: Codec<T>) {
    this.#engine = engine;
    this.#holder = holder;
    this.#line = line;
    this.#codec = codec;
  }

  /** Takes what is there now, up to `max`; the facts are as durable as the wish wants. CODEC or CORRUPT where the head is unreadable. */
  take(max: number, wish: Wish, below = Number.POSITIVE_INFINITY): Promise<Taken<T>[]> {
    return new Promise((resolve, reject) => {
      this.#asking.push({ max, below, wish, resolve, reject });
      if (this.#asking.length === 1) this.#engine.turns.run(this.#serve);
    });
  }

  readonly #serve = (): void => {
    const asking = this.#asking;
    this.#asking = [];
    try {
      this.#engine.assertUsable();
      this.#engine.catchUp();
      this.#engine.fates.expire(this.#engine.clock.monotonic());
      this.#line.look();
      this.#serveAll(asking);
    } catch (error) {
      for (const one of asking) one.reject(error);
    }
  };

  #serveAll(asking: readonly Asking<T>[]): void {
    let wanted = 0;
    let below = 0;
    let all = false;
    for (const one of asking) {
      wanted += one.max;
      below = Math.max(below, one.below);
      if (one.wish.how === 'remove') all = true;
    }
    const candidates = this.#readAhead(wanted, below, all);
    for (const one of asking) {
      if (candidates.size === 0) one.resolve([]);
      else void this.#serveOne(one, candidates);
    }
  }

  async #serveOne(one: Asking<T>, candidates: ReadonlyMap<number, Candidate<T>>): Promise<void> {
    const durable = one.wish.how === 'remove' && this.#engine.durable;
    try {
      const result = await this.#engine.decider.decide(
        (facts) => this.#confirm(facts, one, candidates),
        durable,
      );
      if (result.failure !== undefined) throw result.failure;
      if (result.again) {
        this.#asking.push(one);
        if (this.#asking.length === 1) this.#engine.turns.run(this.#serve);
        return;
      }
      const first = result.taken[0];
      const last = result.taken[result.taken.length - 1];
      if (one.wish.how === 'remove' && first !== undefined && last !== undefined)
        this.#engine.sweeper.check(first.record.index, last.record.index);
      one.resolve(result.taken);
    } catch (error) {
      one.reject(error);
    }
  }

  /** The next messages in line, decoded. */
  #readAhead(wanted: number, below: number, all: boolean): Map<number, Candidate<T>> {
    const end = Math.min(this.#engine.tail.nextIndex, below);
    const candidates = new Map<number, Candidate<T>>();
    for (const index of this.#line.inOrder(end, all)) {
      if (candidates.size >= wanted) break;
      const candidate = this.#read(index);
      if (candidate !== undefined) candidates.set(index, candidate);
    }
    return candidates;
  }

  /** An unreadable message is the trouble of who stands before it, not of those who get the ones before. */
  #read(index: number): Candidate<T> | undefined {
    try {
      const record = this.#engine.readKnown(index);
      // Headers that are none are found before anything is claimed.
      if (record !== undefined) decodeHeaders(record.headers, index);
      return record && { record, value: decodeValue(this.#codec, record), error: undefined };
    } catch (error) {
      if (error instanceof CodecError || error instanceof CorruptError) return { error };
      throw error;
    }
  }

  /** Under the fate lock: takes what is still next in line. Where the head is not what was read ahead: again. */
  #confirm(
    facts: FactSink,
    { max, below, wish }: Asking<T>,
    candidates: ReadonlyMap<number, Candidate<T>>,
  ): { taken: Taken<T>[]; again: boolean; failure: CodecError | CorruptError | undefined } {
    const { fates, tail, clock } = this.#engine;
    const end = Math.min(tail.nextIndex, below);
    const taken: Taken<T>[] = [];
    // Rounded up: a lease never ends early.
    const until = wish.how === 'claim' ? Math.ceil(clock.monotonic() + wish.leaseMs) : 0;
    const lease = { until, lengthMs: wish.how === 'claim' ? wish.leaseMs : 0 };
    let incarnation = 0;
    let attempt = 0;
    const runs = new Runs((from, to) => {
      if (wish.how === 'remove') facts.gone(from, to);
      else facts.claimed(from, to, incarnation, attempt, lease);
    });
    let again = false;
    this.#line.look();
    for (const index of this.#line.inOrder(end, wish.how === 'remove')) {
      if (taken.length >= max) break;
      const candidate = candidates.get(index);
      if (candidate === undefined || (candidate.error !== undefined && taken.length > 0)) {
        again = taken.length === 0;
        break;
      }
      if (wish.how === 'claim') {
        if (incarnation === 0) incarnation = this.#holder.incarnation(facts);
        const next = fates.attemptsOf(index) + 1;
        if (next !== attempt) runs.end();
        attempt = next;
      }
      if (candidate.error !== undefined) {
        // An unreadable message was in somebody's hands for an attempt, and is back.
        if (wish.how === 'claim') {
          facts.claimed(index, index + 1, incarnation, attempt, lease);
          facts.released(index);
        }
        return { taken, again: false, failure: candidate.error };
      }
      runs.add(index);
      taken.push({ record: candidate.record, value: candidate.value, incarnation, attempt, until });
    }
    runs.end();
    return { taken, again, failure: undefined };
  }
}
