import fc from 'fast-check';
import type { Test } from 'tap';
import { DurostoreError, type ErrorCode } from '../../src/errors.js';
import { random } from '../support/random.js';

/** Asserts a property of arbitrary values; its seed is told, and `SEED` repeats a run. */
export function check<T>(
  t: Test,
  values: fc.Arbitrary<T>,
  property: (value: T) => void,
  numRuns = 2000,
): void {
  const { seed } = random(t);
  fc.assert(fc.property(values, property), { seed: seed | 0, numRuns });
  t.pass(`${numRuns} runs`);
}

/** What a decoder says; undefined where it is told that bytes are none, by one of these codes and nothing else. */
export function typed<T>(codes: readonly ErrorCode[], decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DurostoreError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

export function assert(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export const uint48 = fc.maxSafeNat().map((value) => value % 2 ** 48);
export const uint32 = fc.nat(0xffffffff);
export const uint16 = fc.nat(0xffff);
/** Lengths that lead astray: nothing, too little, below zero where a sign is seen, more than there is. */
export const lengths = fc.oneof(
  fc.constantFrom(0, 1, 35, 36, 37, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff),
  fc.nat(300),
  uint32,
);
export const bytesUpTo = (most: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: most }).map((bytes) => Buffer.from(bytes));
