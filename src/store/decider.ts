import { performance } from 'node:perf_hooks';
import { Fenced } from '../epoch/fenced.js';
import type { FactSink } from '../journal/facts.js';
import { describeDiskError } from './disk-errors.js';
import type { Engine } from './engine.js';
import { shortenIfLong } from './succession.js';
import { Tenure } from './tenure.js';
import { resolveTicks } from './tick-resolution.js';
import { nextTurn } from './turns.js';

/** Decides: looks at the fates, states facts, answers. Runs under the fate lock, caught up, in one synchronous stretch. */
export type Decision<T> = (facts: FactSink) => T;

/** Decisions are made together for so long; those that were asked for behind them, in a later turn of the event loop. */
const LONGEST_COMMIT_MS = 2;
/** The clock is looked at once in so many decisions. */
const LOOK_EVERY = 32;

/** A decision that somebody waits for. */
export interface PendingDecision {
  /** Looked at when it has been decided. */
  readonly durable: boolean;
  /**
   * Whether it may be made in one frame with those before and behind it that may: it says that records are gone, and nothing of
   * what it looks at is changed by others that do.
   */
  readonly joins?: boolean;
  /** Decides and keeps the answer. */
  decide(facts: FactSink): void;
  /** Tells it to the caller. */
  answer(): void;
  reject(error: unknown): void;
}

/** One whose caller has a promise. */
class Promised<T> implements PendingDecision {
  readonly durable: boolean;
  readonly joins: boolean;
  readonly reject: (error: unknown) => void;
  readonly #decision: Decision<T>;
  readonly #resolve: (answer: T) => void;
  #answer: T | undefined = undefined;

  constructor(
    decision: Decision<T>,
    durable: boolean,
    joins: boolean,
    resolve: (answer: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#decision = decision;
    this.durable = durable;
    this.joins = joins;
    this.#resolve = resolve;
    this.reject = reject;
  }

  decide(facts: FactSink): void {
    this.#answer = this.#decision(facts);
  }

  answer(): void {
    this.#resolve(this.#answer as T);
  }
}

interface Decided {
  readonly pending: PendingDecision;
  /** The last fact that it states or builds on. */
  fact: number;
  readonly afterwards: readonly Afterwards[];
}

/** Told at once whether what was decided counts, before anything else is decided. */
type Afterwards = (counts: boolean) => void;

/**
 * Fates are decided here, one after the other among all openers. The decisions of one tick share a commit; each is one
 * frame of facts, so each is made whole or not at all, and builds on those before it.
 */
export class Decider {
  readonly #engine: Engine;
  /** Whether the last commit left decisions to a later turn of the event loop. */
  #isCut = false;
  #pending: PendingDecision[] = [];
  #scheduled = false;
  #working: Promise<void> | undefined;
  #afterwards: Afterwards[] = [];
  /** Decisions that were committed in an epoch that may have ended before. */
  #undecided: { readonly epoch: number; readonly decided: readonly Decided[] } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Resolves with the decision's answer when its facts are committed; where `durable`, when they and the records that
   * they name are on the device. A decision that throws states nothing, and its error is the caller's.
   */
  decide<T>(decision: Decision<T>, durable: boolean, joins = false): Promise<T> {
    this.#engine.assertUsable();
    return new Promise<T>((resolve, reject) => {
      this.#pending.push(new Promised(decision, durable, joins, resolve, reject));
      this.#schedule();
    });
  }

  /** The same without a promise, for who calls `flush` then. What is told must not throw. */
  submit(pending: PendingDecision): void {
    this.#engine.assertUsable();
    this.#pending.push(pending);
  }

