import type { JournalLimits } from '../../src/journal/journal.js';
import type { Orders } from './child.js';

export type Role = 'producer' | 'consumer' | 'reader' | 'verifier';

/** Consumers are killed over the same messages again and again, and none of them is to be given up. */
export const patient = { maxAttempts: 1_000_000 } as const;

/** What a consumer does next, and how often, of the sum of all. */
export interface Deeds {
  readonly claim?: number;
  readonly dequeue?: number;
  /** Of an index somewhere in the queue, claimed or not. */
  readonly delete?: number;
  readonly read?: number;
}

export interface SoakPlan {
  readonly options: Orders['options'];
  /** Short ones have the journal succeeded all the time. */
  readonly limits?: JournalLimits;
  readonly producers: {
    readonly count: number;
    /** The largest batch; 1: singly. */
    readonly batch: number;
    /** Now and then several calls in one tick. */
    readonly atOnce?: number;
    /** Each call says for itself what it is to survive. */
    readonly mixed?: boolean;
  };
  readonly consumers: {
    readonly count: number;
    readonly batch: number;
    readonly deeds: Deeds;
    readonly leaseMs?: number;
    /** One claim in so many is given back. */
    readonly nackOneIn?: number;
    /** One call in so many ends with closing the queue over what it claimed. */
    readonly holdOneIn?: number;
  };
  /** Processes that follow what is written. */
  readonly readers?: number;
  /** Processes that verify the directory again and again. */
  readonly verifiers?: number;
  /** Everybody closes and opens again after so many calls. */
  readonly reopenEvery?: number;
  readonly forMs: number;
  /** Between two kills, about; none without. */
  readonly killEveryMs?: number;
  /** Between two stops, about; none without. */
  readonly stopEveryMs?: number;
  readonly longestStopMs?: number;
  /** One kill in so many is of all at once. */
  readonly allOneIn?: number;
}

/** What a process of a soak is told. */
export interface SoakOrders extends Orders {
  readonly role: Role;
  readonly plan: SoakPlan;
  readonly seed: number;
  /** Number of this life, of all that there were. */
  readonly life: number;
  readonly notes: string;
  /** Where times in notes count from, on the monotonic clock. */
  readonly origin: number;
}

/** Longer than any soak takes: what comes back does so because its holder is seen to be dead. */
export const LONG_LEASE_MS = 3_600_000;
export const NEVER = 1e9;

const LONGEST_FILLER = 400;

/** What the n-th message of a life says. */
export function messageOf(life: number, n: number): string {
  const length = (life * 7919 + n * 104_729) % LONGEST_FILLER;
  return `${life}-${n}-${'x'.repeat(n % 3 === 0 ? length : length % 20)}`;
}

/** Which message it is, as `life-n`; undefined where nobody can have written such a one. */
export function nameOf(message: string): string | undefined {
  const [, life, n] = /^(\d+)-(\d+)-x*$/.exec(message) ?? [];
  if (messageOf(Number(life), Number(n)) !== message) return undefined;
  return `${life}-${n}`;
}
