import { onAbort } from '../abort.js';
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

/** Until a new watch says that it has begun, notices may be missed: look this often, this long. */
const SETTLING_LOOK_MS = 5;
const SETTLING_MS = 250;
/** A watch that nobody waits on any more is kept this long, for consumers wait again and again. */
const LINGER_MS = 10_000;
/** Somebody who waits is served by this interval even where the background one is switched off or longer. */
const WAITING_LOOK_MS = 250;

/** A watch is closed after so many notices that nobody waited for: together they have cost what ten beginnings do. */
const NEEDLESS_NOTICES = 64;

interface Waiter {
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Knows how far the directory has got, whoever wrote it. A notice is a hint and the files are the truth: whatever wakes
 * it, it looks at the files through the one door, `look`, and tells whoever waits only where that found something.
 *
 * Waiting is for a *number*: read `version`, look at what you want, and wait until the version is beyond what you read.
 * So nothing that happens between the look and the wait is missed. ⚑ A notice that comes while nobody waits is not
 * followed by a look, for whoever asks next looks anyway; and who waits next without having looked since looks first.
 */
export class Indexer {
  /** Grows with every change that is known here, by others or by this opener. */
  version = 0;
  readonly #disk: Pick<Disk, 'watch'>;
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
  #watchedSince = Number.NEGATIVE_INFINITY;
  /** Whether the watch has not yet said that it has begun. */
  #isSettling = false;
  /** Whether a notice came that no look has followed. */
  #isBehind = false;
  #isTurnEnding = false;
  #needless = 0;
  #lingerUntil = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  /**
   * `catchUp` looks at the files and says whether there was something new; `patrol`, in the background alone, whether they are
   * there at all.
   */
  constructor(
    disk: Pick<Disk, 'watch'>,
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
    this.#isBehind = false;
    if (!this.#catchUp()) return false;
    this.changed();
    return true;
  }

  /** Tells those who wait of a change, also one that this opener made itself. */
  changed(): void {
    this.version += 1;
    if (this.#waiters.size > 0) for (const waiter of [...this.#waiters]) waiter.wake();
    if (this.#listeners.size > 0) for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change until the returned function is called; changes are looked for as if one waited. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#startWatch();
    this.#endTurnSoon();
    this.#arm();
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Resolves when the version is beyond `seen`, or at `wakeAt` on the monotonic clock. Rejects with `signal.reason` when
   * aborted, with CLOSED when closed. Keeps the process alive.
   */
  beyond(seen: number, wakeAt: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(closed());
    this.#needless = 0;
    if (this.version > seen) return DONE;
    this.#startWatch();
    if (this.#isBehind) this.#lookQuietly();
    if (this.version > seen) return DONE;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        cancelWake?.();
        unlisten?.();
        this.#keepAlive.release();
        this.#lingerUntil = this.#clock.monotonic() + LINGER_MS;
      };
      const waiter: Waiter = {
        wake: () => {
          end();
          resolve();
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      const abort = (): void => waiter.fail(signal?.reason);
      const cancelWake =
        wakeAt < Number.POSITIVE_INFINITY ? this.#clock.setTimer(wakeAt, waiter.wake) : undefined;
      const unlisten = signal === undefined ? undefined : onAbort(signal, abort);
      this.#waiters.add(waiter);
      this.#keepAlive.hold();
      this.#arm();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer?.();
    this.#closeWatch();
    this.#listeners.clear();
    for (const waiter of [...this.#waiters]) waiter.fail(closed());
    this.#keepAlive.close();
  }

  #isAwaited(): boolean {
    return this.#waiters.size > 0 || this.#listeners.size > 0;
  }

  #startWatch(): void {
    if (this.#watch !== undefined || this.#watchBroken || !this.#options.watch || this.#closed) return;
    this.#watchedSince = this.#clock.monotonic();
    this.#isSettling = true;
    this.#watch = this.#disk.watch(this.#directory, this.#notice, () => {
      // No more notices: the interval goes on.
      this.#watchBroken = true;
      this.#watch = undefined;
    });
  }

  #closeWatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  /** The notices of one turn make two looks at most: at the first, and behind the last. */
  readonly #notice = (): void => {
    this.#isSettling = false;
    this.#isBehind = true;
    if (!this.#isAwaited()) {
      this.#needless += 1;
      if (this.#needless >= NEEDLESS_NOTICES) this.#closeWatch();
    } else if (!this.#isTurnEnding) {
      this.#lookQuietly();
      // Behind the look: who waits for it need not wait for this.
      this.#endTurnSoon();
    }
  };

  #endTurnSoon(): void {
    if (this.#isTurnEnding) return;
    this.#isTurnEnding = true;
    setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#isTurnEnding = false;
    if (this.#isBehind && this.#isAwaited()) this.#lookQuietly();
  };

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
    if (!this.#isAwaited()) {
      const linger = this.#watch === undefined ? Number.POSITIVE_INFINITY : LINGER_MS;
      return Math.min(this.#options.intervalMs, linger);
    }
    if (this.#watch !== undefined && this.#isSettling && now - this.#watchedSince < SETTLING_MS)
      return SETTLING_LOOK_MS;
    return Math.min(this.#options.intervalMs, WAITING_LOOK_MS);
  }

  #stopIdleWatch(): void {
    if (!this.#isAwaited() && this.#clock.monotonic() >= this.#lingerUntil) this.#closeWatch();
  }
}

const DONE = Promise.resolve();

const closed = (): DurostoreError =>
  new DurostoreError('CLOSED', 'the store was closed while this call waited: open it again');
