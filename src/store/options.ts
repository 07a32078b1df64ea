import { resolve } from 'node:path';
import { type Clock, systemClock } from '../clock.js';
import { DurostoreError } from '../errors.js';
import { HEAD_BYTES } from '../frame/frame.js';
import { SEGMENT_OVERHEAD } from '../segment/appender.js';
import { type Transform, Transforms } from './transforms.js';

/** How a directory is opened. What is not recorded in it (everything but `locking`) belongs to this opener. */
export interface StoreOptions {
  /** Created if missing, with its parents. */
  directory: string;
  /** Begins all file names; several stores may share a directory. Letters, digits, `_`, `-`. Default `'duro'`. */
  filePrefix?: string | undefined;
  /** The most segments at a time. Default 1024. */
  maxFiles?: number | undefined;
  /** Bytes of one segment's data file. Default 64 MiB, at most 2 GiB less the overhead. */
  maxFileSize?: number | undefined;
  /** Bytes of data cached in memory. Default 8 MiB. The cache evicts; it never fails. */
  maxChunk?: number | undefined;
  /**
   * Bytes of one record, as it is handed in; what transforms make of it has to fit into a file, unless it is a stream. Default: what
   * fits into `maxFileSize`.
   */
  maxRecordSize?: number | undefined;
  /** What a write does when `maxFiles` are full: reject with STORE_FULL, wait for room, or drop the oldest segment. Default `'fail'`. */
  whenFull?: 'fail' | 'wait' | 'drop-oldest' | undefined;
  /**
   * What is kept at most; whole segments go, the oldest first, whatever became of their records. `maxAgeMs`: at least that old, found
   * within two minutes. `maxBytes`: beside the segment that is being written. `consumed`: what any named consumer has not committed is
   * kept, and what all of them have goes; where there is none, all is kept. The other two go by no consumer. Default: everything.
   */
  retention?:
    | { maxAgeMs?: number | undefined; maxBytes?: number | undefined; consumed?: boolean | undefined }
    | undefined;
  /** When a call resolves: in the system's cache, or on the device. Also per call. Default `'synced'`. */
  durability?: Durability | undefined;
  /** Under `'written'`: milliseconds within which it is synced in the background. Default 1000. */
  syncIntervalMs?: number | undefined;
  /** How openers keep out of each other's way. Recorded when the directory is created. Default `'auto'`. */
  locking?: 'auto' | 'os' | 'lockfile' | 'none' | undefined;
  /** The background re-read. Default `{ intervalMs: 250, watch: true }`; `false`: only while a call waits. */
  indexer?: { intervalMs?: number | undefined; watch?: boolean | undefined } | false | undefined;
  /**
   * What the data of records goes through on its way to the disk, in this order, and back in the other: `compress()`, `encrypt(keys)`,
   * your own. Noted with each record, so others stay readable: those written without, and those whose transforms are among these,
   * in whatever order. Default: none.
   */
  transforms?: readonly Transform[] | undefined;
  /** Where time comes from; for tests. */
  clock?: Clock | undefined;
  /** Aborts opening, nothing later. */
  signal?: AbortSignal | undefined;
}

/** Written: in the operating system's cache; survives the death of every process. Synced: on the device; survives a power cut. */
export type Durability = 'written' | 'synced';

