/** A message that was given up. */
export interface DeadLetter<T> {
  readonly index: number;
  /** Throws CODEC where it cannot be decoded. */
  value(): T;
  /** As the codec encoded it. Throws CODEC where a transform is missing, or cannot decode it. */
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  /** Why, as said by whoever gave it up. */
  readonly reason: string;
  /** How often it was claimed. */
  readonly attempts: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
}

/**
 * The messages that were given up. Dead is a fate, not another store: each keeps its index and its place, until it is
 * requeued or purged.
 */
export interface DeadLetters<T> {
  /** By index, from `from` on, at most `limit`. */
  list(options?: {
    from?: number | undefined;
    limit?: number | undefined;
  }): AsyncIterableIterator<DeadLetter<T>>;
  length(): Promise<number>;
  /** Puts one, or all, back at their place, with no attempts counted; how many. On the device when it resolves. */
  requeue(index?: number): Promise<number>;
  /** Deletes one, or all; how many. On the device when it resolves. */
  purge(index?: number): Promise<number>;
}
