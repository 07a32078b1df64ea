import type { Clock } from '../clock.js';
import type { Disk } from '../disk/disk.js';
import { DurostoreError } from '../errors.js';
import { KeepAlive } from './keep-alive.js';

export interface IndexerOptions {
  /** Milliseconds between two looks, the net beneath lost notices; infinite for none in the background. */
  readonly intervalMs: number;
  /** Whether notices of the operating system are asked for while somebody waits. */
  readonly watch: boolean;
}

/** While a new watch is being set up, notices may be missed: look this often, this long. */
const SETTLING_LOOK_MS = 5;
const SETTLING_MS = 250;
/** A watch that nobody waits on any more is kept this long, for consumers wait again and again. */
const LINGER_MS = 10_000;
/** Somebody who waits is served by this interval even where the background one is switched off or longer. */
const WAITING_LOOK_MS = 250;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Knows how far the directory has got, whoever wrote it. A notice is a hint and the files are the truth: whatever wakes
 * it, it looks at the files through the one door, `look`, and tells whoever waits only where that found something.
 *
 * Waiting is for a *number*: read `version`, look at what you want, and wait until the version is beyond what you read.
 * So nothing that happens between the look and the wait is missed.
 */
export class Indexer {
  /** Grows with every change that is known here, by others or by this opener. */
  version = 0;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #options: IndexerOptions;
  readonly #catchUp: () => boolean;
  readonly #patrol: () => void;
  readonly #waiters = new Set<Waiter>();
  readonly #listeners = new Set<() => void>();
  readonly #keepAlive = new KeepAlive();
  #watch: { close(): void } | undefined;
  #watchBroken = false;
  #watchedSince = 0;
  #lingerUntil = 0;
  #cancelTimer: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /**
   * `catchUp` looks at the files and says whether there was something new; `patrol`, in the background alone, whether they are
   * there at all.
   */
  constructor(
    disk: Disk,
    directory: string,
    clock: Clock,
    options: IndexerOptions,
    catchUp: () => boolean,
    patrol: () => void = () => {},
  ) {
    this.#disk = disk;
    this.#directory = directory;
    this.#clock = clock;
    this.#options = options;
    this.#catchUp = catchUp;
    this.#patrol = patrol;
    this.#arm();
  }

  /** Looks at the files now; true where there was something new. Throws what looking throws. */
  look(): boolean {
    if (!this.#catchUp()) return false;
    this.changed();
    return true;
  }

  /** Tells those who wait of a change, also one that this opener made itself. */
  changed(): void {
    this.version += 1;
    if (this.#waiters.size > 0) this.#wake();
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change until the returned function is called; changes are looked for as if one waited. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#startWatch();
    this.#arm();
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Resolves when the version is beyond `seen`, or at `wakeAt` on the monotonic clock. Rejects with `signal.reason` when
   * aborted, with CLOSED when closed. Keeps the process alive.
   */
  async beyond(seen: number, wakeAt: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw closed();
    if (this.version > seen) return;
    this.#startWatch();
    const released = this.#keepAlive.hold();
    let cancelWake: (() => void) | undefined;
    let abort: (() => void) | undefined;
    let waiter: Waiter | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { resolve, reject };
        this.#waiters.add(waiter);
        if (wakeAt < Number.POSITIVE_INFINITY) cancelWake = this.#clock.setTimer(wakeAt, resolve);
        if (signal !== undefined) {
          abort = () => reject(signal.reason);
          signal.addEventListener('abort', abort, { once: true });
        }
        this.#arm();
      });
    } finally {
      if (waiter !== undefined) this.#waiters.delete(waiter);
      cancelWake?.();
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
      released();
      this.#lingerUntil = this.#clock.monotonic() + LINGER_MS;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    this.#watch?.close();
    this.#watch = undefined;
    this.#listeners.clear();
    for (const waiter of [...this.#waiters]) waiter.reject(closed());
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter.resolve();
  }

  get #isAwaited(): boolean {
    return this.#waiters.size > 0 || this.#listeners.size > 0;
  }

  #startWatch(): void {
    if (this.#watch !== undefined || this.#watchBroken || !this.#options.watch || this.#closed) return;
    this.#watchedSince = this.#clock.monotonic();
    this.#watch = this.#disk.watch(
      this.#directory,
      () => this.#lookQuietly(),
      () => {
        // No more notices: the interval goes on.
        this.#watchBroken = true;
        this.#watch = undefined;
      },
    );
  }

  /** In the background there is nobody to tell an error to; whoever looks next meets it. */
  #lookQuietly(): void {
    if (this.#closed) return;
    try {
      this.look();
    } catch {
      this.changed();
    }
  }

  /** Sets the timer for the next look; none where nobody waits and the background is switched off. */
  #arm(): void {
    if (this.#closed) return;
    const now = this.#clock.monotonic();
    const at = now + this.#interval(now);
    if (this.#cancelTimer !== undefined && this.#timerAt <= at) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#clock.setTimer(at, () => {
      this.#cancelTimer = undefined;
      this.#stopIdleWatch();
      this.#patrol();
      this.#lookQuietly();
      this.#arm();
    });
  }

  #interval(now: number): number {
    if (!this.#isAwaited) {
      const linger = this.#watch === undefined ? Number.POSITIVE_INFINITY : LINGER_MS;
      return Math.min(this.#options.intervalMs, linger);
    }
    if (this.#watch !== undefined && now - this.#watchedSince < SETTLING_MS) return SETTLING_LOOK_MS;
    return Math.min(this.#options.intervalMs, WAITING_LOOK_MS);
  }

  #stopIdleWatch(): void {
    if (this.#isAwaited || this.#clock.monotonic() < this.#lingerUntil) return;
    this.#watch?.close();
    this.#watch = undefined;
  }
}

const closed = (): DurostoreError =>
  new DurostoreError('CLOSED', 'the store was closed while this call waited: open it again');
