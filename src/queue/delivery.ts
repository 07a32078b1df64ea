import { CodecError, DurostoreError } from '../errors.js';
import { type FactSink, MOST_PROGRESS_BYTES } from '../journal/facts.js';
import type { Decision } from '../store/decider.js';
import type { Engine } from '../store/engine.js';
import { decodeHeaders } from '../store/headers.js';
import { callOptions, invalid, wholeNumber } from '../store/options.js';
import type { Taken } from './asking.js';
import { backoffMs } from './backoff.js';
import type { Undertaker } from './burial.js';
import { afterFailure, judgeClaim } from './judgement.js';
import { LONGEST_DELAY_MS, LONGEST_LEASE_MS, type ResolvedBackoff } from './options.js';

/** A message in a consumer's hands, until its lease ends. */
export interface Delivery<T> {
  readonly value: T;
  readonly index: number;
  /** How often the message was claimed, this time included. */
  readonly attempt: number;
  readonly enqueuedAt: Date;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborts when the lease is lost, the message was deleted, or the queue is closed, which frees its claims. */
  readonly signal: AbortSignal;
  /**
   * Done: the message is gone. Resolves when that is written; a power cut may take it back, and the message comes again.
   * LEASE_LOST where the lease has ended. Resolves where the message was deleted meanwhile.
   */
  ack(): Promise<void>;
  /**
   * Again: the message comes back at its place in line, after `delayMs` milliseconds by the wall clock; default: the queue's
   * backoff. At the last attempt it goes to the dead letters, with the reason. LEASE_LOST.
   */
  nack(options?: { delayMs?: number | undefined; reason?: string | undefined }): Promise<void>;
  /** The lease ends so many milliseconds from now; default: the queue's `leaseMs`. LEASE_LOST. */
  extend(leaseMs?: number): Promise<void>;
  /**
   * Gives the message up: to the dead letters, now, whatever attempts are left; of the reason they keep 1000 bytes of UTF-8.
   * On the device when it resolves. LEASE_LOST.
   */
  reject(reason?: string): Promise<void>;
  /**
   * Tells every process that listens how far the work has got; the value is JSON, at most 64 KiB. LEASE_LOST. CODEC where it has
   * no JSON form, RECORD_TOO_LARGE: nothing was told.
   */
  progress(value: unknown): Promise<void>;
}

const NACK_OPTIONS = new Set(['delayMs', 'reason']);

/** By what a queue judges the attempts of its own. */
export interface Terms {
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly backoff: ResolvedBackoff;
  readonly undertaker: Undertaker;
}

/** Deliveries whose signals somebody looks at. */
export interface SignalWatch {
  /** Throws CLOSED when the queue is closed. */
  assertOpen(): void;
  add(delivery: Watched): void;
  remove(delivery: Watched): void;
}

export interface Watched {
  /** Aborts the signal if the claim is over; returns when to look again, on the monotonic clock. */
  check(): number;
  /** The claim is over, whatever the facts say: aborts the signal. */
  over(reason: DurostoreError): void;
}

export class ClaimedDelivery<T> implements Delivery<T>, Watched {
  readonly value: T;
  readonly index: number;
  readonly attempt: number;
  readonly enqueuedAt: Date;
  readonly headers: Readonly<Record<string, string>>;
  readonly #engine: Engine;
  readonly #watch: SignalWatch;
  readonly #incarnation: number;
  readonly #terms: Terms;
  #until: number;
  #settled = false;
  #settling = false;
  #abort: AbortController | undefined;

