import { type FactSink, type Lease, MOST_CLAIMED, TooManyClaimed } from './facts.js';
import { IndexSet } from './index-set.js';
import { LeaseEnds } from './lease-ends.js';
import type { Schedule } from './schedule-facts.js';
import { Schedules } from './schedules.js';

/** Who has a record, and until when. */
export interface Claim {
  readonly incarnation: number;
  readonly attempt: number;
  /** The lease as its holder stated it. */
  lease: Lease;
  /** When it ends on this boot's monotonic clock, in milliseconds. */
  until: number;
  /** The lease has ended: the record is to be had again, and the claim is worth nothing. */
  expired: boolean;
}

/** Is told, as facts are folded, which records may be to be had now, or may be to be had no more. It looks at the state itself. */
export interface FateWatcher {
  /** Something has become of the records `[from, to)`, or of some of them. */
  moved(from: number, to: number): void;
  /** Everything is folded again from the beginning. */
  cleared(): void;
}

/** The slot of those who have none. */
const NO_SLOT = 0;

interface Incarnation {
  readonly slot: number;
  readonly boot: string;
  readonly claims: Set<number>;
}

/**
 * What became of the records: the fold of all facts. It knows no clock and no file; that leases end is told to it by
 * `expire`. A record that nothing is known of is waiting.
 */
export class Fates implements FactSink {
  /** Records that are gone, for whatever reason. */
  readonly goneSet = new IndexSet();
  /** Records nobody can have now: gone, or claimed under a lease that runs. */
  readonly taken = new IndexSet();
  readonly claims = new Map<number, Claim>();
  /** Records that were lost to power cuts; they are gone too. */
  readonly lostSet = new IndexSet();
  readonly schedules = new Schedules();
  /** The greatest index that any fact named: an index is never used again, even if its record was lost. */
  highestNamed = 0;
  /** The greatest index that is gone. */
  highestGone = 0;
  readonly watchers: FateWatcher[] = [];
  readonly #boot: string;
  readonly #slots = new Map<number, number>();
  readonly #incarnations = new Map<number, Incarnation>();
  /** How often records that nobody has were claimed before. */
  readonly #attempts = new Map<number, number>();
  #running = 0;
  readonly #ends = new LeaseEnds();
  /** Claims of other machines whose leases begin, for us, when `expire` is told the time. */
  #unseen: { readonly index: number; readonly claim: Claim }[] = [];

  /**
   * Leases of another boot than this one have ended: its monotonic clock is not ours. But where the holder has no slot, it
   * may be another machine's: then a lease ends when this one has seen it for its whole length.
   */
  constructor(boot: string) {
    this.#boot = boot;
  }

  /** Claims whose lease runs. */
  get running(): number {
    return this.#running;
  }

  /** How often a record was claimed before. */
  attemptsOf(index: number): number {
    return this.claims.get(index)?.attempt ?? this.#attempts.get(index) ?? 0;
  }

  /** Whether a record was given up. */
  isDead(_index: number): boolean {
    return false;
  }

  incarnationOf(slot: number): number | undefined {
    return this.#slots.get(slot);
  }

