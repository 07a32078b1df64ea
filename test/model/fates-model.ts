/** A message as the model has it. What it is to those who ask follows from these, and from what time it is. */
export interface FatedMessage {
  readonly index: number;
  /** Undefined: nobody can decode it. */
  readonly value: number | undefined;
  attempts: number;
  /** Wall time of the first failure that was noted. */
  firstFailedAt: number | undefined;
  /** Since when that might have been noted, where its holder died behind the end of its lease. */
  mightBeNotedSince: number | undefined;
  /** Who has, or had, it under a lease until then. */
  claim: { readonly delivery: number; readonly holder: number; until: number } | undefined;
  /** Its last holder died over it. */
  isOrphan: boolean;
  /** Wall time before which nobody gets it. */
  due: number | undefined;
  death: ModelDeath | undefined;
}

export interface ModelDeath {
  readonly reason: string;
  readonly attempts: number;
  /** The earliest and the latest time that may be said. */
  readonly firstFailedAt: { readonly from: number; readonly to: number };
  readonly lastFailedAt: number;
}

export interface FatesOptions {
  readonly maxAttempts: number;
  readonly leaseMs: number;
  /** Without jitter. */
  readonly backoff: { readonly initialMs: number; readonly factor: number; readonly maxMs: number };
  readonly maxCount: number;
  readonly maxAgeMs: number;
}

export interface ModelClock {
  now(): number;
  monotonic(): number;
}

/** What becomes of a queue's messages, in a plain array, as the contract has it. It shares nothing with the library. */
export class FatesModel {
  messages: FatedMessage[] = [];
  /** Every death there was, in order. */
  readonly deaths: { readonly index: number; readonly reason: string }[] = [];
  next = 1;
  #deliveries = 0;
  readonly #options: FatesOptions;
  readonly #clock: ModelClock;

  constructor(options: FatesOptions, clock: ModelClock) {
    this.#options = options;
    this.#clock = clock;
  }

  put(value: number | undefined): void {
    this.messages.push({
      index: this.next++,
      value,
      attempts: 0,
      firstFailedAt: undefined,
      mightBeNotedSince: undefined,
      claim: undefined,
      isOrphan: false,
      due: undefined,
      death: undefined,
    });
  }

  find(index: number): FatedMessage | undefined {
    return this.messages.find((message) => message.index === index);
  }

  isClaimed({ claim }: FatedMessage): boolean {
    return claim !== undefined && claim.until > this.#clock.monotonic();
  }

  waiting(): FatedMessage[] {
    return this.messages.filter((one) => !one.death && !this.isClaimed(one) && one.due === undefined);
  }

  counts(): { length: number; waiting: number; claimed: number; delayed: number; dead: number } {
    return {
      length: this.messages.length,
      waiting: this.waiting().length,
      claimed: this.messages.filter((one) => this.isClaimed(one)).length,
      delayed: this.messages.filter(({ due }) => due !== undefined).length,
      dead: this.dead().length,
    };
  }

  dead(): FatedMessage[] {
    return this.messages.filter(({ death }) => death !== undefined);
  }

  /** How many there were. */
  remove(indexes: readonly number[]): number {
    const before = this.messages.length;
    this.messages = this.messages.filter(({ index }) => !indexes.includes(index));
    return before - this.messages.length;
  }

  /** The first in line that can be decoded, up to `max`; undefined where the first one cannot. */
  readable(max: number): FatedMessage[] | undefined {
    const line = this.waiting().slice(0, max);
    const bad = line.findIndex(({ value }) => value === undefined);
    if (bad === 0) return undefined;
    return bad < 0 ? line : line.slice(0, bad);
  }

  dequeue(max: number): FatedMessage[] | undefined {
    const taken = this.readable(max);
    if (taken !== undefined) this.remove(taken.map(({ index }) => index));
    return taken;
  }

