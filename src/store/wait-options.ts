import { callOptions, signalOption, waitOption } from './options.js';

/** How long a call waits for what is not there yet. */
export interface WaitOptions {
  /** Milliseconds to wait where there is nothing. Default 0; `Infinity`: until aborted or closed. */
  waitMs?: number | undefined;
  /** Ends waiting with a rejection of `signal.reason`; it never takes what was got already. */
  signal?: AbortSignal | undefined;
}

const KNOWN: ReadonlySet<string> = new Set(['waitMs', 'signal']);

/** INVALID_OPTION. */
export function resolveWaitOptions(options: WaitOptions | undefined): {
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
} {
  const { waitMs, signal } = callOptions(options, KNOWN);
  return { waitMs: waitOption(waitMs, 0), signal: signalOption(signal) };
}
