import { DurostoreError } from '../errors.js';
import type { Entry } from '../store/entries.js';
import { invalid, wholeNumber } from '../store/options.js';
import { resolveWaitOptions, type WaitOptions } from '../store/wait-options.js';
import type { GroupMember } from './contract.js';
import { Membership } from './membership.js';
import type { Partition } from './partition.js';
import { quota } from './quota.js';
import { Tenancy } from './tenancy.js';

/** Who is in the group is looked at so often: a death raises no notice. */
const LOOK_EVERY_MS = 50;
/** What is in hand is given up to others after so long, at the next call: its owner seems not to commit. */
const LONGEST_IN_HAND_MS = 1000;
/** The number of the lock of who has a consumer alone: see `store/consumer-holders.ts`. */
const ALONE = 0;

type Listener = (partitions: readonly number[]) => void;

/** What was returned, with where it is from. */
type FromPartition = Entry & { partition: number };

/**
 * A member of a group. It looks every 50 ms how many members live, and takes or gives up partitions until it has its share: what
 * is free is anybody's, and nothing is taken from who has it.
 */
export class LivingMember implements GroupMember {
  readonly #group: string;
  /** All of the topic, open. */
  readonly #partitions: readonly Partition[];
  readonly #membership: Membership;
  readonly #listeners = { assigned: new Set<Listener>(), revoked: new Set<Listener>() };
  readonly #closing: (member: LivingMember) => void;
  #held: Tenancy[] = [];
  /** The one that is asked first. */
  #turn = 0;
  #cancelLook: (() => void) | undefined;
  /** Under way, one at a time: readings, and changes of what is held. */
  #working: Promise<unknown> = Promise.resolve();
  /** What kept it from looking after its partitions in the background: who calls next is told. */
  #failure: { readonly error: unknown } | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    group: string,
    partitions: readonly Partition[],
    closing: (member: LivingMember) => void,
  ) {
    this.#group = group;
    this.#partitions = partitions;
    this.#closing = closing;
    this.#membership = new Membership(this.#first.engine, group);
  }

  /** Joins, and has what it can have when this resolves. */
  static async join(
    group: string,
    partitions: readonly Partition[],
    closing: (member: LivingMember) => void,
  ): Promise<LivingMember> {
    const member = new LivingMember(group, partitions, closing);
    try {
      await member.#alone(() => member.#balance());
      member.#arm();
      return member;
    } catch (error) {
      await member.close();
      throw error;
    }
  }

  get assigned(): readonly number[] {
    return this.#held.map(({ partition }) => partition.number).sort((a, b) => a - b);
  }

  async next(options?: WaitOptions): Promise<FromPartition | undefined> {
    return (await this.#take(1, options))[0];
  }

  async nextMany(max: number, options?: WaitOptions): Promise<FromPartition[]> {
    if (max === undefined) throw invalid('max', 'a whole number', max);
    return this.#take(wholeNumber('max', max, 0, 0, Number.MAX_SAFE_INTEGER), options);
  }

  /** The changes of all partitions are told to those who wait for the first one's. */
  async #take(max: number, options: WaitOptions | undefined): Promise<FromPartition[]> {
    const { waitMs, signal } = resolveWaitOptions(options);
    const { clock, indexer } = this.#first.engine;
    const endsAt = waitMs === 0 ? 0 : clock.monotonic() + waitMs;
    for (;;) {
      signal?.throwIfAborted();
      this.#assertOpen();
      this.#throwFailure();
      if (max === 0) return [];
      const seen = indexer.version;
      const found = await this.#alone(async () => {
        await this.#giveUp(clock.monotonic() - LONGEST_IN_HAND_MS);
        return this.#read(max);
      });
      if (found.length > 0 || waitMs === 0 || clock.monotonic() >= endsAt) return found;
      await indexer.beyond(seen, endsAt, signal);
    }
  }

  async #read(max: number): Promise<FromPartition[]> {
    let left = this.#held.length;
    while (left > 0) {
      left -= 1;
      this.#turn = (this.#turn + 1) % this.#held.length;
      const one = this.#held[this.#turn] as Tenancy;
      // One that is to be given up has had its last.
      if (one.leavingSince !== undefined) continue;
      const { number } = one.partition;
      try {
        const entries = await one.take(max);
        if (entries.length > 0) return entries.map((entry) => Object.assign(entry, { partition: number }));
      } catch (error) {
        if (!this.#isOver(error)) throw error;
        await this.#end([one]);
        // The others have other turns now.
        left = this.#held.length;
      }
    }
    return [];
  }

  async commit(): Promise<void> {
    this.#assertOpen();
    await this.#alone(async () => {
      const held = [...this.#held];
      const outcomes = await Promise.allSettled(held.map((one) => one.commit()));
      const lost = held.filter((_, at) => this.#isOver(reasonOf(outcomes[at])));
      if (lost.length > 0) await this.#end(lost);
      await this.#giveUp(Number.NEGATIVE_INFINITY);
      const failed = outcomes.find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw reasonOf(failed);
    });
  }

  on(event: 'assigned' | 'revoked', listener: Listener): () => void {
    const listeners = event === 'assigned' || event === 'revoked' ? this.#listeners[event] : undefined;
    if (listeners === undefined) throw invalid('event', "'assigned' or 'revoked'", event);
    if (typeof listener !== 'function') throw invalid('listener', 'a function', listener);
    // The same function may listen twice, and each removal is that of one.
    const one: Listener = (partitions) => listener(partitions);
    listeners.add(one);
    return () => {
      listeners.delete(one);
    };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#cancelLook?.();
    this.#closing(this);
    const { indexer } = this.#first.engine;
    indexer.changed();
    await this.#working;
    await Promise.all(this.#held.splice(0).map((one) => one.end()));
    this.#membership.leave();
    indexer.changed();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #first(): Partition {
    return this.#partitions[0] as Partition;
  }

  #arm(): void {
    const { clock } = this.#first.engine;
    this.#cancelLook = clock.setTimer(clock.monotonic() + LOOK_EVERY_MS, () => {
      if (this.#closed !== undefined) return;
      this.#alone(() => this.#balance())
        .catch((error: unknown) => {
          this.#failure = { error };
          this.#first.engine.indexer.changed();
        })
        .finally(() => {
          if (this.#closed === undefined) this.#arm();
        });
    });
  }

  /** Comes nearer to its share: gives up what is too much, as soon as nothing of it is in hand, or takes what is free. */
  async #balance(): Promise<void> {
    if (this.#closed !== undefined || !this.#first.engine.isOpen) return;
    const { members, place } = this.#membership.look();
    const share = quota(this.#partitions.length, members, place);
    this.#choose(this.#held.length - share);
    await this.#giveUp(Number.NEGATIVE_INFINITY);
    if (this.#held.length < share) await this.#takeFree(share);
  }

  /** Says which so many are to be given up: rather those of which nothing is in hand, and those that were chosen before. */
  #choose(excess: number): void {
    const now = this.#first.engine.clock.monotonic();
    const first = (one: Tenancy): number => (one.leavingSince !== undefined ? 0 : one.isInHand ? 2 : 1);
    const inOrder = [...this.#held].sort((a, b) => first(a) - first(b));
    for (const [at, one] of inOrder.entries())
      one.leavingSince = at < excess ? (one.leavingSince ?? now) : undefined;
  }

  /** Frees what is to be given up and not in hand, or was to be given up that long ago. */
  async #giveUp(before: number): Promise<void> {
    const over = this.#held.filter(
      ({ leavingSince, isInHand }) => leavingSince !== undefined && (!isInHand || leavingSince <= before),
    );
    if (over.length > 0) await this.#end(over);
  }

  async #end(over: readonly Tenancy[]): Promise<void> {
    this.#held = this.#held.filter((one) => !over.includes(one));
    this.#turn = 0;
    await Promise.all(over.map((one) => one.end()));
    this.#tell('revoked', over);
  }

  async #takeFree(share: number): Promise<void> {
    const mine = new Set(this.#held.map(({ partition }) => partition.number));
    const taken: Tenancy[] = [];
    const failures: unknown[] = [];
    for (const partition of this.#partitions) {
      if (this.#held.length >= share) break;
      if (mine.has(partition.number)) continue;
      try {
        const one = await this.#tryTake(partition);
        if (one === undefined) continue;
        this.#held.push(one);
        taken.push(one);
      } catch (error) {
        // One that cannot be had is in nobody's way.
        failures.push(error);
      }
    }
    if (taken.length > 0) {
      this.#tell('assigned', taken);
      // Who waits looks at them.
      this.#first.engine.indexer.changed();
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Undefined where another member has it. */
  async #tryTake(partition: Partition): Promise<Tenancy | undefined> {
    const { engine, store } = partition;
    if (!engine.isOpen) return undefined;
    // A look that spares the decision. Only the decision decides.
    if (engine.locks.isHeld(engine.names.hold('consumer', this.#group, ALONE))) return undefined;
    try {
      const consumer = await store.consumer(this.#group, { exclusive: true });
      return new Tenancy(partition, consumer, () => {
        if (partition !== this.#first) this.#first.engine.indexer.changed();
      });
    } catch (error) {
      if (error instanceof DurostoreError && error.code === 'LOCK_UNAVAILABLE') return undefined;
      throw error;
    }
  }

  #tell(event: 'assigned' | 'revoked', tenancies: readonly Tenancy[]): void {
    const numbers = tenancies.map(({ partition }) => partition.number).sort((a, b) => a - b);
    for (const listener of [...this.#listeners[event]]) {
      try {
        listener(numbers);
      } catch (error) {
        // It is the listener's own, and must not keep the group from going on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Whether a partition is not this member's any more: the group was removed in it, or somebody has it by now. */
  #isOver(error: unknown): boolean {
    if (this.#closed !== undefined || !(error instanceof DurostoreError)) return false;
    return error.code === 'LOCK_LOST' || (error.code === 'CLOSED' && this.#first.engine.isOpen);
  }

  /** Runs when everything before it has. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {});
    return done;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #assertOpen(): void {
    this.#first.engine.assertOpen();
    if (this.#closed !== undefined)
      throw new DurostoreError('CLOSED', `this member of the group '${this.#group}' has left: join again`);
  }
}

const reasonOf = (outcome: PromiseSettledResult<unknown> | undefined): unknown =>
  outcome?.status === 'rejected' ? outcome.reason : undefined;
