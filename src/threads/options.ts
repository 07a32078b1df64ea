import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DurostoreError } from '../mod.js';

export interface ThreadHandlerOptions {
  /** How many threads there are. Default: as many as processors, less one for everything else, at least 1. */
  threads?: number | undefined;
  /** Which export of the module is the function. Default `'default'`. */
  name?: string | undefined;
  /** Milliseconds that a function may go on after its signal aborted, before its thread is ended. Default 1000. */
  graceMs?: number | undefined;
}

export interface ResolvedThreadHandlerOptions {
  /** URL of the module. */
  readonly module: string;
  readonly threads: number;
  readonly name: string;
  readonly graceMs: number;
}

const KNOWN = new Set(['threads', 'name', 'graceMs']);
const MOST_THREADS = 1024;
const LONGEST_GRACE_MS = 2 ** 31 - 1;
const { resolve: find } = createRequire(import.meta.url);

/** INVALID_OPTION. */
export function resolveThreadHandlerOptions(
  module: URL | string,
  options: ThreadHandlerOptions = {},
): ResolvedThreadHandlerOptions {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object');
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !KNOWN.has(name)) throw invalid(name, 'an option that there is');
  const { name = 'default' } = options;
  if (typeof name !== 'string' || name === '') throw invalid('name', 'the name of an export');
  const spare = Math.max(1, availableParallelism() - 1);
  return {
    module: moduleOption(module),
    threads: wholeNumber('threads', options.threads, spare, 1, MOST_THREADS),
    name,
    graceMs: wholeNumber('graceMs', options.graceMs, 1000, 0, LONGEST_GRACE_MS),
  };
}

/** Found at once: a message can do nothing about a module that is not there, and would use up its attempts. */
function moduleOption(module: URL | string): string {
  try {
    const isUrl = module instanceof URL || module.startsWith('file:');
    const path = isUrl ? fileURLToPath(module) : resolve(module);
    return pathToFileURL(find(path)).href;
  } catch (error) {
    throw invalid('module', 'the file URL or the path of a module that is there', error);
  }
}

/** UNSUPPORTED where the optional package is not installed. */
export function assertPiscina(): void {
  try {
    find('piscina');
  } catch (error) {
    throw new DurostoreError(
      'UNSUPPORTED',
      'worker threads need the package piscina, which is not installed here: npm install piscina',
      error,
    );
  }
}

function wholeNumber(
  option: string,
  value: number | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return otherwise;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw invalid(option, `a whole number from ${least} to ${most}`);
}

const invalid = (option: string, expected: string, cause?: unknown): DurostoreError =>
  new DurostoreError('INVALID_OPTION', `${option}: expected ${expected}. Correct the call`, cause);