  /** Slots whose holders have claims, except that of one incarnation. */
  slotsWithClaims(except: number | undefined): number[] {
    const slots: number[] = [];
    if (this.#running === 0) return slots;
    for (const [number, incarnation] of this.#incarnations) {
      if (number !== except && incarnation.slot !== NO_SLOT && incarnation.claims.size > 0)
        slots.push(incarnation.slot);
    }
    return slots;
  }

  /** Every claim whose lease ended at or before `monotonic` is expired; true where there was one. */
  expire(monotonic: number): boolean {
    let any = false;
    for (const { index, claim } of this.#unseen.splice(0)) {
      if (this.claims.get(index) !== claim || claim.until < Number.POSITIVE_INFINITY) continue;
      claim.until = monotonic + claim.lease.lengthMs;
      this.#willEnd(index, claim.until);
    }
    for (
      let end = this.#ends.earliest;
      end !== undefined && end.until <= monotonic;
      end = this.#ends.earliest
    ) {
      this.#ends.takeEarliest();
      const claim = this.claims.get(end.index);
      if (claim === undefined || claim.expired || claim.until !== end.until) continue;
      this.#expire(end.index, claim);
      any = true;
    }
    return any;
  }

  /** A time before which no running lease ends; infinite where none runs. */
  get nextExpiry(): number {
    return this.#running === 0
      ? Number.POSITIVE_INFINITY
      : (this.#ends.earliest?.until ?? Number.POSITIVE_INFINITY);
  }

  #willEnd(index: number, until: number): void {
    this.#ends.sweep(this.#running, (at, end) => this.claims.get(at)?.until === end);
    this.#ends.add(until, index);
  }

  gone(from: number, to: number): void {
    this.#name(to - 1);
    if (to - 1 > this.highestGone) this.highestGone = to - 1;
    this.goneSet.addRange(from, to);
    this.taken.addRange(from, to);
    this.#forgetClaims(from, to);
    for (const watcher of this.watchers) watcher.moved(from, to);
  }

  lost(from: number, to: number): void {
    this.#name(to - 1);
    if (to - 1 > this.highestGone) this.highestGone = to - 1;
    this.schedules.lost(from, to, (index) => this.goneSet.has(index));
    this.lostSet.addRange(from, to);
    this.goneSet.addRange(from, to);
    this.taken.addRange(from, to);
    this.#forgetClaims(from, to);
    for (const watcher of this.watchers) watcher.moved(from, to);
  }

  slotTaken(slot: number, incarnation: number, boot: string): void {
    if (slot !== NO_SLOT) {
      const previous = this.#slots.get(slot);
      if (previous !== undefined) this.freed(previous);
      this.#slots.set(slot, incarnation);
    }
    this.#incarnations.set(incarnation, { slot, boot, claims: new Set() });
  }

  freed(incarnation: number): void {
    const holder = this.#incarnations.get(incarnation);
    if (holder === undefined) return;
    for (const index of [...holder.claims]) this.released(index);
    this.#incarnations.delete(incarnation);
    if (this.#slots.get(holder.slot) === incarnation) this.#slots.delete(holder.slot);
  }

  claimed(from: number, to: number, incarnation: number, attempt: number, lease: Lease): void {
    const gone = this.goneSet;
    let count = 0;
    for (let index = gone.firstAbsent(from); index < to; index = gone.firstAbsent(index + 1)) {
      count += 1;
      if (count > MOST_CLAIMED) throw new TooManyClaimed();
      this.#claim(index, incarnation, attempt, lease);
    }
    if (to > from) this.#name(to - 1);
  }

  #claim(index: number, incarnation: number, attempt: number, lease: Lease): void {
    this.released(index);
    this.#attempts.delete(index);
    const holder = this.#incarnations.get(incarnation);
    const claim: Claim = { incarnation, attempt, lease, until: lease.until, expired: false };
    this.claims.set(index, claim);
    holder?.claims.add(index);
    this.taken.add(index);
    this.#running += 1;
    this.#begin(index, claim);
    for (const watcher of this.watchers) watcher.moved(index, index + 1);
  }

  extended(index: number, lease: Lease): void {
    const claim = this.claims.get(index);
    if (claim === undefined) return;
    claim.lease = lease;
    claim.until = lease.until;
    if (claim.expired) {
      claim.expired = false;
      this.taken.add(index);
      this.#running += 1;
      for (const watcher of this.watchers) watcher.moved(index, index + 1);
    }
    this.#begin(index, claim);
  }

  /** A lease begins: to end on our clock, or when we have seen it for long enough, or it has ended. */
  #begin(index: number, claim: Claim): void {
    const holder = this.#incarnations.get(claim.incarnation);
    if (holder?.boot === this.#boot) this.#willEnd(index, claim.until);
    else if (holder?.slot === NO_SLOT) {
      claim.until = Number.POSITIVE_INFINITY;
      this.#unseen.push({ index, claim });
    } else this.#expire(index, claim);
  }

  released(index: number): void {
    const claim = this.claims.get(index);
    if (claim === undefined) return;
    this.#dropClaim(index, claim);
    this.#attempts.set(index, claim.attempt);
    this.taken.remove(index);
    for (const watcher of this.watchers) watcher.moved(index, index + 1);
  }

  attempted(index: number, attempts: number): void {
    this.#name(index);
    if (!this.goneSet.has(index)) this.#attempts.set(index, attempts);
  }

  scheduled(schedule: Schedule): void {
    this.schedules.scheduled(schedule);
  }

  unscheduled(name: string): void {
    this.schedules.unscheduled(name);
  }

  /** The index is not named by it: there may never be a record, and then another one is written there. */
  ticking(name: string, time: number, index: number): void {
    this.schedules.ticking(name, time, index);
  }

  ticked(name: string): void {
    this.schedules.ticked(name);
    this.#name(this.schedules.get(name)?.last?.index ?? 0);
  }

  unticked(name: string): void {
    this.schedules.unticked(name);
  }

  /**
   * Forgets incarnations without slot and claims, of which nothing will ever tell that they are no more. Done at each
   * succession, by everybody, so that the state is the same for those who follow it and those who begin there. One that is
   * alive states itself again.
   */
  forgetIdle(): void {
    for (const [number, { slot, claims }] of this.#incarnations)
      if (slot === NO_SLOT && claims.size === 0) this.#incarnations.delete(number);
  }

  /** Whether an incarnation was stated and is not known to be no more. */
  knows(incarnation: number): boolean {
    return this.#incarnations.has(incarnation);
  }

  /** Says the whole state again, to a sink that knows nothing. */
  tell(sink: FactSink): void {
    for (const { from, to } of this.goneSet.ranges()) if (to > 1) sink.gone(Math.max(1, from), to);
    for (const { from, to } of this.lostSet.ranges()) if (to > 1) sink.lost(Math.max(1, from), to);
    for (const [number, { slot, boot }] of this.#incarnations) sink.slotTaken(slot, number, boot);
    this.#tellClaims(sink);
    for (const [index, attempts] of this.#attempts) sink.attempted(index, attempts);
    // Behind what was lost, which strikes the ticks that were told by then.
    this.schedules.tell(sink);
  }

  /** Claims that were made together are one fact again, also over records that are gone: those cannot be claimed. */
  #tellClaims(sink: FactSink): void {
    let from = 0;
    let to = 0;
    let made: Claim | undefined;
    const say = (): void => {
      if (made !== undefined) sink.claimed(from, to, made.incarnation, made.attempt, made.lease);
    };
    for (const [index, claim] of this.claims) {
      const together =
        made !== undefined &&
        claim.incarnation === made.incarnation &&
        claim.attempt === made.attempt &&
        claim.lease.until === made.lease.until &&
        claim.lease.lengthMs === made.lease.lengthMs &&
        index - from < MOST_CLAIMED &&
        this.goneSet.firstAbsent(to) === index;
      if (!together) {
        say();
        from = index;
        made = claim;
      }
      to = index + 1;
    }
    say();
  }

  clear(): void {
    this.goneSet.clear();
    this.taken.clear();
    this.lostSet.clear();
    this.claims.clear();
    this.#slots.clear();
    this.#incarnations.clear();
    this.#attempts.clear();
    this.#ends.clear();
    this.#unseen = [];
    this.schedules.clear();
    this.highestNamed = 0;
    this.highestGone = 0;
    this.#running = 0;
    for (const watcher of this.watchers) watcher.cleared();
  }

  #name(index: number): void {
    if (index > this.highestNamed) this.highestNamed = index;
  }

  #expire(index: number, claim: Claim): void {
    claim.expired = true;
    this.#running -= 1;
    this.taken.remove(index);
    for (const watcher of this.watchers) watcher.moved(index, index + 1);
  }

  #dropClaim(index: number, claim: Claim): void {
    this.claims.delete(index);
    this.#incarnations.get(claim.incarnation)?.claims.delete(index);
    if (!claim.expired) this.#running -= 1;
  }

  #forgetClaims(from: number, to: number): void {
    if (this.claims.size > 0) {
      if (to - from <= this.claims.size) {
        for (let index = from; index < to; index++) this.#forgetClaim(index);
      } else {
        for (const index of [...this.claims.keys()])
          if (index >= from && index < to) this.#forgetClaim(index);
      }
    }
    if (this.#attempts.size > 0) {
      if (to - from <= this.#attempts.size)
        for (let index = from; index < to; index++) this.#attempts.delete(index);
      else
        for (const index of [...this.#attempts.keys()])
          if (index >= from && index < to) this.#attempts.delete(index);
    }
  }

  #forgetClaim(index: number): void {
    const claim = this.claims.get(index);
    if (claim !== undefined) this.#dropClaim(index, claim);
  }
}
