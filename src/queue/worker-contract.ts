export interface WorkerOptions {
  /** How many handlers run at a time. Default 1. */
  concurrency?: number | undefined;
  /** At most `max` handlers begin in any `perMs` milliseconds. */
  rateLimit?: { max: number; perMs: number } | undefined;
  /** A longer run's signal aborts, its attempt has failed, and its lease is renewed no more. Default none. */
  timeoutMs?: number | undefined;
  /** Of each claim; it is renewed while the handler runs. Default: the queue's. */
  leaseMs?: number | undefined;
  /** Closes the worker. */
  signal?: AbortSignal | undefined;
}

export interface WorkerStats {
  running: number;
  done: number;
  failed: number;
  paused: boolean;
}

/** Takes messages and hands them to a handler, until it is closed. */
export interface Worker extends AsyncDisposable {
  /** Takes no more, and resolves when the running handlers have ended. Idempotent. */
  close(): Promise<void>;
  /** Takes no more until `resume`; what runs goes on. */
  pause(): void;
  resume(): void;
  stats(): WorkerStats;
}
