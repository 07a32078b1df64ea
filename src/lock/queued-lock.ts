import type { Lock } from './lock.js';
import { locksClosed } from './lock-file.js';
import { Poll } from './poll.js';
import { WaitingLine } from './waiting-line.js';

/** What stands between this process and a lock that others want too. Who is inside never passes it again. */
export interface Gate {
  /** For one that has not waited. */
  tryPass(): boolean;
  /** For one that waits; from the first try on it may have a place there, until it passes or stops waiting. */
  tryPassWaiting(): boolean;
  stopWaiting(): void;
  /** Whether it is this one's turn among those that wait. */
  readonly isNext: boolean;
  /** Whether others would not mind if the next one of this process entered without passing. */
  readonly mayStay: boolean;
  leave(): void;
  /** Frees whatever is held of it. */
  close(): void;
}

/** A lock that those of this process take first come first served, behind a gate shared with other processes. */
export class QueuedLock implements Lock {
  readonly #gate: Gate;
  readonly #directory: string;
  readonly #before: QueuedLock | undefined;
  readonly #line = new WaitingLine(() => this.#stopPolling());
  readonly #poll = new Poll(
    () => this.#tryAdmit(),
    () => this.#gate.isNext,
  );
  #held = false;
  #heldWithoutWaiting = false;
  #closed = false;

  /** `before` must not be held when this one is entered, by the lock order. */
  constructor(gate: Gate, directory: string, before?: QueuedLock) {
    this.#gate = gate;
    this.#directory = directory;
    this.#before = before;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Whether the running code is inside, for certain: a section that `tryEnter` began is of one piece. */
  get isInSection(): boolean {
    return this.#heldWithoutWaiting;
  }

  tryEnter(): boolean {
    this.#assertOrder();
    if (this.#held || this.#closed || !this.#line.isEmpty || !this.#gate.tryPass()) return false;
    this.#held = true;
    this.#heldWithoutWaiting = true;
    return true;
  }

  enter(signal?: AbortSignal): Promise<void> {
    try {
      this.#assertOrder();
      signal?.throwIfAborted();
      if (this.#closed) throw locksClosed(this.#directory);
    } catch (error) {
      return Promise.reject(error);
    }
    const admitted = this.#line.join(signal);
    if (!this.#held && !this.#poll.isRunning && !this.#tryAdmit()) this.#poll.start();
    return admitted;
  }

  leave(): void {
    if (!this.#held) {
      if (this.#closed) return;
      throw new Error('Left a lock that was not held');
    }
    this.#heldWithoutWaiting = false;
    if (!this.#line.isEmpty && this.#gate.mayStay) {
      this.#line.admitFirst();
      return;
    }
    this.#held = false;
    this.#gate.leave();
    if (!this.#line.isEmpty && !this.#tryAdmit()) this.#poll.start();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = false;
    this.#heldWithoutWaiting = false;
    this.#stopPolling();
    this.#gate.close();
    this.#line.refuseAll(locksClosed(this.#directory));
  }

  /** Whether the wait is over, for good or ill. */
  #tryAdmit(): boolean {
    try {
      if (!this.#gate.tryPassWaiting()) return false;
    } catch (error) {
      this.#gate.stopWaiting();
      this.#line.refuseAll(error);
      return true;
    }
    this.#held = true;
    this.#line.admitFirst();
    return true;
  }

  #stopPolling(): void {
    if (!this.#poll.isRunning) return;
    this.#poll.stop();
    this.#gate.stopWaiting();
  }

  /** After an `enter` nothing can be said: other code may rightly run before the code that awaits it. */
  #assertOrder(): void {
    if (this.#before?.isInSection) throw new Error('Lock order: fate comes before write');
  }
}
