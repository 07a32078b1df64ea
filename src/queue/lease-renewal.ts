import type { Clock } from '../clock.js';
import { DurostoreError } from '../errors.js';
import type { Delivery } from './delivery.js';

/** Errors behind which nothing can be renewed any more. */
const FINAL = new Set(['LEASE_LOST', 'CLOSED', 'STORE_FAILED']);

/**
 * Extends a claim's lease again and again, each time a third of it has passed, so that two of them may come to nothing before it
 * ends. Not in time where the event loop is blocked: then the lease is lost like any other.
 */
export class LeaseRenewal {
  readonly #delivery: Delivery<unknown>;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #failed: (error: unknown) => void;
  #cancelTimer: (() => void) | undefined;
  #stopped = false;

  /** `failed` hears of a renewal that came to nothing while the lease may still run. */
  constructor(delivery: Delivery<unknown>, clock: Clock, leaseMs: number, failed: (error: unknown) => void) {
    this.#delivery = delivery;
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#failed = failed;
    this.#after(leaseMs / 3);
  }

  /** Somebody else has extended the lease to `leaseMs` from now, which counts as long as it is the longer one. */
  extended(leaseMs: number): void {
    this.#after(Math.max(leaseMs / 3, leaseMs - (2 * this.#leaseMs) / 3));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #after(ms: number): void {
    if (this.#stopped) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.setTimer(this.#clock.monotonic() + ms, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    try {
      await this.#delivery.extend(this.#leaseMs);
    } catch (error) {
      if (this.#stopped) return;
      if (error instanceof DurostoreError && FINAL.has(error.code)) return this.stop();
      this.#failed(error);
    }
    this.#after(this.#leaseMs / 3);
  }
}
