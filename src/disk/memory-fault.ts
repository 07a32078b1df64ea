import { below, seeded } from './memory-random.js';

/** A call on a memory disk that can fail. */
export interface Operation {
  /** Which process calls. */
  readonly opener: string;
  /** The how-manieth of the machine, from 1. */
  readonly n: number;
  readonly kind: OperationKind;
  readonly path: string;
  /** Of a write: what it writes, valid only during the call. */
  readonly write?: PlacedBytes | undefined;
}

export interface PlacedBytes {
  readonly position: number;
  readonly bytes: Uint8Array;
}

export type OperationKind =
  | 'open'
  | 'create'
  | 'list'
  | 'makeDirectory'
  | 'createDirectory'
  | 'removeDirectory'
  | 'modifiedAt'
  | 'setModifiedAt'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'syncDirectory'
  | 'watch'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'lock';

export type SystemErrorCode = 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EMFILE' | 'EACCES' | 'EROFS';

/**
 * What happens instead of the call:
 *
 * - `die`: its process dies before the call takes effect, `die-after`: just after it
 * - `error`: the system refuses. A sync refused loses what it was to sync for all later syncs, as on Linux;
 *   `reached: 'some'` lets a part of it get to the device all the same
 * - `short`: a write takes so many bytes only
 * - `torn`: a write takes so many bytes, then its process dies
 */
export type Fault =
  | 'die'
  | 'die-after'
  | { readonly error: SystemErrorCode; readonly reached?: 'nothing' | 'some' }
  | { readonly short: number }
  | { readonly torn: number };

/** Decides about each operation, and prints what it decides, so that a failing test names its fault. */
export interface Injector {
  (operation: Operation): Fault | undefined;
  toString(): string;
}

/** A condition of an injector. */
export interface Where {
  (operation: Operation): boolean;
  toString(): string;
}

/**
 * The fault, where all conditions hold. They are asked from left to right and only as long as they hold, so that
 * `onIndex` counts what those before it let through: `inject('die', onKind('sync'), onIndex(3))`.
 */
export function inject(fault: Fault, ...conditions: Where[]): Injector {
  return printing([describe(fault), ...conditions].join(' '), (operation) =>
    conditions.every((holds) => holds(operation)) ? fault : undefined,
  );
}

/** The first that has a fault. All are asked, so that their counts do not depend on each other. */
export function anyOf(...injectors: Injector[]): Injector {
  return printing(injectors.join(', or '), (operation) => {
    const faults = injectors.map((injector) => injector(operation));
    return faults.find((fault) => fault !== undefined);
  });
}

/** The n-th operation of the machine, from 1. */
export const failNth = (n: number, error: SystemErrorCode): Injector => inject({ error }, onCall(n));

export const dieAtNth = (n: number): Injector => inject('die', onCall(n));

export const dieAfterNth = (n: number): Injector => inject('die-after', onCall(n));

export const onCall = (n: number): Where => printing(`at call ${n}`, (operation) => operation.n === n);

/** The n-th operation that this condition is asked about, from 1. */
export function onIndex(n: number): Where {
  let index = 0;
  return printing(`at index ${n}`, () => {
    index += 1;
    return index === n;
  });
}

export const onKind = (...kinds: OperationKind[]): Where =>
  printing(`on ${kinds.join('|')}`, (operation) => kinds.includes(operation.kind));

export const onPath = (pattern: RegExp): Where =>
  printing(`of ${pattern}`, (operation) => pattern.test(operation.path));

export const onOpener = (name: string): Where =>
  printing(`by ${name}`, (operation) => operation.opener === name);

/** One operation in `every`, the same ones for the same seed. */
export function randomly(every: number, seed: number): Where {
  const random = seeded(seed);
  return printing(`one in ${every} (seed ${seed})`, () => below(random, every) === 0);
}

function describe(fault: Fault): string {
  if (typeof fault === 'string') return fault;
  if ('error' in fault) return fault.reached === 'some' ? `${fault.error} (some reached)` : fault.error;
  return 'short' in fault ? `short ${fault.short}` : `torn ${fault.torn}`;
}

const printing = <F extends object>(text: string, call: F): F =>
  Object.assign(call, { toString: () => text });
