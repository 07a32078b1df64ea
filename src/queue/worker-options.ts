import { callOptions, invalid, knownMembers, signalOption, wholeNumber } from '../store/options.js';
import { LONGEST_LEASE_MS } from './options.js';
import type { WorkerOptions } from './worker-contract.js';

export interface ResolvedWorkerOptions {
  readonly concurrency: number;
  readonly rateLimit: { readonly max: number; readonly perMs: number } | undefined;
  /** Infinite for none. */
  readonly timeoutMs: number;
  readonly leaseMs: number;
  readonly signal: AbortSignal | undefined;
}

const KNOWN = new Set(['concurrency', 'rateLimit', 'timeoutMs', 'leaseMs', 'signal']);
const MOST_AT_A_TIME = 2 ** 31 - 1;

/** Checks the options and fills in the defaults. INVALID_OPTION. */
export function resolveWorkerOptions(
  options: WorkerOptions | undefined,
  queueLeaseMs: number,
): ResolvedWorkerOptions {
  const given = callOptions(options, KNOWN);
  const none = Number.POSITIVE_INFINITY;
  return {
    concurrency: wholeNumber('concurrency', given.concurrency, 1, 1, MOST_AT_A_TIME),
    rateLimit: rateLimitOption(given.rateLimit),
    timeoutMs: wholeNumber('timeoutMs', given.timeoutMs, none, 1, LONGEST_LEASE_MS),
    leaseMs: wholeNumber('leaseMs', given.leaseMs, queueLeaseMs, 1, LONGEST_LEASE_MS),
    signal: signalOption(given.signal),
  };
}

function rateLimitOption(value: WorkerOptions['rateLimit']): ResolvedWorkerOptions['rateLimit'] {
  if (value === undefined) return undefined;
  const { max, perMs } = knownMembers('rateLimit', value, ['max', 'perMs']);
  if (max === undefined) throw invalid('rateLimit.max', 'a whole number', max);
  if (perMs === undefined) throw invalid('rateLimit.perMs', 'a whole number', perMs);
  return {
    max: wholeNumber('rateLimit.max', max, 1, 1, MOST_AT_A_TIME),
    perMs: wholeNumber('rateLimit.perMs', perMs, 1, 1, LONGEST_LEASE_MS),
  };
}
