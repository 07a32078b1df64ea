import { invalid, resolveStoreOptions } from '../store/options.js';

/** Which directory is looked after. */
export interface CareOptions {
  directory: string;
  /** The prefix that the store was created with. Default `'duro'`. */
  filePrefix?: string | undefined;
  /** Aborts it; a repair only before it changes anything. */
  signal?: AbortSignal | undefined;
  /** Called now and then with the bytes read so far and those there are to read; that may grow meanwhile. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The options as they are used: nothing is left out. */
export interface ResolvedCareOptions {
  readonly directory: string;
  readonly filePrefix: string;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (done: number, total: number) => void;
}

const KNOWN = new Set(['directory', 'filePrefix', 'signal', 'onProgress']);

/** Checks the options and fills in the defaults. INVALID_OPTION names the option, what was expected and what came. */
export function resolveCareOptions(options: CareOptions): ResolvedCareOptions {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !KNOWN.has(name))
      throw invalid(name, 'no such option here (directory, filePrefix, signal, onProgress)', value);
  const { onProgress, ...store } = options;
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalid('onProgress', 'a function', onProgress);
  const { directory, filePrefix, signal } = resolveStoreOptions(store, new Set());
  return { directory, filePrefix, signal, onProgress: onProgress ?? (() => {}) };
}
