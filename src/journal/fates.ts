import type { Clock } from '../clock.js';
import { type Attempted, Attempts } from './attempts.js';
import { Consumers } from './consumers.js';
import { DeadRegister } from './dead-register.js';
import { type Death, type FactSink, type Lease, MOST_CLAIMED, TooManyClaimed } from './facts.js';
import { IndexSet } from './index-set.js';
import type { Schedule } from './schedule-facts.js';
import { Schedules } from './schedules.js';
import { TimeHeap } from './time-heap.js';

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
  /** Wall time of the first attempt that failed; 0 where none has, or it is not known. */
  firstFailedAt: number;
  /** What its holder said last of how far it has got. */
  progress: Uint8Array | undefined;
}

/** Is told, as facts are folded, which records may be to be had now, or may be to be had no more. It looks at the state itself. */
export interface FateWatcher {
  /** Something has become of the records `[from, to)`, or of some of them. */
  moved(from: number, to: number): void;
  /** The record was given up. */
  died?(index: number, death: Death): void;
  /** Who has the record said how far it has got. */
  progressed?(index: number, value: Uint8Array): void;
  /** Everything is folded again from the beginning. */
  cleared(): void;
}

/** What a batch of the log says is gone. */
export interface CarriedRanges {
  /** The index behind the batch. */
  readonly number: number;
  readonly ranges: readonly { readonly from: number; readonly to: number }[];
}

/** The slot of those who have none. */
const NO_SLOT = 0;

interface Incarnation {
  readonly slot: number;
  readonly boot: string;
  readonly claims: Set<number>;
}

/**
 * What became of the records: the fold of all facts. It knows no clock and no file; that leases end, and that what was put
 * off is due, is told to it by `expire`. A record that nothing is known of is waiting.
 *
 * | fact or event           | waiting       | put off       | claimed               | lease ended           | dead    | gone |
 * | ----------------------- | ------------- | ------------- | --------------------- | --------------------- | ------- | ---- |
 * | gone, lost              | gone          | gone          | gone                  | gone                  | gone    | gone |
 * | died                    | dead          | dead          | dead                  | dead                  | dead    | gone |
 * | claimed                 | claimed       | claimed       | claimed (failed)      | claimed (failed)      | dead    | gone |
 * | extended                | –             | –             | claimed               | claimed               | –       | –    |
 * | released, freed, slot   | –             | –             | waiting (failed)      | waiting (failed)      | –       | –    |
 * | putOff, with due / at 0 | –             | –             | put off / waiting     | put off / waiting     | –       | –    |
 * | requeued                | –             | –             | –                     | –                     | waiting, never claimed | – |
 * | attempted               | waiting       | waiting       | –                     | –                     | –       | –    |
 * | attemptedSince, due / 0 | put off / waiting | put off / waiting | first failure only | first failure only | –       | –    |
 * | progress                | –             | –             | kept with the claim   | kept with the claim   | –       | –    |
 * | `expire`, its lease     |               |               | lease ended           |                       |         |      |
 * | `expire`, its due time  |               | waiting       |                       |                       |         |      |
 *
 * A lease that has ended counts as waiting for all who ask. (failed): the attempt has failed at the wall time of the fact,
 * which is the first failure where there was none before. Attempts are counted when claimed; only `requeued` forgets them.
 */
