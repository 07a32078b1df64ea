import { randomInt } from 'node:crypto';
import type { Test } from 'tap';

/** Numbers that look random and are the same for the same seed. Not for secrets. */
export interface Random {
  readonly seed: number;
  /** At least 0, below 1. */
  next(): number;
  /** A whole number from `from` to `to`, both inclusive. */
  integer(from: number, to: number): number;
  /** One of these, each as likely. */
  pick<T>(choices: readonly T[]): T;
  chance(probability: number): boolean;
  bytes(length: number): Uint8Array;
  /** A generator of its own, so that what one part of a test draws does not move the other's. */
  fork(): Random;
}

/** A generator for one test. Its seed is told with the test's output; the environment's `SEED` repeats a run. */
export function random(t: Test, seed = Number(process.env['SEED'] ?? randomInt(2 ** 32))): Random {
  t.comment(`SEED=${seed}`);
  return randomFrom(seed);
}

/** The same without a test: for child processes, which get a seed from their parent. Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    seed,
    next,
    integer,
    pick<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new Error('nothing to pick from');
      return choices[integer(0, choices.length - 1)] as T;
    },
    chance: (probability) => next() < probability,
    bytes: (length) => Uint8Array.from({ length }, () => integer(0, 255)),
    fork: () => randomFrom(Math.floor(next() * 2 ** 32)),
  };
}