/** The options as they are used: nothing is left out. */
export interface ResolvedStoreOptions {
  readonly directory: string;
  readonly filePrefix: string;
  readonly maxFiles: number;
  readonly maxFileSize: number;
  readonly maxChunk: number;
  readonly maxRecordSize: number;
  /** Whether that was said: a stream is bounded by it only then. */
  readonly hasRecordSize: boolean;
  readonly whenFull: 'fail' | 'wait' | 'drop-oldest';
  /** Infinite where there is no bound. */
  readonly retention: { readonly maxAgeMs: number; readonly maxBytes: number; readonly consumed: boolean };
  readonly durability: Durability;
  readonly syncIntervalMs: number;
  readonly locking: 'auto' | 'os' | 'lockfile' | 'none';
  readonly indexer: { readonly intervalMs: number; readonly watch: boolean };
  /** Undefined where there are none. */
  readonly transforms: Transforms | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

const MIB = 1024 * 1024;

/** What holds where nothing is said. docs/options.md repeats them, and a test compares the two. */
export const storeDefaults = {
  filePrefix: 'duro',
  maxFiles: 1024,
  maxFileSize: 64 * MIB,
  maxChunk: 8 * MIB,
  whenFull: 'fail',
  durability: 'synced',
  syncIntervalMs: 1000,
  locking: 'auto',
  indexer: { intervalMs: 250, watch: true },
} as const;

/** Positions in a data file are 32-bit. */
const LARGEST_FILE = 2 ** 31 - 1 - SEGMENT_OVERHEAD;
const SMALLEST_FILE = 256;
/** What a record of a file's size would leave for its payload. */
const recordRoom = (maxFileSize: number): number => maxFileSize - SEGMENT_OVERHEAD - HEAD_BYTES;

/** Their names are noted with each record. */
const MOST_TRANSFORMS = 16;

const KNOWN = new Set<string>([
  'directory',
  'filePrefix',
  'maxFiles',
  'maxFileSize',
  'maxChunk',
  'maxRecordSize',
  'whenFull',
  'retention',
  'durability',
  'syncIntervalMs',
  'locking',
  'indexer',
  'transforms',
  'clock',
  'signal',
]);

/** Checks the options and fills in the defaults. INVALID_OPTION names the option, what was expected and what came. */
export function resolveStoreOptions(
  options: StoreOptions,
  alsoKnown: ReadonlySet<string>,
): ResolvedStoreOptions {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || KNOWN.has(name) || alsoKnown.has(name)) continue;
    throw unknown(name);
  }
  const maxFileSize = wholeNumber(
    'maxFileSize',
    options.maxFileSize,
    storeDefaults.maxFileSize,
    SMALLEST_FILE,
    LARGEST_FILE,
  );
  const room = recordRoom(maxFileSize);
  return {
    // The process may change its own directory while the store is open.
    directory: resolve(nonEmptyString('directory', options.directory)),
    filePrefix: prefix(options.filePrefix === undefined ? storeDefaults.filePrefix : options.filePrefix),
    maxFiles: wholeNumber('maxFiles', options.maxFiles, storeDefaults.maxFiles, 1, Number.MAX_SAFE_INTEGER),
    maxFileSize,
    maxChunk: wholeNumber('maxChunk', options.maxChunk, storeDefaults.maxChunk, 0, Number.MAX_SAFE_INTEGER),
    maxRecordSize: wholeNumber('maxRecordSize', options.maxRecordSize, room, 0, room),
    hasRecordSize: options.maxRecordSize !== undefined,
    whenFull: oneOf('whenFull', options.whenFull, storeDefaults.whenFull, ['fail', 'wait', 'drop-oldest']),
    retention: retentionOption(options.retention),
    durability: oneOf('durability', options.durability, storeDefaults.durability, ['written', 'synced']),
    syncIntervalMs: wholeNumber(
      'syncIntervalMs',
      options.syncIntervalMs,
      storeDefaults.syncIntervalMs,
      1,
      2 ** 31 - 1,
    ),
    locking: oneOf('locking', options.locking, storeDefaults.locking, ['auto', 'os', 'lockfile', 'none']),
    indexer: indexerOptions(options.indexer),
    transforms: transformsOption(options.transforms),
    clock: clock(options.clock),
    signal: signalOption(options.signal),
  };
}

export function invalid(option: string, expected: string, came: unknown): DurostoreError {
  return new DurostoreError(
    'INVALID_OPTION',
    `${option}: expected ${expected}, got ${describe(came)}. Correct the call`,
  );
}

function unknown(option: string): DurostoreError {
  return new DurostoreError('INVALID_OPTION', `${option}: there is no such option. Correct the call`);
}

export function notYet(option: string): DurostoreError {
  return new DurostoreError('UNSUPPORTED', `${option} is not in this version of durostore. Leave it out`);
}

export function oneOf<T extends string>(
  option: string,
  value: T | undefined,
  otherwise: T,
  allowed: readonly T[],
): T {
  if (value === undefined) return otherwise;
  if (!allowed.includes(value)) throw invalid(option, allowed.map((one) => `'${one}'`).join(' or '), value);
  return value;
}

export function wholeNumber(
  option: string,
  value: number | undefined,
  otherwise: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return otherwise;
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw invalid(option, `a whole number from ${least} to ${most}`, value);
  }
  return value;
}

export function trueOrFalse(option: string, value: boolean | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw invalid(option, 'true or false', value);
  return value;
}

/** An option that is an object, and nothing in it that is not known. */
export function knownMembers<T extends object>(
  option: string,
  value: T,
  known: readonly string[],
): Partial<T> {
  if (typeof value !== 'object' || value === null) throw invalid(option, 'an object', value);
  for (const name of Object.keys(value)) if (!known.includes(name)) throw unknown(`${option}.${name}`);
  return value;
}

