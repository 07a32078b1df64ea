import {
  invalid,
  notYet,
  type ResolvedStoreOptions,
  resolveStoreOptions,
  type StoreOptions,
  wholeNumber,
} from '../store/options.js';
import { type Codec, type CodecName, resolveCodec } from './codec.js';

export interface QueueOptions<T> extends StoreOptions {
  /** How values become bytes. Noted with each record. Default `'json'`. */
  codec?: CodecName | Codec<T> | undefined;
  /** How long a claim holds, in milliseconds. Default 30,000. */
  leaseMs?: number | undefined;
}

export interface ResolvedQueueOptions<T> {
  readonly store: ResolvedStoreOptions;
  readonly codec: Codec<T>;
  readonly leaseMs: number;
}

/** What holds where nothing is said. docs/options.md repeats them, and a test compares the two. */
export const queueDefaults = { codec: 'json', leaseMs: 30_000 } as const;

/** A lease of more than a year is a mistake, and 2^48 ms is what the format holds. */
export const LONGEST_LEASE_MS = 366 * 24 * 3600 * 1000;

const OWN = new Set(['codec', 'leaseMs']);
const NOT_YET = new Set([
  'schema',
  'validateOnRead',
  'maxAttempts',
  'backoff',
  'deduplication',
  'deadLetters',
]);

export function resolveQueueOptions<T>(options: QueueOptions<T>): ResolvedQueueOptions<T> {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && NOT_YET.has(name)) throw notYet(name);
  return {
    store: resolveStoreOptions(options, new Set([...OWN, ...NOT_YET])),
    codec: resolveCodec(options.codec),
    leaseMs: wholeNumber('leaseMs', options.leaseMs, queueDefaults.leaseMs, 1, LONGEST_LEASE_MS),
  };
}
