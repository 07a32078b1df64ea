/** What a thread gets of a message. The value is a copy, by the rules of structured cloning. */
export interface ThreadMessage<T> {
  readonly value: T;
  readonly index: number;
  /** How often the message was claimed, this time included. */
  readonly attempt: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly enqueuedAt: Date;
}

export interface ThreadContext {
  /**
   * Aborts when the delivery's does: the lease was lost, the message cancelled, or the time is over. Code that never awaits
   * learns of it, too, by asking for `context.signal.aborted` now and then.
   */
  readonly signal: AbortSignal;
  /** Tells every process how far the work has got, as a delivery's `progress` does. */
  progress(value: unknown): Promise<void>;
}

/** The function in the module: one that returns acknowledges the message, one that throws gives it back. */
export type ThreadFunction<T> = (message: ThreadMessage<T>, context: ThreadContext) => unknown;