export function signalOption(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalid('signal', 'an AbortSignal', signal);
  return signal;
}

/** Milliseconds that a call waits; `otherwise` where nothing is said. */
export function waitOption(waitMs: number | undefined, otherwise: number): number {
  if (waitMs === undefined) return otherwise;
  if (typeof waitMs !== 'number' || !(waitMs >= 0))
    throw invalid('waitMs', 'milliseconds, not negative', waitMs);
  return waitMs;
}

/** The options of a call: an object, and nothing in it that the call does not know. */
export function callOptions<T extends object>(
  options: T | undefined,
  known: ReadonlySet<string>,
): Partial<T> {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  for (const name in options) {
    if (!known.has(name) && options[name] !== undefined) throw unknown(name);
  }
  return options;
}

function retentionOption(value: StoreOptions['retention']): ResolvedStoreOptions['retention'] {
  const { maxAgeMs, maxBytes, consumed } =
    value === undefined ? {} : knownMembers('retention', value, ['maxAgeMs', 'maxBytes', 'consumed']);
  const most = Number.MAX_SAFE_INTEGER;
  return {
    maxAgeMs: wholeNumber('retention.maxAgeMs', maxAgeMs, Number.POSITIVE_INFINITY, 1, most),
    maxBytes: wholeNumber('retention.maxBytes', maxBytes, Number.POSITIVE_INFINITY, 0, most),
    consumed: trueOrFalse('retention.consumed', consumed, false),
  };
}

function nonEmptyString(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw invalid(option, 'a path, not empty', value);
  }
  return value;
}

function prefix(value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(value)) {
    throw invalid('filePrefix', 'a letter or digit, then letters, digits, _ or -, at most 100', value);
  }
  return value;
}

function indexerOptions(value: StoreOptions['indexer']): { intervalMs: number; watch: boolean } {
  if (value === false) return { intervalMs: Number.POSITIVE_INFINITY, watch: true };
  if (value === undefined) return storeDefaults.indexer;
  if (typeof value !== 'object' || value === null) throw invalid('indexer', 'an object or false', value);
  knownMembers('indexer', value, ['intervalMs', 'watch']);
  const watch = trueOrFalse('indexer.watch', value.watch, storeDefaults.indexer.watch);
  const interval = storeDefaults.indexer.intervalMs;
  return { intervalMs: wholeNumber('indexer.intervalMs', value.intervalMs, interval, 1, 2 ** 31 - 1), watch };
}

function transformsOption(value: readonly Transform[] | undefined): Transforms | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalid('transforms', 'an array of transforms', value);
  if (value.length > MOST_TRANSFORMS)
    throw invalid('transforms', `at most ${MOST_TRANSFORMS} transforms`, value.length);
  const names = new Set<string>();
  for (const [at, transform] of (value as readonly unknown[]).entries()) {
    const what = `transforms[${at}]`;
    if (typeof transform !== 'object' || transform === null) throw invalid(what, 'a transform', transform);
    const { name, encode, decode } = transform as Partial<Record<keyof Transform, unknown>>;
    if (typeof name !== 'string' || !/^[A-Za-z0-9_.-]{1,100}$/.test(name))
      throw invalid(`${what}.name`, 'at most 100 letters, digits, _, - or .', name);
    if (names.has(name)) throw invalid(`${what}.name`, 'a name that no other transform has', name);
    names.add(name);
    if (typeof encode !== 'function') throw invalid(`${what}.encode`, 'a function', encode);
    if (typeof decode !== 'function') throw invalid(`${what}.decode`, 'a function', decode);
  }
  return value.length === 0 ? undefined : new Transforms([...value]);
}

function clock(value: Clock | undefined): Clock {
  if (value === undefined) return systemClock;
  if (typeof value !== 'object' || value === null) throw invalid('clock', 'an object', value);
  for (const name of ['now', 'monotonic', 'setTimer'] as const) {
    if (typeof value[name] !== 'function') throw invalid(`clock.${name}`, 'a function', value[name]);
  }
  return value;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 80 ? `${value.slice(0, 80)}…` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : 'an object';
}

export function checkIndex(index: unknown): number {
  if (!Number.isSafeInteger(index)) throw invalid('index', 'a whole number', index);
  return index as number;
}

export function checkBytes(what: string, data: unknown): asserts data is Uint8Array {
  if (!(data instanceof Uint8Array)) throw invalid(what, 'a Uint8Array', data);
}
