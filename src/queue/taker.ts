import { CodecError, CorruptError, InvalidValueError } from '../errors.js';
import type { FactSink, Lease } from '../journal/facts.js';
import { Runs } from '../journal/runs.js';
import type { Engine } from '../store/engine.js';
import { type Asked, Asking, type Confirmed, type Haul, type Taken, type Wish } from './asking.js';
import type { Burial, Undertaker } from './burial.js';
import type { Codec } from './codec.js';
import type { Holder } from './holder.js';
import { afterFailure, reasonOf } from './judgement.js';
import type { Line } from './line.js';
import { type Ahead, isSmall, ReadAhead, type Readable, type Unreadable } from './read-ahead.js';

const NO_LEASE: Lease = { until: 0, lengthMs: 0 };

const ASK_AGAIN: Confirmed<never> = { taken: [], again: true, isCut: false, failure: undefined };

/** Who a taker asks. */
export interface TakerParts<T> {
  readonly holder: Holder;
  readonly undertaker: Undertaker;
  readonly line: Line;
  readonly codec: Codec<T>;
  readonly maxAttempts: number;
  /** Throws CLOSED from when the queue begins to close: who would get a message could not do anything with it. */
  readonly assertUsable: () => void;
}

/**
 * Hands out the messages in line. Many at once, and what a codec of the user's decodes, are read and decoded before the lock is asked
 * for, and confirmed under it: no user code and no slow read holds others up. Who wants one small message has it read under the lock.
 * Those who ask in one tick share the reading and the commit.
 */