  /** The deliveries' numbers; undefined where the first cannot be decoded: then that was an attempt. */
  claim(
    max: number,
    holder: number,
    leaseMs: number,
  ): { message: FatedMessage; delivery: number }[] | undefined {
    const taken = this.readable(max);
    if (taken === undefined) {
      const [bad] = this.waiting();
      if (bad === undefined) throw new Error('nothing is first in line');
      this.#noteFailure(bad);
      bad.claim = undefined;
      bad.attempts += 1;
      if (bad.attempts >= this.#options.maxAttempts) this.die(bad, 'CODEC');
      else this.#noteFailure(bad, true);
      return undefined;
    }
    return taken.map((message) => {
      this.#noteFailure(message);
      const delivery = ++this.#deliveries;
      message.claim = { delivery, holder, until: this.#clock.monotonic() + leaseMs };
      message.attempts += 1;
      message.isOrphan = false;
      return { message, delivery };
    });
  }

  nack(message: FatedMessage, delayMs: number | undefined, reason: string | undefined): void {
    const { backoff, maxAttempts } = this.#options;
    if (message.attempts >= maxAttempts) {
      this.die(message, reason ?? 'given back at the last attempt');
      return;
    }
    this.#noteFailure(message);
    message.claim = undefined;
    let wait = delayMs ?? backoff.initialMs;
    if (delayMs === undefined) {
      for (let n = 1; n < message.attempts; n++) wait *= backoff.factor;
      wait = Math.min(wait, backoff.maxMs);
    }
    message.due = wait > 0 ? this.#clock.now() + wait : undefined;
  }

  die(message: FatedMessage, reason: string): void {
    const now = this.#clock.now();
    const firstFailedAt = message.firstFailedAt ?? now;
    message.death = {
      reason,
      attempts: message.attempts,
      firstFailedAt: { from: message.mightBeNotedSince ?? firstFailedAt, to: firstFailedAt },
      lastFailedAt: now,
    };
    message.claim = undefined;
    message.due = undefined;
    message.isOrphan = false;
    this.deaths.push({ index: message.index, reason });
  }

  requeue(index: number | undefined): number {
    const dead = this.dead().filter((one) => index === undefined || one.index === index);
    for (const one of dead) {
      one.death = undefined;
      one.attempts = 0;
      one.firstFailedAt = undefined;
      one.mightBeNotedSince = undefined;
    }
    return dead.length;
  }

  purge(index: number | undefined): number {
    return this.remove(
      this.dead().flatMap((one) => (index === undefined || one.index === index ? [one.index] : [])),
    );
  }

  /**
   * The holder has closed: what it had, under a lease that runs or not, is free. Or it was killed after the time `lookedAt`: what had
   * ended by then is free already, and nobody need ask for its holder; that it failed is noted when that is found, or when it is
   * claimed again.
   */
  release(holder: number, isKilled: boolean, lookedAt = Number.NEGATIVE_INFINITY): void {
    for (const message of this.messages) {
      if (message.claim?.holder !== holder) continue;
      if (isKilled && message.claim.until <= lookedAt) {
        if (message.firstFailedAt === undefined) message.mightBeNotedSince ??= this.#clock.now();
        continue;
      }
      if (!isKilled && message.attempts >= this.#options.maxAttempts)
        this.die(message, 'the queue was closed');
      else {
        this.#noteFailure(message);
        message.claim = undefined;
        message.isOrphan = isKilled;
      }
    }
  }

  /** Somebody looks: what is due waits, what is used up is dead, what is beyond the bounds is gone. */
  look(): void {
    const now = this.#clock.now();
    for (const message of this.messages) {
      if (message.due !== undefined && message.due <= now) message.due = undefined;
      const isHeld = this.isClaimed(message) || message.death !== undefined;
      if (isHeld || message.attempts < this.#options.maxAttempts) continue;
      this.die(message, message.isOrphan ? 'the consumer died' : 'the lease ended');
    }
    this.bound();
  }

  bound(): void {
    const { maxCount, maxAgeMs } = this.#options;
    const dead = this.dead().sort((a, b) => this.#diedAt(a) - this.#diedAt(b) || a.index - b.index);
    const old = dead.filter((one) => this.#clock.now() - this.#diedAt(one) >= maxAgeMs);
    const beyond = dead.slice(0, Math.max(0, dead.length - maxCount));
    this.remove([...old, ...beyond].map(({ index }) => index));
  }

  #diedAt({ death }: FatedMessage): number {
    return death?.lastFailedAt ?? 0;
  }

  /** An attempt that has begun and is over has failed; that its lease ended is noted when the next fact comes. */
  #noteFailure(message: FatedMessage, hasFailed = message.claim !== undefined): void {
    if (hasFailed) message.firstFailedAt ??= this.#clock.now();
  }
}