  constructor(engine: Engine, watch: SignalWatch, taken: Taken<T>, terms: Terms) {
    this.value = taken.value;
    this.index = taken.record.index;
    this.attempt = taken.attempt;
    this.enqueuedAt = new Date(taken.record.time);
    this.headers = decodeHeaders(taken.record.headers, taken.record.index);
    this.#engine = engine;
    this.#watch = watch;
    this.#incarnation = taken.incarnation;
    this.#until = taken.until;
    this.#terms = terms;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (!this.#settled) this.#watch.add(this);
    }
    return this.#abort.signal;
  }

  async ack(): Promise<void> {
    this.#watch.assertOpen();
    this.#settling = true;
    try {
      // Those of one turn are made in one frame: what one of them says is gone, no other asks about.
      await this.#engine.decider.decide(this.#acknowledge, false, true);
      this.#settle();
    } finally {
      this.#hasTried();
    }
    this.#engine.sweeper.check(this.index);
  }

  readonly #acknowledge = (facts: FactSink): void => {
    const verdict = this.#verdict();
    if (verdict === 'lost') throw this.#leaseLost();
    if (verdict === 'held') facts.gone(this.index, this.index + 1);
  };

  async nack(options?: { delayMs?: number | undefined; reason?: string | undefined }): Promise<void> {
    const given = callOptions(options, NACK_OPTIONS);
    const { maxAttempts, backoff } = this.#terms;
    const reason = reasonOption(given.reason, 'given back at the last attempt');
    const delayMs = wholeNumber(
      'delayMs',
      given.delayMs,
      backoffMs(backoff, this.attempt),
      0,
      LONGEST_DELAY_MS,
    );
    this.#watch.assertOpen();
    await this.#giveBack((facts) => {
      const { clock, journal } = this.#engine;
      const now = clock.now();
      if (journal.takesJobs && afterFailure(this.attempt, maxAttempts) === 'dead')
        this.#terms.undertaker.bury(facts, [{ index: this.index, reason }]);
      else if (delayMs > 0) facts.putOff(this.index, Math.ceil(now + delayMs), Math.floor(now));
      else facts.released(this.index);
    }, false);
  }

  async extend(leaseMs?: number): Promise<void> {
    const length = wholeNumber('leaseMs', leaseMs, this.#terms.leaseMs, 1, LONGEST_LEASE_MS);
    this.#watch.assertOpen();
    await this.#engine.decider.decide((facts) => {
      if (this.#verdict() !== 'held') throw this.#leaseLost();
      const until = Math.ceil(this.#engine.clock.monotonic() + length);
      facts.extended(this.index, { until, lengthMs: length });
      this.#endsAt(until);
    }, false);
    if (this.#abort !== undefined) this.#watch.add(this);
  }

  async reject(reason?: string): Promise<void> {
    const why = reasonOption(reason, 'rejected');
    this.#watch.assertOpen();
    await this.#giveBack(
      (facts) => this.#terms.undertaker.bury(facts, [{ index: this.index, reason: why }]),
      this.#engine.durable,
    );
  }

  async progress(value: unknown): Promise<void> {
    const bytes = encodeProgress(value);
    this.#watch.assertOpen();
    await this.#engine.decider.decide((facts) => {
      if (this.#verdict() !== 'held') throw this.#leaseLost();
      facts.progress(this.index, bytes);
    }, false);
  }

  check(): number {
    if (this.#settling) return Number.POSITIVE_INFINITY;
    if (this.#verdict() === 'held') return this.#until;
    this.over(this.#leaseLost());
    return Number.POSITIVE_INFINITY;
  }

  over(reason: DurostoreError): void {
    this.#settle();
    this.#abort?.abort(reason);
  }

  #verdict(): 'held' | 'lost' | 'cancelled' {
    const { fates, clock } = this.#engine;
    const name = { index: this.index, incarnation: this.#incarnation, attempt: this.attempt };
    return judgeClaim(fates, name, this.#until, clock.monotonic());
  }

  /** What is given back is somebody else's to end, even within the time that this lease had. */
  async #giveBack(decision: (facts: FactSink) => void, durable: boolean): Promise<void> {
    await this.#settleBy((facts) => {
      if (this.#verdict() !== 'held') throw this.#leaseLost();
      decision(facts);
      this.#endsAt(Number.NEGATIVE_INFINITY);
    }, durable);
  }

  /** From within a decision: whatever is decided next, in the same commit too, is judged by that. */
  #endsAt(until: number): void {
    const before = this.#until;
    this.#until = until;
    this.#engine.decider.afterwards((counts) => {
      if (!counts) this.#until = before;
    });
  }

  /** Ends the claim by its own holder's decision, which is no reason to abort the signal. */
  async #settleBy(decision: Decision<void>, durable = false): Promise<void> {
    this.#settling = true;
    try {
      await this.#engine.decider.decide(decision, durable);
      this.#settle();
    } finally {
      this.#hasTried();
    }
  }

  #hasTried(): void {
    this.#settling = false;
    if (!this.#settled && this.#abort !== undefined) this.#watch.add(this);
  }

  #settle(): void {
    this.#settled = true;
    this.#watch.remove(this);
  }

  #leaseLost(): DurostoreError {
    const which = `message ${this.index}, attempt ${this.attempt},`;
    if (this.#verdict() === 'cancelled')
      return new DurostoreError(
        'LEASE_LOST',
        `${which} was cancelled or deleted: there is nothing left to do`,
      );
    return new DurostoreError(
      'LEASE_LOST',
      `the lease of ${which} has ended and somebody else may have it. ` +
        'Make leaseMs longer than the work takes, or extend it',
    );
  }
}

function reasonOption(value: string | undefined, otherwise: string): string {
  if (value !== undefined && typeof value !== 'string') throw invalid('reason', 'a string', value);
  return value ?? otherwise;
}

/** CODEC, RECORD_TOO_LARGE. */
function encodeProgress(value: unknown): Buffer {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodecError(`the progress has no JSON form: ${reason}. Nothing was told`, undefined, error);
  }
  if (text === undefined) throw new CodecError('the progress has no JSON form. Nothing was told');
  const bytes = Buffer.from(text);
  if (bytes.length <= MOST_PROGRESS_BYTES) return bytes;
  throw new DurostoreError(
    'RECORD_TOO_LARGE',
    `the progress is ${bytes.length} bytes of JSON, and may be ${MOST_PROGRESS_BYTES}. Nothing was told: tell less`,
  );
}
