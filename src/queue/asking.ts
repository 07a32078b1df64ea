import type { FactSink } from '../journal/facts.js';
import type { StoredRecord } from '../segment/stored-record.js';
import type { PendingDecision } from '../store/decider.js';
import type { Ahead, Unreadable } from './read-ahead.js';

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

/** What one step of taking brought. */
export interface Haul<T> {
  readonly taken: Taken<T>[];
  /** Whether the step ended because it was long enough: there may be more. */
  readonly isCut: boolean;
  /** Whether the facts are as durable as the wish wants; else that is left to who takes the steps. */
  readonly isSettled: boolean;
}

/** What came of asking: messages, or why there are none; where others came between, it is to be asked again. */
export interface Confirmed<T> {
  readonly taken: Taken<T>[];
  readonly again: boolean;
  readonly isCut: boolean;
  readonly failure: Unreadable | undefined;
}

/** Who is asked. */
export interface Asked<T> {
  /** Under the fate lock. */
  confirm(facts: FactSink, asking: Asking<T>): Confirmed<T>;
  answer(asking: Asking<T>, confirmed: Confirmed<T>): void;
}

/** Somebody asks for messages, and waits for what is decided. */
export class Asking<T> implements PendingDecision {
  readonly max: number;
  readonly wish: Wish;
  /** Only messages below this index. */
  readonly below: number;
  /** Whether the caller has some already: an unreadable message is the trouble of who asks next. */
  readonly isRest: boolean;
  readonly resolve: (haul: Haul<T>) => void;
  readonly reject: (error: unknown) => void;
  readonly #asked: Asked<T>;
  durable = false;
  /** Whether the facts will be as durable as the wish wants when it is answered. */
  isSettled = true;
  /** What was read ahead for this one and others; while it is being decided. */
  ahead: Ahead<T> | undefined = undefined;
  /** Whether less could be taken than is there, for others came between. */
  hasAskedAgain = false;
  /** Whether what is next could not be read under the lock. */
  mustReadAhead = false;
  #confirmed: Confirmed<T> | undefined = undefined;

  constructor(
    asked: Asked<T>,
    max: number,
    wish: Wish,
    below: number,
    isRest: boolean,
    resolve: (haul: Haul<T>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#asked = asked;
    this.max = max;
    this.wish = wish;
    this.below = below;
    this.isRest = isRest;
    this.resolve = resolve;
    this.reject = reject;
  }

  decide(facts: FactSink): void {
    this.#confirmed = this.#asked.confirm(facts, this);
  }

  answer(): void {
    if (this.#confirmed !== undefined) this.#asked.answer(this, this.#confirmed);
  }
}
