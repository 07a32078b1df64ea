import type { QueueOptions } from '../../src/mod.js';

/** What the parent tells a child program, as JSON in its first argument. */
export interface Orders {
  readonly directory: string;
  readonly options: Omit<QueueOptions<string>, 'directory' | 'clock' | 'signal' | 'codec'>;
}

/** Beside them: whoever has this closes and opens again after so many calls. */
export interface Reopening {
  readonly reopenEvery: number;
}

export function orders<T extends Orders>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

/** Aborts when the parent says 'stop'. Ends this program at once when the parent is gone. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController();
  process.on('message', (message) => {
    if (message === 'stop') stop.abort();
  });
  process.on('disconnect', () => process.exit(1));
  // It may have gone while this program was starting.
  if (process.connected === false) process.exit(1);
  return stop.signal;
}

/** Tells the parent, and resolves when the message is on its way. */
export function tell(message: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

/** Lets the program end by itself: nothing but the channel to the parent keeps it alive. */
export function leave(): void {
  process.removeAllListeners('disconnect');
  process.disconnect?.();
}