export class Fates implements FactSink {
  /** Records that are gone, for whatever reason. */
  readonly goneSet = new IndexSet();
  /** Records nobody can have now: gone, dead, put off, or claimed under a lease that runs. */
  readonly taken = new IndexSet();
  readonly claims = new Map<number, Claim>();
  /** Records that were given up. Another register when all is folded again. */
  dead = new DeadRegister();
  /** Records that were lost to power cuts; they are gone too. */
  readonly lostSet = new IndexSet();
  readonly schedules = new Schedules();
  readonly consumers = new Consumers();
  /** The greatest index that any fact named: an index is never used again, even if its record was lost. */
  highestNamed = 0;
  /** The greatest index that is gone. */
  highestGone = 0;
  /** What batches say that end at or before it is among the facts. */
  carriedUpTo = 0;
  /** Whether batches that end behind it may say that records are gone: then nobody knows what is gone who has not seen them. */
  isCarrying = false;
  /** Counts how often that was said. */
  carryings = 0;
  /** How often that was said of a lower number than before: indexes were lost, and are given again. */
  lowerings = 0;
  /** Records that nobody has and that were claimed as often as they may be here; see `allowAttempts`. */
  readonly spent = new Set<number>();
  readonly #boot: string;
  readonly #watchers = new Set<FateWatcher>();
  readonly #slots = new Map<number, number>();
  readonly #incarnations = new Map<number, Incarnation>();
  readonly #attempts = new Attempts();
  /** What batches say that is not among the facts yet, in the order of the log. */
  #unfolded: CarriedRanges[] = [];
  /** What was among that until it was said last that it is. ⚑ Facts are folded before they are committed, and may be taken back. */
  #justFolded: CarriedRanges[] = [];
  #running = 0;
  readonly #ends = new TimeHeap();
  /** Claims of other machines whose leases begin, for us, when `expire` is told the time. */
  #unseen: { readonly index: number; readonly claim: Claim }[] = [];
  #mostAttempts = Number.POSITIVE_INFINITY;
  /** Wall time of the facts that are being folded. */
  #time = 0;

  /**
   * Leases of another boot than this one have ended: its monotonic clock is not ours. But where the holder has no slot, it
   * may be another machine's: then a lease ends when this one has seen it for its whole length.
   */
  constructor(boot: string) {
    this.#boot = boot;
  }

  /** The facts that follow were stated at that wall time. */
  at(wallTime: number): void {
    this.#time = wallTime;
  }

