import { onAbort } from '../abort.js';
import { DurostoreError } from '../errors.js';
import type { Delivery } from './delivery.js';

/**
 * A delivery in the hands of a worker's handler. It notes what the handler does about the message, which the worker leaves
 * at that, and can be taken out of its hands: what it does then is LEASE_LOST, whatever has become of the claim.
 *
 * A call that nobody awaits never becomes an unhandled rejection.
 */
export class HandedDelivery<T> implements Delivery<T> {
  readonly value: T;
  readonly index: number;
  readonly attempt: number;
  readonly enqueuedAt: Date;
  readonly headers: Readonly<Record<string, string>>;
  readonly #delivery: Delivery<T>;
  readonly #notice: { settled(): void; extended(leaseMs: number | undefined): void };
  #abort: AbortController | undefined;
  #stopForwarding: (() => void) | undefined;
  #takenAway: Error | undefined;
  #settling: Promise<void> | undefined;
  #fate: 'acknowledged' | 'given back' | undefined;

  constructor(
    delivery: Delivery<T>,
    notice: { settled(): void; extended(leaseMs: number | undefined): void },
  ) {
    this.value = delivery.value;
    this.index = delivery.index;
    this.attempt = delivery.attempt;
    this.enqueuedAt = delivery.enqueuedAt;
    this.headers = delivery.headers;
    this.#delivery = delivery;
    this.#notice = notice;
  }

  /** Aborts when the claim's does, or when the message is taken away. Watched only where somebody looks at it. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#takenAway === undefined) this.#forward(this.#abort, this.#delivery.signal);
      else this.#abort.abort(this.#takenAway);
    }
    return this.#abort.signal;
  }

  ack(): Promise<void> {
    return this.#settle('acknowledged', () => this.#delivery.ack());
  }

  nack(options?: { delayMs?: number | undefined; reason?: string | undefined }): Promise<void> {
    return this.#settle('given back', () => this.#delivery.nack(options));
  }

  reject(reason?: string): Promise<void> {
    return this.#settle('given back', () => this.#delivery.reject(reason));
  }

  extend(leaseMs?: number): Promise<void> {
    return this.#call(async () => {
      await this.#delivery.extend(leaseMs);
      this.#notice.extended(leaseMs);
    });
  }

  progress(value: unknown): Promise<void> {
    return this.#call(() => this.#delivery.progress(value));
  }

  /** What the handler did about the message itself, once all it has begun to do has ended; throws why that came to nothing. */
  async fate(): Promise<'acknowledged' | 'given back' | undefined> {
    try {
      await this.#settling;
    } catch (error) {
      if (this.#fate === undefined) throw error;
    }
    return this.#fate;
  }

  /** Takes the message out of the handler's hands: its signal aborts with `reason`. */
  takeAway(reason: Error): void {
    this.#takenAway = reason;
    this.release();
    this.#abort?.abort(reason);
  }

  /** The message is settled: nothing listens to the claim's signal any more. */
  release(): void {
    this.#stopForwarding?.();
    this.#stopForwarding = undefined;
  }

  #settle(fate: 'acknowledged' | 'given back', call: () => Promise<void>): Promise<void> {
    const settling = this.#call(async () => {
      await call();
      this.#fate ??= fate;
      this.#notice.settled();
    });
    if (this.#takenAway === undefined) this.#settling = settling;
    return settling;
  }

  #call(call: () => Promise<void>): Promise<void> {
    const called = this.#takenAway === undefined ? call() : Promise.reject(this.#lost(this.#takenAway));
    called.catch(() => undefined);
    return called;
  }

  #forward(abort: AbortController, signal: AbortSignal): void {
    const listener = (): void => abort.abort(signal.reason);
    if (signal.aborted) listener();
    else this.#stopForwarding = onAbort(signal, listener);
  }

  #lost(cause: Error): DurostoreError {
    return new DurostoreError(
      'LEASE_LOST',
      `message ${this.index}, attempt ${this.attempt}, was taken from its handler: ${cause.message}. ` +
        'End when the signal aborts, or make timeoutMs longer than the work takes',
      cause,
    );
  }
}
