import { DurostoreError } from '../errors.js';
import type { Decision } from '../store/decider.js';
import type { Engine } from '../store/engine.js';
import { decodeHeaders } from '../store/headers.js';
import { callOptions, notYet, wholeNumber } from '../store/options.js';
import { judgeClaim } from './judgement.js';
import { LONGEST_LEASE_MS } from './options.js';
import type { Taken } from './taker.js';

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
  /** Again: the message is back at its place in line. LEASE_LOST. */
  nack(options?: { delayMs?: number | undefined; reason?: string | undefined }): Promise<void>;
  /** The lease ends so many milliseconds from now; default: the queue's `leaseMs`. LEASE_LOST. */
  extend(leaseMs?: number): Promise<void>;
  /** Gives the message up: to the dead letters, now. On the device when it resolves. LEASE_LOST. */
  reject(reason?: string): Promise<void>;
  /** Tells every process how far the work has got; the value is JSON, at most 64 KiB. LEASE_LOST, CODEC. */
  progress(value: unknown): Promise<void>;
}

const NACK_OPTIONS = new Set(['delayMs', 'reason']);

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
  readonly #defaultLeaseMs: number;
  #until: number;
  #settled = false;
  #settling = false;
  #abort: AbortController | undefined;

  constructor(engine: Engine, watch: SignalWatch, taken: Taken<T>, defaultLeaseMs: number) {
    this.value = taken.value;
    this.index = taken.record.index;
    this.attempt = taken.attempt;
    this.enqueuedAt = new Date(taken.record.time);
    this.headers = decodeHeaders(taken.record.headers, taken.record.index);
    this.#engine = engine;
    this.#watch = watch;
    this.#incarnation = taken.incarnation;
    this.#until = taken.until;
    this.#defaultLeaseMs = defaultLeaseMs;
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
    await this.#settleBy((facts) => {
      const verdict = this.#verdict();
      if (verdict === 'lost') throw this.#leaseLost();
      if (verdict === 'held') facts.gone(this.index, this.index + 1);
    });
    this.#engine.sweeper.check(this.index);
  }

  async nack(options?: { delayMs?: number | undefined; reason?: string | undefined }): Promise<void> {
    const { delayMs } = callOptions(options, NACK_OPTIONS);
    if (delayMs !== undefined && delayMs !== 0) throw notYet('nack: delayMs');
    this.#watch.assertOpen();
    await this.#settleBy((facts) => {
      if (this.#verdict() !== 'held') throw this.#leaseLost();
      facts.released(this.index);
    });
    // What was given back is somebody else's to end, even within the time that this lease had.
    this.#until = Number.NEGATIVE_INFINITY;
  }

  async extend(leaseMs?: number): Promise<void> {
    const length = wholeNumber('leaseMs', leaseMs, this.#defaultLeaseMs, 1, LONGEST_LEASE_MS);
    this.#watch.assertOpen();
    this.#until = await this.#engine.decider.decide((facts) => {
      if (this.#verdict() !== 'held') throw this.#leaseLost();
      const until = Math.ceil(this.#engine.clock.monotonic() + length);
      facts.extended(this.index, { until, lengthMs: length });
      return until;
    }, false);
    if (this.#abort !== undefined) this.#watch.add(this);
  }

  async reject(): Promise<void> {
    throw notYet('reject');
  }

  async progress(): Promise<void> {
    throw notYet('progress');
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

  /** Ends the claim by its own holder's decision, which is no reason to abort the signal. */
  async #settleBy(decision: Decision<void>): Promise<void> {
    this.#settling = true;
    try {
      await this.#engine.decider.decide(decision, false);
      this.#settle();
    } finally {
      this.#settling = false;
      if (!this.#settled && this.#abort !== undefined) this.#watch.add(this);
    }
  }

  #settle(): void {
    this.#settled = true;
    this.#watch.remove(this);
  }

  #leaseLost(): DurostoreError {
    return new DurostoreError(
      'LEASE_LOST',
      `the lease of message ${this.index}, attempt ${this.attempt}, has ended and somebody else may have it. ` +
        'Make leaseMs longer than the work takes, or extend it',
    );
  }
}