  /** Tells `watcher` of changes until the returned function is called. */
  watch(watcher: FateWatcher): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** How often a record may be claimed here, so that `spent` is kept. Other openers may see it otherwise. */
  allowAttempts(most: number): void {
    this.#mostAttempts = most;
    this.spent.clear();
    for (const [index, { attempts }] of this.#attempts.entries()) this.#noteSpent(index, attempts);
    for (const [index, claim] of this.claims) if (claim.expired) this.#noteSpent(index, claim.attempt);
  }

  /** Claims whose lease runs. */
  get running(): number {
    return this.#running;
  }

  /** Records that are put off. */
  get delayedCount(): number {
    return this.#attempts.putOff;
  }

  /** How often a record was claimed before. */
  attemptsOf(index: number): number {
    return this.claims.get(index)?.attempt ?? this.#attempts.get(index)?.attempts ?? 0;
  }

  /** Wall time of the first attempt that failed; 0 where none has, or it is not known. */
  firstFailureOf(index: number): number {
    return this.claims.get(index)?.firstFailedAt ?? this.#attempts.get(index)?.firstFailedAt ?? 0;
  }

  /** What is remembered of a record that was claimed before and that nobody has. */
  attemptedOf(index: number): Attempted | undefined {
    return this.#attempts.get(index);
  }

  /** Whether a record was given up. */
  isDead(index: number): boolean {
    return this.dead.has(index);
  }

  incarnationOf(slot: number): number | undefined {
    return this.#slots.get(slot);
  }

  /** The records that an incarnation has. */
  claimsOf(incarnation: number): number[] {
    return [...(this.#incarnations.get(incarnation)?.claims ?? [])];
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

  /** `expire` by the clock, which is not looked at where nothing can end. */
  expireBy(clock: Clock): boolean {
    if (
      this.#running === 0 &&
      this.#unseen.length === 0 &&
      this.#attempts.nextDue === Number.POSITIVE_INFINITY
    )
      return false;
    return this.expire(clock.monotonic(), clock.now());
  }

  /**
   * Every claim whose lease ended at or before `monotonic` is expired, and whatever is due at or before the wall time is
   * to be had; true where there was one.
   */
  expire(monotonic: number, wall: number): boolean {
    let any = false;
    if (this.#unseen.length > 0) this.#seeLeasesBegin(monotonic);
    for (let end = this.#ends.earliest; end !== undefined && end.at <= monotonic; end = this.#ends.earliest) {
      this.#ends.takeEarliest();
      const claim = this.claims.get(end.index);
      if (claim === undefined || claim.expired || claim.until !== end.at) continue;
      this.#expire(end.index, claim);
      any = true;
    }
    for (let due = this.#attempts.takeDue(wall); due !== undefined; due = this.#attempts.takeDue(wall)) {
      this.taken.remove(due);
      this.#moved(due, due + 1);
      any = true;
    }
    return any;
  }

  #seeLeasesBegin(monotonic: number): void {
    for (const { index, claim } of this.#unseen.splice(0)) {
      if (this.claims.get(index) !== claim || claim.until < Number.POSITIVE_INFINITY) continue;
      claim.until = monotonic + claim.lease.lengthMs;
      this.#willEnd(index, claim.until);
    }
  }

  /** A time before which no running lease ends; infinite where none runs. */
  get nextExpiry(): number {
    return this.#running === 0
      ? Number.POSITIVE_INFINITY
      : (this.#ends.earliest?.at ?? Number.POSITIVE_INFINITY);
  }

  /** A wall time before which nothing that was put off is due; infinite where nothing is. */
  get nextDue(): number {
    return this.#attempts.nextDue;
  }

  gone(from: number, to: number): void {
    this.#name(to - 1);
    if (to - 1 > this.highestGone) this.highestGone = to - 1;
    this.goneSet.addRange(from, to);
    this.taken.addRange(from, to);
    this.#forgetRange(from, to);
    this.#moved(from, to);
  }

  lost(from: number, to: number): void {
    this.schedules.lost(from, to, (index) => this.goneSet.has(index));
    this.lostSet.addRange(from, to);
    this.gone(from, to);
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
    for (const index of [...holder.claims]) this.#giveBack(index, 0, this.#time, true);
    this.#incarnations.delete(incarnation);
    if (this.#slots.get(holder.slot) === incarnation) this.#slots.delete(holder.slot);
  }

  claimed(from: number, to: number, incarnation: number, attempt: number, lease: Lease): void {
    const gone = this.goneSet;
    if (to - from > MOST_CLAIMED && this.#isMoreThan(MOST_CLAIMED, from, to)) throw new TooManyClaimed();
    for (let index = gone.firstAbsent(from); index < to; index = gone.firstAbsent(index + 1)) {
      if (!this.dead.has(index)) this.#claim(index, incarnation, attempt, lease);
    }
    if (to > from) this.#name(to - 1);
  }

  /** Whether so many of the records are not gone; told before anything is made of them. */
  #isMoreThan(most: number, from: number, to: number): boolean {
    let count = 0;
    let index = this.goneSet.firstAbsent(from);
    for (; index < to && count <= most; index = this.goneSet.firstAbsent(index + 1)) count += 1;
    return count > most;
  }

  #claim(index: number, incarnation: number, attempt: number, lease: Lease): void {
    this.#giveBack(index, 0, this.#time, false);
    const firstFailedAt = this.#attempts.get(index)?.firstFailedAt ?? 0;
    this.#attempts.delete(index);
    this.spent.delete(index);
    const { until } = lease;
    const claim = { incarnation, attempt, lease, until, expired: false, firstFailedAt, progress: undefined };
    this.claims.set(index, claim);
    this.#incarnations.get(incarnation)?.claims.add(index);
    this.taken.add(index);
    this.#running += 1;
    this.#begin(index, claim);
    this.#moved(index, index + 1);
  }

  extended(index: number, lease: Lease): void {
    const claim = this.claims.get(index);
    if (claim === undefined) return;
    claim.lease = lease;
    claim.until = lease.until;
    if (claim.expired) {
      claim.expired = false;
      this.spent.delete(index);
      this.taken.add(index);
      this.#running += 1;
      this.#moved(index, index + 1);
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

  #willEnd(index: number, until: number): void {
    this.#ends.sweep(this.#running, (one) => this.claims.get(one.index)?.until === one.at);
    this.#ends.add(until, index);
  }

  released(index: number): void {
    this.#giveBack(index, 0, this.#time, false);
  }

  putOff(index: number, due: number, failedAt: number): void {
    this.#giveBack(index, due, failedAt, false);
  }

  /** The attempt has failed, and the record comes again. */
  #giveBack(index: number, due: number, failedAt: number, isOrphan: boolean): void {
    const claim = this.claims.get(index);
    if (claim === undefined) return;
    this.#dropClaim(index, claim);
    const { attempt: attempts, firstFailedAt } = claim;
    this.#await(index, {
      attempts,
      firstFailedAt: firstFailedAt || failedAt,
      due,
      isPutOff: due > 0,
      isOrphan,
    });
  }

  attempted(index: number, attempts: number): void {
    this.attemptedSince(index, attempts, 0, 0);
  }

  attemptedSince(index: number, attempts: number, firstFailedAt: number, due: number): void {
    this.#name(index);
    if (this.goneSet.has(index) || this.dead.has(index)) return;
    const claim = this.claims.get(index);
    if (claim === undefined)
      this.#await(index, { attempts, firstFailedAt, due, isPutOff: due > 0, isOrphan: false });
    else claim.firstFailedAt ||= firstFailedAt;
  }

  /** The record waits, until it is due. */
  #await(index: number, attempted: Attempted): void {
    this.#attempts.set(index, attempted);
    this.spent.delete(index);
    this.#noteSpent(index, attempted.attempts);
    if (attempted.isPutOff) this.taken.add(index);
    else this.taken.remove(index);
    this.#moved(index, index + 1);
  }

  died(index: number, death: Death): void {
    this.#name(index);
    if (this.goneSet.has(index)) return;
    this.#forget(index);
    this.dead.set(index, death);
    this.taken.add(index);
    for (const watcher of this.#watchers) watcher.died?.(index, death);
    this.#moved(index, index + 1);
  }

  requeued(index: number): void {
    if (!this.dead.delete(index)) return;
    // Remembered, so that a succession names its index, too.
    this.#await(index, { attempts: 0, firstFailedAt: 0, due: 0, isPutOff: false, isOrphan: false });
  }

  progress(index: number, value: Uint8Array): void {
    const claim = this.claims.get(index);
    if (claim === undefined) return;
    claim.progress = Uint8Array.from(value);
    for (const watcher of this.#watchers) watcher.progressed?.(index, claim.progress);
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

  consumer(name: string, since: number, position: number): void {
    this.#name(position);
    this.consumers.consumer(name, since, position);
  }

  consumed(name: string, index: number): void {
    this.#name(index);
    this.consumers.consumed(name, index);
  }

  consumerRemoved(name: string): void {
    this.consumers.consumerRemoved(name);
  }

  carried(upTo: number, isOpen: boolean): void {
    if (upTo < this.carriedUpTo) this.lowerings += 1;
    this.carriedUpTo = upTo;
    this.isCarrying = isOpen;
    this.carryings += 1;
    const all = this.#unfolded;
    this.#justFolded = all.filter(({ number }) => number <= upTo);
    if (this.#justFolded.length > 0) this.#unfolded = all.slice(this.#justFolded.length);
  }

  /**
   * A batch of the log says that records are gone, which is no fact yet. They count as gone from now on, also when all facts are folded
   * again: gone is said of a record once and for all, so the order does not matter in which it is learnt.
   */
  carry(carried: CarriedRanges): void {
    const last = this.#unfolded[this.#unfolded.length - 1]?.number ?? this.carriedUpTo;
    if (carried.number <= this.carriedUpTo || carried.number <= last) return;
    this.#unfolded.push(carried);
    for (const { from, to } of carried.ranges) this.gone(from, to);
  }

  /** What batches say that is not among the facts yet, in the order of the log. */
  get unfolded(): readonly CarriedRanges[] {
    return this.#unfolded;
  }

  /** The batches that say so may not count: all facts are going to be folded again. */
  forgetCarried(): void {
    this.#unfolded = [];
    this.#justFolded = [];
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

  /** Says the whole state again, to a sink that knows nothing. ⚑ Never while anything is `unfolded`: it may be lost, and is no fact. */
  tell(sink: FactSink): void {
    for (const { from, to } of this.goneSet.ranges()) if (to > 1) sink.gone(Math.max(1, from), to);
    for (const { from, to } of this.lostSet.ranges()) if (to > 1) sink.lost(Math.max(1, from), to);
    for (const [number, { slot, boot }] of this.#incarnations) sink.slotTaken(slot, number, boot);
    this.#tellClaims(sink);
    for (const [index, { attempt, firstFailedAt, progress }] of this.claims) {
      if (firstFailedAt > 0) sink.attemptedSince(index, attempt, firstFailedAt, 0);
      if (progress !== undefined) sink.progress(index, progress);
    }
    for (const [index, { attempts, firstFailedAt, due }] of this.#attempts.entries()) {
      if (firstFailedAt === 0 && due === 0) sink.attempted(index, attempts);
      else sink.attemptedSince(index, attempts, firstFailedAt, due);
    }
    for (const [index, death] of this.dead.entries()) sink.died(index, death);
    // Behind what was lost, which strikes the ticks that were told by then.
    this.schedules.tell(sink);
    this.consumers.tell(sink);
    if (this.carriedUpTo > 0 || this.isCarrying) sink.carried(this.carriedUpTo, this.isCarrying);
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
    this.spent.clear();
    this.dead = new DeadRegister();
    this.#ends.clear();
    this.#unseen = [];
    this.schedules.clear();
    this.consumers.clear();
    this.highestNamed = 0;
    this.highestGone = 0;
    this.carriedUpTo = 0;
    this.isCarrying = false;
    this.carryings += 1;
    this.#running = 0;
    for (const watcher of this.#watchers) watcher.cleared();
    this.#unfolded = [...this.#justFolded, ...this.#unfolded];
    this.#justFolded = [];
    for (const { ranges } of this.#unfolded) for (const { from, to } of ranges) this.gone(from, to);
  }

  #moved(from: number, to: number): void {
    for (const watcher of this.#watchers) watcher.moved(from, to);
  }

  #noteSpent(index: number, attempts: number): void {
    if (attempts >= this.#mostAttempts) this.spent.add(index);
  }

  #name(index: number): void {
    if (index > this.highestNamed) this.highestNamed = index;
  }

  #expire(index: number, claim: Claim): void {
    claim.expired = true;
    this.#running -= 1;
    this.taken.remove(index);
    this.#noteSpent(index, claim.attempt);
    this.#moved(index, index + 1);
  }

  #dropClaim(index: number, claim: Claim): void {
    this.claims.delete(index);
    this.#incarnations.get(claim.incarnation)?.claims.delete(index);
    if (!claim.expired) this.#running -= 1;
  }

  /** Nothing is remembered of those records but what is said next. */
  #forgetRange(from: number, to: number): void {
    const known = this.claims.size + this.#attempts.size + this.dead.size;
    if (known === 0) return;
    if (to - from <= known) {
      for (let index = from; index < to; index++) this.#forget(index);
      return;
    }
    for (const indexes of [this.claims.keys(), this.#attempts.indexes(), this.dead.indexes()])
      for (const index of [...indexes]) if (index >= from && index < to) this.#forget(index);
  }

  #forget(index: number): void {
    const claim = this.claims.get(index);
    if (claim !== undefined) this.#dropClaim(index, claim);
    this.#attempts.delete(index);
    this.spent.delete(index);
    this.dead.delete(index);
  }
}
