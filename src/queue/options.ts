import {
  invalid,
  knownMembers,
  type ResolvedStoreOptions,
  resolveStoreOptions,
  type StoreOptions,
  trueOrFalse,
  wholeNumber,
} from '../store/options.js';
import { type Codec, type CodecName, resolveCodec } from './codec.js';
import type { StandardSchemaV1 } from './standard-schema.js';

export interface QueueOptions<T> extends StoreOptions {
  /** How values become bytes. Noted with each record. Default `'json'`. */
  codec?: CodecName | Codec<T> | undefined;
  /** Checks each value on the way in; what it returns is stored. INVALID_VALUE where it has issues. */
  schema?: StandardSchemaV1<unknown, T> | undefined;
  /** Whether values are checked on the way out, too. Default false. */
  validateOnRead?: boolean | undefined;
  /** How long a claim holds, in milliseconds. Default 30,000. */
  leaseMs?: number | undefined;
  /** A message that was claimed so often in vain goes to the dead letters. Default 5. */
  maxAttempts?: number | undefined;
  /** How long a message waits after a failed attempt. Default `{ initialMs: 0 }`. */
  backoff?: Backoff | undefined;
  /** How long the ids of messages are remembered. Default 120,000 ms. */
  deduplication?: { windowMs: number } | undefined;
  /** Dead letters beyond are purged. Default: they are kept. */
  deadLetters?: { maxAgeMs?: number | undefined; maxCount?: number | undefined } | undefined;
}

/** `initialMs` after the first failure, `factor` times as long after each further one, at most `maxMs`. */
export interface Backoff {
  initialMs: number;
  /** Default 2. */
  factor?: number | undefined;
  /** Default 3,600,000. */
  maxMs?: number | undefined;
  /** Whether a random part, up to half, is taken off, so that what failed together does not come together. Default true. */
  jitter?: boolean | undefined;
}

export interface ResolvedBackoff {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  readonly jitter: boolean;
}

export interface ResolvedQueueOptions<T> {
  readonly store: ResolvedStoreOptions;
  readonly codec: Codec<T>;
  readonly leaseMs: number;
  readonly schema: StandardSchemaV1<unknown, T> | undefined;
  readonly validateOnRead: boolean;
  readonly maxAttempts: number;
  readonly backoff: ResolvedBackoff;
  readonly deduplicationMs: number;
  readonly deadLetters: { readonly maxAgeMs: number; readonly maxCount: number };
}

/** What holds where nothing is said. docs/options.md repeats them, and a test compares the two. */
export const queueDefaults = {
  codec: 'json',
  leaseMs: 30_000,
  maxAttempts: 5,
  deduplication: { windowMs: 120_000 },
  backoff: { initialMs: 0, factor: 2, maxMs: 3_600_000, jitter: true },
  validateOnRead: false,
} as const;

/** A lease of more than a year is a mistake, and 2^48 ms is what the format holds. */
export const LONGEST_LEASE_MS = 366 * 24 * 3600 * 1000;
/** The same for delays, though a longer one is conceivable. */
export const LONGEST_DELAY_MS = 100 * LONGEST_LEASE_MS;

const OWN = new Set([
  'codec',
  'schema',
  'validateOnRead',
  'leaseMs',
  'maxAttempts',
  'backoff',
  'deduplication',
  'deadLetters',
]);

export function resolveQueueOptions<T>(options: QueueOptions<T>): ResolvedQueueOptions<T> {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  const most = Number.MAX_SAFE_INTEGER;
  const defaults = queueDefaults;
  return {
    store: resolveStoreOptions(options, OWN),
    codec: resolveCodec(options.codec),
    schema: schemaOption(options.schema),
    validateOnRead: trueOrFalse('validateOnRead', options.validateOnRead, defaults.validateOnRead),
    leaseMs: wholeNumber('leaseMs', options.leaseMs, defaults.leaseMs, 1, LONGEST_LEASE_MS),
    maxAttempts: wholeNumber('maxAttempts', options.maxAttempts, defaults.maxAttempts, 1, 2 ** 32 - 1),
    backoff: backoffOption(options.backoff),
    deduplicationMs: windowOption(options.deduplication),
    deadLetters: boundsOption(options.deadLetters, most),
  };
}

function backoffOption(value: Backoff | undefined): ResolvedBackoff {
  if (value === undefined) return queueDefaults.backoff;
  const given = knownMembers('backoff', value, ['initialMs', 'factor', 'maxMs', 'jitter']);
  const { initialMs, factor = queueDefaults.backoff.factor } = given;
  if (initialMs === undefined) throw invalid('backoff.initialMs', 'a whole number', initialMs);
  if (typeof factor !== 'number' || !(factor >= 1 && factor <= 1000))
    throw invalid('backoff.factor', 'a number from 1 to 1000', factor);
  return {
    initialMs: wholeNumber('backoff.initialMs', initialMs, 0, 0, LONGEST_DELAY_MS),
    factor,
    maxMs: wholeNumber('backoff.maxMs', given.maxMs, queueDefaults.backoff.maxMs, 0, LONGEST_DELAY_MS),
    jitter: trueOrFalse('backoff.jitter', given.jitter, queueDefaults.backoff.jitter),
  };
}

function windowOption(value: { windowMs: number } | undefined): number {
  if (value === undefined) return queueDefaults.deduplication.windowMs;
  const { windowMs } = knownMembers('deduplication', value, ['windowMs']);
  if (windowMs === undefined) throw invalid('deduplication.windowMs', 'a whole number', windowMs);
  return wholeNumber('deduplication.windowMs', windowMs, 0, 0, LONGEST_DELAY_MS);
}

function boundsOption(
  value: QueueOptions<unknown>['deadLetters'],
  most: number,
): { maxAgeMs: number; maxCount: number } {
  if (value === undefined) return { maxAgeMs: Number.POSITIVE_INFINITY, maxCount: Number.POSITIVE_INFINITY };
  const { maxAgeMs, maxCount } = knownMembers('deadLetters', value, ['maxAgeMs', 'maxCount']);
  const infinite = Number.POSITIVE_INFINITY;
  return {
    maxAgeMs: maxAgeMs === undefined ? infinite : wholeNumber('deadLetters.maxAgeMs', maxAgeMs, 0, 0, most),
    maxCount: maxCount === undefined ? infinite : wholeNumber('deadLetters.maxCount', maxCount, 0, 0, most),
  };
}

function schemaOption<T>(
  value: StandardSchemaV1<unknown, T> | undefined,
): StandardSchemaV1<unknown, T> | undefined {
  if (value === undefined) return undefined;
  // Some validators are functions.
  const isHolder = (typeof value === 'object' && value !== null) || typeof value === 'function';
  const standard: unknown = isHolder ? value['~standard'] : undefined;
  if (typeof standard !== 'object' || standard === null || typeof value['~standard'].validate !== 'function')
    throw invalid('schema', 'a validator with Standard Schema', value);
  return value;
}