export class Taker<T> {
  readonly #engine: Engine;
  readonly #holder: Holder;
  readonly #undertaker: Undertaker;
  readonly #line: Line;
  readonly #ahead: ReadAhead<T>;
  readonly #maxAttempts: number;
  readonly #assertUsable: () => void;
  readonly #asked: Asked<T> = {
    confirm: (facts, one) => this.#confirm(facts, one),
    answer: (one, confirmed) => this.#answer(one, confirmed),
  };
  #asking: Asking<T>[] = [];
  /** Whether others were faster the last time: then it is looked before anything is read ahead. */
  #hasRivals = false;
  /** Whether the last message was too large to be read under the lock: the next one is likely to be as large. */
  #expectsLarge = false;
  /** Whether a large message is being read, which all wait for. */
  #isReading = false;

  constructor(engine: Engine, { holder, undertaker, line, codec, maxAttempts, assertUsable }: TakerParts<T>) {
    this.#engine = engine;
    this.#holder = holder;
    this.#undertaker = undertaker;
    this.#line = line;
    this.#ahead = new ReadAhead(engine, undertaker, line, codec);
    this.#maxAttempts = maxAttempts;
    this.#assertUsable = assertUsable;
  }

  /**
   * Takes what is there now, up to `max`, or as much of it as is enough for one turn of the event loop. CODEC or CORRUPT where the
   * head is unreadable.
   */
  take(max: number, wish: Wish, below = Number.POSITIVE_INFINITY, isRest = false): Promise<Haul<T>> {
    return new Promise((resolve, reject) =>
      this.#ask(new Asking(this.#asked, max, wish, below, isRest, resolve, reject)),
    );
  }

  #ask(asking: Asking<T>): void {
    this.#asking.push(asking);
    if (this.#asking.length === 1 && !this.#isReading) this.#engine.turns.run(this.#serve);
  }

  readonly #serve = (): void => {
    const asking = this.#asking;
    this.#asking = [];
    try {
      this.#assertUsable();
      this.#serveAll(asking);
    } catch (error) {
      for (const one of asking) one.reject(error);
    }
  };

  #serveAll(asking: readonly Asking<T>[]): void {
    let wanted = 0;
    let below = 0;
    let all = false;
    let mustReadAhead = !this.#ahead.readsUnderLock || this.#expectsLarge;
    for (const one of asking) {
      wanted += one.max;
      below = Math.max(below, one.below);
      if (one.wish.how === 'remove') all = true;
      if (one.mustReadAhead) mustReadAhead = true;
    }
    const ahead =
      mustReadAhead || wanted > 1 ? this.#readAhead(wanted, below, all) : this.#glance(below, all);
    if (ahead.large === undefined) this.#confirmAll(asking, ahead);
    else void this.#serveLarge(asking, ahead.large);
  }

  #glance(below: number, all: boolean): Ahead<T> {
    const ahead = this.#ahead.glance(below, all);
    if (!ahead.isNothing) return ahead;
    this.#engine.catchUp();
    return this.#ahead.glance(below, all);
  }

  #readAhead(wanted: number, below: number, all: boolean): Ahead<T> {
    // Enough is known mostly, and what others did since is looked at under the lock: a look costs as much as taking one.
    if (this.#hasRivals) this.#engine.catchUp();
    const ahead = this.#ahead.read(wanted, below, all);
    if (ahead.candidates.size >= wanted || ahead.isCut || this.#hasRivals) return ahead;
    this.#engine.catchUp();
    return this.#ahead.read(wanted, below, all, ahead.candidates);
  }

  /** The first one in line is large: it comes alone, when it has been read. */
  async #serveLarge(asking: readonly Asking<T>[], large: NonNullable<Ahead<T>['large']>): Promise<void> {
    this.#isReading = true;
    try {
      const ahead = await this.#ahead.large(large);
      this.#assertUsable();
      this.#confirmAll(asking, ahead);
    } catch (error) {
      for (const one of asking) one.reject(error);
    } finally {
      this.#isReading = false;
      if (this.#asking.length > 0) this.#engine.turns.run(this.#serve);
    }
  }

  #confirmAll(asking: readonly Asking<T>[], ahead: Ahead<T>): void {
    for (const one of asking) {
      // ⚑ What is spent is buried under the lock, and may stand in the way of others.
      if (ahead.isNothing && this.#engine.fates.spent.size === 0)
        one.resolve({ taken: [], isCut: false, isSettled: true });
      else this.#serveOne(one, ahead);
    }
    this.#engine.decider.flush();
  }

  #serveOne(one: Asking<T>, ahead: Ahead<T>): void {
    one.ahead = ahead;
    one.isSettled = one.wish.how === 'claim' || !this.#engine.durable || !ahead.isCut;
    one.durable = one.wish.how === 'remove' && this.#engine.durable && one.isSettled;
    this.#engine.decider.submit(one);
  }

  #answer(one: Asking<T>, { taken, again, isCut, failure }: Confirmed<T>): void {
    if (failure !== undefined) {
      one.reject(failure);
      return;
    }
    if (again) {
      this.#ask(one);
      return;
    }
    const first = taken[0];
    const last = taken[taken.length - 1];
    try {
      if (one.wish.how === 'remove' && first !== undefined && last !== undefined)
        this.#engine.sweeper.check(first.record.index, last.record.index);
      one.resolve({ taken, isCut, isSettled: one.isSettled });
    } catch (error) {
      one.reject(error);
    }
  }

  /**
   * Under the fate lock: takes what is next in line by now. Where that is not what was read ahead: again; once also where it is so
   * from some message on, for whoever asks for many gets all there are.
   */
  #confirm(facts: FactSink, one: Asking<T>): Confirmed<T> {
    const { ahead } = one;
    one.ahead = undefined;
    const confirmed = ahead === undefined ? ASK_AGAIN : this.#confirmAhead(facts, one, ahead);
    this.#hasRivals = confirmed.again;
    const last = confirmed.taken[confirmed.taken.length - 1];
    // Who got nothing need not wait for the device.
    if (last === undefined) one.durable = false;
    else this.#expectsLarge = !isSmall(last.record);
    return confirmed;
  }

  #confirmAhead(facts: FactSink, one: Asking<T>, ahead: Ahead<T>): Confirmed<T> {
    if (ahead.isStale) return ASK_AGAIN;
    const { candidates, isCut } = ahead;
    const { max, below, wish, isRest } = one;
    // Facts about records that are not seen yet say nothing of their keys, and what others put in since may come first.
    this.#engine.catchUpRecords();
    this.#line.look();
    const end = Math.min(this.#engine.tail.nextIndex, below);
    const next: Readable<T>[] = [];
    const burials: Burial[] = [];
    let unreadable: { readonly index: number; readonly error: Unreadable } | undefined;
    let isOther = false;
    for (const index of this.#line.inOrder(end, wish.how === 'remove')) {
      if (next.length >= max) break;
      if (this.#isBuried(index, burials)) continue;
      const candidate = candidates.get(index) ?? this.#ahead.readUnderLock(index, ahead);
      if (candidate === undefined) {
        isOther = true;
        one.mustReadAhead = true;
        break;
      }
      if (candidate.error !== undefined) {
        if (next.length === 0 && !isRest) unreadable = { index, error: candidate.error };
        break;
      }
      next.push(candidate);
    }
    if (isOther && !isCut && next.length > 0 && !one.hasAskedAgain) {
      one.hasAskedAgain = true;
      ahead.isStale = true;
      return ASK_AGAIN;
    }
    const { taken, failure } =
      unreadable === undefined
        ? { taken: this.#takeAll(facts, wish, next), failure: undefined }
        : { taken: [], failure: this.#fail(facts, wish, unreadable, burials) };
    if (burials.length > 0) this.#undertaker.bury(facts, burials);
    // What is buried may have stood in the way of others of its key.
    const again = failure === undefined && taken.length === 0 && (isOther || burials.length > 0);
    if (again && isOther) ahead.isStale = true;
    return { taken, again, isCut: isCut && isOther && taken.length > 0, failure };
  }

  #leaseOf(wish: Wish): Lease {
    if (wish.how === 'remove') return NO_LEASE;
    // Rounded up: a lease never ends early.
    return { until: Math.ceil(this.#engine.clock.monotonic() + wish.leaseMs), lengthMs: wish.leaseMs };
  }

  /** States that these are gone, or claimed. */
  #takeAll(facts: FactSink, wish: Wish, next: readonly Readable<T>[]): Taken<T>[] {
    const isClaim = wish.how === 'claim';
    const lease = this.#leaseOf(wish);
    const incarnation = isClaim && next.length > 0 ? this.#holder.incarnation(facts) : 0;
    let attempt = 0;
    const runs = new Runs((from, to) => {
      if (isClaim) facts.claimed(from, to, incarnation, attempt, lease);
      else facts.gone(from, to);
    });
    const taken: Taken<T>[] = [];
    for (const { record, value } of next) {
      if (isClaim) {
        const ordinal = this.#engine.fates.attemptsOf(record.index) + 1;
        if (ordinal !== attempt) runs.end();
        attempt = ordinal;
      }
      runs.add(record.index);
      taken.push({ record, value, incarnation, attempt, until: lease.until });
    }
    runs.end();
    return taken;
  }

  /** The head cannot be read. Who claims it has had it in its hands for an attempt, and it is back, or to be buried. */
  #fail(
    facts: FactSink,
    wish: Wish,
    { index, error }: { readonly index: number; readonly error: Unreadable },
    burials: Burial[],
  ): Unreadable {
    if (wish.how === 'remove') return error;
    const incarnation = this.#holder.incarnation(facts);
    const attempt = this.#engine.fates.attemptsOf(index) + 1;
    if (this.#isLast(attempt)) {
      burials.push({ index, reason: error.message, attempts: attempt });
      return givenUp(error, attempt);
    }
    facts.claimed(index, index + 1, incarnation, attempt, this.#leaseOf(wish));
    facts.released(index);
    return error;
  }

  /** Whether nobody is to have the message any more: then it is to be buried by this decision. */
  #isBuried(index: number, burials: Burial[]): boolean {
    if (!this.#undertaker.isSpent(index)) return false;
    burials.push({ index, reason: reasonOf(this.#engine.fates, index) });
    return true;
  }

  #isLast(attempt: number): boolean {
    return this.#engine.journal.takesJobs && afterFailure(attempt, this.#maxAttempts) === 'dead';
  }
}

/** What the caller hears of the last attempt at a message that cannot be decoded. */
function givenUp(error: Unreadable, attempts: number): Unreadable {
  if (error instanceof CorruptError) return error;
  if (error instanceof InvalidValueError) {
    const { issues, index, cause } = error;
    const remedy =
      `It was claimed ${attempts} times and is among the dead letters now: ` +
      'requeue it for a queue whose schema takes it, or purge it';
    return new InvalidValueError(issues, { index, remedy }, cause);
  }
  return new CodecError(
    `message ${error.index} was claimed ${attempts} times, cannot be decoded, and is among the dead letters now: ` +
      'requeue it for a queue with its codec and its transforms, or purge it',
    error.index,
    error,
  );
}
