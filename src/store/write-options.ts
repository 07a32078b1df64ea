import { encodeHeaders } from './headers.js';
import { type Durability, oneOf, signalOption } from './options.js';

export interface WriteOptions {
  /** Strings kept with the record, at most 64 KiB as JSON. */
  headers?: Record<string, string> | undefined;
  /** When this call resolves; default: the store's. */
  durability?: Durability | undefined;
  /** Ends waiting for room or for the lock: rejects with `signal.reason`, and nothing was written. */
  signal?: AbortSignal | undefined;
}

export interface ResolvedWriteOptions {
  readonly headers: Buffer | undefined;
  readonly durable: boolean;
  readonly signal: AbortSignal | undefined;
}

export function resolveWriteOptions(options: WriteOptions, otherwise: Durability): ResolvedWriteOptions {
  const durability = oneOf('durability', options.durability, otherwise, ['written', 'synced']);
  return {
    headers: encodeHeaders(options.headers),
    durable: durability === 'synced',
    signal: signalOption(options.signal),
  };
}
