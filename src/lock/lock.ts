/** Lets one at a time in, among all openers of a directory in all processes. Not re-entrant. */
export interface Lock {
  /** Whether this handle holds it. */
  readonly held: boolean;
  /**
   * Enters if that needs no waiting and nobody else's turn comes first. False once closed, too: `enter` says why.
   * The section that follows must not span an `await`.
   */
  tryEnter(): boolean;
  /** Enters when its turn comes. Rejects with `signal.reason` when aborted, with CLOSED when the locks are closed. */
  enter(signal?: AbortSignal): Promise<void>;
  /** Nothing to leave is an error, except after the locks were closed: closing has left already. */
  leave(): void;
}