  /** Decides now, where the lock is free. For who has gathered a turn's calls already, and need not wait for another's. */
  flush(): void {
    if (this.#working === undefined) this.#flush();
  }

  /** From within a decision: `told` hears at once whether the decision counts, before anything else is decided. */
  afterwards(told: Afterwards): void {
    this.#afterwards.push(told);
  }

  /** Waits for what was accepted. */
  async close(): Promise<void> {
    if (this.#scheduled) await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#working !== undefined) await this.#working;
  }

  #isAwaited(): boolean {
    return this.#pending.length > 0 || this.#undecided !== undefined;
  }

  #schedule(): void {
    if (this.#scheduled || this.#working !== undefined) return;
    this.#scheduled = true;
    this.#engine.turns.run(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    // Those that a turn was asked for may have been decided along with others.
    if (!this.#isAwaited() || this.#working !== undefined) return;
    try {
      if (this.#engine.locks.fate.tryEnter()) {
        this.#commit();
        if (!this.#isCut) return;
      }
    } catch (error) {
      // Nobody awaits this turn: what is thrown here would end the process.
      this.#rejectAll(error);
      return;
    }
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (this.#isAwaited()) this.#schedule();
    });
  };

  async #work(): Promise<void> {
    while (this.#isAwaited()) {
      if (this.#isCut) await nextTurn();
      try {
        await this.#engine.locks.fate.enter();
      } catch (error) {
        this.#rejectAll(error);
        return;
      }
      this.#commit();
    }
  }

  #rejectAll(cause: unknown): void {
    const error = describeDiskError(cause, 'taking the lock');
    for (const pending of this.#pending.splice(0)) pending.reject(error);
    this.#rejectUndecided(cause);
  }

  #rejectUndecided(cause: unknown): void {
    for (const one of this.#undecided?.decided ?? []) {
      tell(one, false);
      one.pending.reject(Tenure.undecided(cause));
    }
    this.#undecided = undefined;
  }

  /** Under the fate lock, which it leaves. */
  #commit(): void {
    const engine = this.#engine;
    const { journal, fates, locks, clock, tenure, tail } = engine;
    const decided: Decided[] = [];
    let pending: PendingDecision[] = [];
    const before = journal.fact;
    this.#isCut = false;
    try {
      engine.failure.assertNone();
      tenure.enter();
      this.#judgeUndecided();
      journal.catchUpLocked();
      engine.carried.lookLocked();
      resolveTicks(engine);
      pending = this.#pending;
      this.#pending = [];
      // Facts that a journal of before cannot take wait for its successor; without room for one, it goes on without them.
      if (journal.isOlder) shortenIfLong(engine);
      const now = clock.now();
      fates.expireBy(clock);
      let numbered = 0;
      const began = pending.length < LOOK_EVERY ? 0 : performance.now();
      for (const [at, one] of pending.entries()) {
        if (at % LOOK_EVERY === LOOK_EVERY - 1 && performance.now() - began > LONGEST_COMMIT_MS)
          this.#cutBehind(pending, at);
        const facts =
          one.joins === true && pending[at - 1]?.joins === true ? journal.goOn() : journal.begin();
        try {
          one.decide(facts);
          decided.push({
            pending: one,
            fact: 0,
            afterwards: this.#afterwards.length === 0 ? NONE : this.#afterwards.splice(0),
          });
        } catch (error) {
          for (const told of this.#afterwards.splice(0)) told(false);
          journal.dropDecision();
          one.reject(describeDiskError(error, 'deciding a fate'));
        }
        if (one.joins === true && pending[at + 1]?.joins === true) continue;
        journal.decided(now);
        for (; numbered < decided.length; numbered++) (decided[numbered] as Decided).fact = journal.fact;
      }
      journal.commit();
      shortenIfLong(engine);
      if (tenure.isLost(tail.position())) {
        this.#undecided = { epoch: tenure.epoch, decided: decided.splice(0) };
        this.#schedule();
      }
      for (const one of decided) tell(one, true);
    } catch (error) {
      for (const one of decided) tell(one, false);
      if (error instanceof Fenced) {
        tenure.lost();
        this.#schedule();
      } else {
        this.#rejectUndecided(error);
        const failure = engine.failure.of(error, 'deciding a fate');
        for (const one of pending.length > 0 ? pending : this.#pending.splice(0)) one.reject(failure);
      }
      decided.length = 0;
    } finally {
      locks.fate.leave();
    }
    if (journal.fact !== before) engine.noteChange();
    this.#answer(decided);
  }

  /** Leaves what is behind to a later turn of the event loop, in the order in which it was asked for. */
  #cutBehind(pending: PendingDecision[], at: number): void {
    if (at + 1 >= pending.length) return;
    this.#pending = [...pending.splice(at + 1), ...this.#pending];
    this.#isCut = true;
  }

  /** ⚑ What was decided over a fence counts where the take-over that ended its epoch says so. */
  #judgeUndecided(): void {
    if (this.#undecided === undefined) return;
    const { epoch, decided } = this.#undecided;
    const end = this.#engine.tenure.endOf(epoch);
    this.#undecided = undefined;
    const counts = ({ fact }: Decided): boolean => end === undefined || fact <= end.fact;
    for (const one of decided) {
      tell(one, counts(one));
      if (!counts(one)) one.pending.reject(Tenure.lockLost());
    }
    this.#answer(decided.filter(counts));
  }

  #answer(decided: readonly Decided[]): void {
    const durable = decided.filter((one) => one.pending.durable);
    for (const one of decided) if (!one.pending.durable) one.pending.answer();
    if (durable.length === 0) {
      if (decided.length > 0) this.#engine.backgroundSync.wrote();
      return;
    }
    const answer = (): void => {
      for (const one of durable) one.pending.answer();
    };
    const reject = (error: unknown): void => {
      for (const one of durable) one.pending.reject(error);
    };
    let synced: Promise<void> | undefined;
    try {
      synced = this.#engine.syncFactsHere();
    } catch (error) {
      reject(error);
      return;
    }
    if (synced === undefined) answer();
    else synced.then(answer, reject);
  }
}

const NONE: readonly Afterwards[] = [];

const tell = ({ afterwards }: Decided, counts: boolean): void => {
  for (const told of afterwards) told(counts);
};
