import type { ConsumerSink } from './consumer-facts.js';
import type { ScheduleSink } from './schedule-facts.js';

/**
 * What can become of records. A fact is a statement about the past that stays true; the state of a store's fates is the
 * fold of all its facts, in order. Everybody who takes facts in is a `FactSink`: the state folds them, `FactWriter`
 * encodes them, and a state writes itself into any sink.
 */
export interface FactSink extends ScheduleSink, ConsumerSink {
  /**
   * The records `[from, to)` are gone: dequeued, acknowledged or deleted. A sealed segment all of whose records are gone
   * by facts on the device may be unlinked; whatever is found of it later is a leftover.
   */
  gone(from: number, to: number): void;
  /** The indexes `[from, to)` were lost to a power cut, or skipped because a fact outlived its record. */
  lost(from: number, to: number): void;
  /**
   * The holder of the slot is a new incarnation, on that boot; what the previous one had claimed is free. Slot 0 is none: with
   * lock files nothing tells that a holder died, and an incarnation's claims last as long as their leases.
   */
  slotTaken(slot: number, incarnation: number, boot: string): void;
  /** The incarnation is no more: what it had claimed is free. */
  freed(incarnation: number): void;
  /** The incarnation has the records `[from, to)` under that lease, for the attempt-th time. */
  claimed(from: number, to: number, incarnation: number, attempt: number, lease: Lease): void;
  /** The claim has that lease now. */
  extended(index: number, lease: Lease): void;
  /** The claim was given back. */
  released(index: number): void;
  /** A waiting record was claimed so often before. Only in a journal's beginning, where claims are not repeated. */
  attempted(index: number, attempts: number): void;
  /** The record was given up, for good unless it is requeued. */
  died(index: number, death: Death): void;
  /**
   * The claim was given back because its attempt had failed, at `failedAt`, and the record comes again at `due`; 0: at once.
   * Both are wall times.
   */
  putOff(index: number, due: number, failedAt: number): void;
  /** A dead record waits again at its place, as if it had never been claimed. */
  requeued(index: number): void;
  /** Who has the claim says how far the work has got. */
  progress(index: number, value: Uint8Array): void;
  /**
   * What `attempted` says, and since when attempts have failed, and when the record is due if it was put off (0: neither is
   * known). Of a record that is claimed it says the first alone. Only in a journal's beginning.
   */
  attemptedSince(index: number, attempts: number, firstFailedAt: number, due: number): void;
  /**
   * Whatever is said to be gone by batches that end at or before the index `upTo` is among the facts. `isOpen`: there may be batches
   * that end behind it and say so themselves; else there are none, until this is said again.
   */
  carried(upTo: number, isOpen: boolean): void;
}

/** Why and when a record was given up. Times are wall times, in milliseconds. */
export interface Death {
  /** How often it was claimed. */
  readonly attempts: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  /** At most `MOST_REASON_BYTES` of UTF-8. */
  readonly reason: string;
}

/**
 * How long a claim lasts: until a time on the monotonic clock of its holder's boot. Under another boot's clock that time
 * means nothing; whoever sees the claim there gives it its whole length from then on.
 */
export interface Lease {
  readonly until: number;
  readonly lengthMs: number;
}

/** A reason is cut to so many bytes. */
export const MOST_REASON_BYTES = 1000;
/** What a handler says of its progress has so many bytes at most. */
export const MOST_PROGRESS_BYTES = 64 * 1024;
/** A claim is of so many records at most; those in its range that are gone do not count. */
export const MOST_CLAIMED = 2 ** 24;

/** Thrown by a sink that is told of more. */
export class TooManyClaimed extends Error {
  override readonly name = 'TooManyClaimed';
}
