import { encodeHeaders } from './headers.js';
import { callOptions, type Durability, oneOf, signalOption } from './options.js';

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

export const WRITE_OPTIONS: ReadonlySet<string> = new Set(['headers', 'durability', 'signal']);

export function resolveWriteOptions(
  options: WriteOptions | undefined,
  otherwise: Durability,
  known: ReadonlySet<string> = WRITE_OPTIONS,
): ResolvedWriteOptions {
  const { durability, headers, signal } = callOptions(options, known);
  return {
    headers: encodeHeaders(headers),
    durable: oneOf('durability', durability, otherwise, ['written', 'synced']) === 'synced',
    signal: signalOption(signal),
  };
}
