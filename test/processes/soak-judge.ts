import type { Column } from './soak-columns.js';
import { DEQUEUED, type Ledger, type Life, Outcome, Told } from './soak-ledger.js';

export interface Judgement {
  /** Messages that exist and that nobody had to the end, beyond those that killed processes may just have dequeued. */
  readonly lost: readonly string[];
  /** Messages that nobody had who lived, and how many of such the processes that were killed in `dequeue` account for. */
  readonly unseen: number;
  readonly accounted: number;
  /** What nobody wrote, or what is there against the word of the library. */
  readonly invented: readonly string[];
  readonly givenTwice: readonly string[];
  /** Delivered again without a reason, or too late. */
  readonly unjustified: readonly string[];
  readonly disorder: readonly string[];
  readonly halfBatches: readonly string[];
}

export interface Law {
  readonly leaseMs: number;
  /** From when a holder is dead to the next delivery of what it held; time in which somebody was stopped does not count. */
  readonly backWithinMs: number;
  /** Nobody claims: then what is dequeued comes in order. */
  readonly onlyDequeues: boolean;
}

/** Judges what is in a ledger when everybody has left and the queue is empty. */
export function judge(ledger: Ledger, law: Law): Judgement {
  return new Judge(ledger, law).run();
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Spans that do not overlap, in their order, which together cover the same. */
function union(spans: readonly Span[]): Span[] {
  const apart: { from: number; to: number }[] = [];
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const last = apart.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else apart.push({ from, to });
  }
  return apart;
}

function overlap(spans: readonly Span[], from: number, to: number): number {
  let sum = 0;
  for (const span of spans) sum += Math.max(0, Math.min(to, span.to) - Math.max(from, span.from));
  return sum;
}

class Judge {
  readonly #ledger: Ledger;
  readonly #law: Law;
  /** Rows of messages that nobody had who lived. */
  readonly #unseen: number[] = [];
  readonly #stops: readonly Span[];
  readonly #vanished: string[] = [];
  readonly #invented: string[] = [];
  readonly #givenTwice: string[] = [];
  readonly #unjustified: string[] = [];
  readonly #disorder: string[] = [];
  readonly #halfBatches: string[] = [];
  readonly #notBefore: number[] = [];
  readonly #notAfter: number[] = [];
  #hiddenAttempts = 0;

  constructor(ledger: Ledger, law: Law) {
    this.#ledger = ledger;
    this.#law = law;
    this.#stops = union(ledger.stops);
  }

  run(): Judgement {
    const { messages } = this.#ledger;
    for (let row = 1; row <= messages; row++) this.#judgeBatch(row);
    for (let row = 1; row <= messages; row++) this.#judgeMessage(row);
    const hidden = this.#heldByKilled('claim');
    if (this.#hiddenAttempts > hidden)
      this.#unjustified.push(`${this.#hiddenAttempts} claims that nobody noted, of at most ${hidden}`);
    this.#judgeOrder();
    const accounted = this.#heldByKilled('dequeue');
    const lost = this.#unseen
      .filter((row) => this.#unseen.length > accounted || !this.#mayBeTaken(row))
      .map((row) => this.#ledger.nameOf(row));
    return {
      lost: [...this.#vanished, ...lost],
      unseen: this.#unseen.length,
      accounted,
      invented: this.#invented,
      givenTwice: this.#givenTwice,
      unjustified: this.#unjustified,
      disorder: this.#disorder,
      halfBatches: this.#halfBatches,
    };
  }

  /** How many messages killed processes may have had of which they could note nothing. */
  #heldByKilled(how: 'claim' | 'dequeue'): number {
    let most = 0;
    for (const { killedAt, asks, doubtful } of this.#ledger.lives) {
      most += doubtful[how];
      if (killedAt === undefined) continue;
      for (const ask of asks.values()) if (ask.how === how) most += ask.max;
    }
    return most;
  }

  #exists(row: number): boolean {
    const { told, index, last } = this.#ledger.message;
    return told.get(row) === Told.ok || index.get(row) !== 0 || last.get(row) !== 0;
  }

  /** From its first message: of a batch all exist or none, one behind the other. Gives each its index. */
  #judgeBatch(row: number): void {
    const { message, lives } = this.#ledger;
    const count = message.batch.get(row);
    if (count < 2 || message.place.get(row) !== 0) return;
    const number = message.number.get(row);
    const own = lives[message.life.get(row)]?.messages ?? [];
    const rows = Array.from({ length: count }, (_, n) => own[number + n] ?? 0);
    const firsts = new Set<number>();
    for (const [n, one] of rows.entries()) {
      const index = message.index.get(one);
      if (index !== 0) firsts.add(index - n);
    }
    if (firsts.size > 1) this.#halfBatches.push(`the batch at ${this.#ledger.nameOf(row)} is torn apart`);
    const [first] = firsts;
    if (first !== undefined) for (const [n, one] of rows.entries()) message.index.set(one, first + n);
    if (rows.some((one) => this.#exists(one)))
      for (const one of rows) if (!this.#exists(one)) message.told.set(one, Told.ok);
  }

  #judgeMessage(row: number): void {
    const { message, deletions } = this.#ledger;
    const told = message.told.get(row);
    const name = this.#ledger.nameOf(row);
    if (told === Told.nothing) this.#invented.push(`${name} was never enqueued`);
    if (!this.#exists(row)) return;
    if (told === Told.lost) this.#invented.push(`${name} is there after LOCK_LOST`);
    const deliveries = this.#deliveriesOf(row);
    this.#judgeDeliveries(row, name, deliveries);
    const { delivery, lives } = this.#ledger;
    const isOver = deliveries.some(
      (one) => delivery.attempt.get(one) === DEQUEUED || delivery.outcome.get(one) === Outcome.acked,
    );
    const deletion = deletions.get(message.index.get(row));
    if (isOver || (deletion !== undefined && deletion.begun > 0)) return;
    const last = deliveries.at(-1);
    const outcome = last === undefined ? Outcome.late : delivery.outcome.get(last);
    const holder = last === undefined ? undefined : lives[delivery.life.get(last)];
    const asked = last === undefined ? 0 : delivery.got.get(last);
    if (outcome === Outcome.acking && holder?.killedAt !== undefined) return;
    const isFree = outcome === Outcome.nacking || outcome === Outcome.late;
    if (isFree || holder?.killedAt !== undefined || holder?.closings.some((at) => at >= asked))
      this.#unseen.push(row);
    else this.#vanished.push(`${name}: ${holder?.name} had it, never finished it, and nobody has it`);
  }

  /** By attempt; what was dequeued comes last. */
  #deliveriesOf(row: number): number[] {
    const { message, delivery } = this.#ledger;
    const rows: number[] = [];
    for (let at = message.last.get(row); at !== 0; at = delivery.before.get(at)) rows.push(at);
    const rank = (at: number): number => delivery.attempt.get(at) || Number.POSITIVE_INFINITY;
    return rows.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  #judgeDeliveries(row: number, name: string, deliveries: readonly number[]): void {
    const { message, delivery, deletions } = this.#ledger;
    const deletion = deletions.get(message.index.get(row));
    let before: number | undefined;
    for (const at of deliveries) {
      const attempt = delivery.attempt.get(at);
      if (deletion !== undefined && deletion.removed > 0) {
        if (attempt === DEQUEUED) this.#unjustified.push(`${name} was deleted and dequeued`);
        if (delivery.asked.get(at) > deletion.at) this.#unjustified.push(`${name} after it was deleted`);
      }
      if (delivery.outcome.get(at) === Outcome.late) this.#judgeLate(name, at, deletion !== undefined);
      if (before !== undefined) this.#judgeAgain(name, before, at);
      if (attempt !== DEQUEUED)
        this.#hiddenAttempts += attempt - 1 - (before === undefined ? 0 : delivery.attempt.get(before));
      before = at;
    }
  }

  /** LEASE_LOST is said only where the lease was over, or the message deleted. */
  #judgeLate(name: string, at: number, isDeleted: boolean): void {
    const { delivery } = this.#ledger;
    const had = delivery.endedAt.get(at) - delivery.asked.get(at);
    if (had < this.#law.leaseMs && !isDeleted)
      this.#unjustified.push(`${name}: LEASE_LOST after ${had} ms of ${this.#law.leaseMs}`);
  }

  #judgeAgain(name: string, before: number, at: number): void {
    const { delivery, lives } = this.#ledger;
    const attempt = delivery.attempt.get(at);
    const what = this.#whyWrong(before, at);
    if (what === undefined) return;
    const how = attempt === DEQUEUED ? 'dequeued' : `claimed as attempt ${attempt}`;
    const holder = lives[delivery.life.get(before)]?.name;
    this.#unjustified.push(`${name} ${how} ${what} (before: ${holder}, at ${delivery.got.get(at)})`);
  }

  #whyWrong(before: number, at: number): string | undefined {
    const { delivery, lives } = this.#ledger;
    const attempt = delivery.attempt.get(at);
    const got = delivery.got.get(at);
    const outcome = delivery.outcome.get(before);
    if (delivery.attempt.get(before) === DEQUEUED) return 'after it was dequeued';
    if (attempt === delivery.attempt.get(before)) return 'twice';
    if (outcome === Outcome.acked) return 'after its acknowledgement';
    if (outcome === Outcome.nacking || outcome === Outcome.late) return undefined;
    const had = delivery.got.get(before);
    const { closings, killedAt = Number.POSITIVE_INFINITY } = lives[delivery.life.get(before)] as Life;
    if (closings.some((closing) => closing >= had && closing <= got)) return undefined;
    if (got - delivery.asked.get(before) >= this.#law.leaseMs) return undefined;
    if (killedAt > got) return 'though its holder lived';
    const isNext = attempt === delivery.attempt.get(before) + 1;
    const after = got - killedAt - overlap(this.#stops, killedAt, got);
    return isNext && after > this.#law.backWithinMs ? `${after} ms after its holder's death` : undefined;
  }

  /**
   * When a message that nobody told of was taken for the first time: not before those that stand before it were asked for, not after
   * those behind it were had.
   */
  #boundTakes(firsts: Int32Array): void {
    const { delivery } = this.#ledger;
    let asked = 0;
    for (let index = 0; index < firsts.length; index++) {
      this.#notBefore.push(asked);
      asked = Math.max(asked, delivery.asked.get(firsts[index] ?? 0));
    }
    let got = Number.POSITIVE_INFINITY;
    for (let index = firsts.length - 1; index >= 0; index--) {
      this.#notAfter[index] = got;
      const row = firsts[index] ?? 0;
      if (row !== 0) got = Math.min(got, delivery.got.get(row));
    }
  }

  /** Whether a process that was killed in a call can have taken it, when it must have been taken. */
  #mayBeTaken(row: number): boolean {
    const { message, lives } = this.#ledger;
    const index = message.index.get(row);
    if (message.last.get(row) !== 0 || index === 0) return true;
    const from = this.#notBefore[index] ?? 0;
    const to = this.#notAfter[index] ?? Number.POSITIVE_INFINITY;
    return lives.some(({ killedAt, asks, doubtful }) => {
      if (doubtful.claim + doubtful.dequeue > 0) return true;
      return killedAt !== undefined && killedAt >= from && [...asks.values()].some(({ at }) => at <= to);
    });
  }

  #judgeOrder(): void {
    const { message, delivery, messages } = this.#ledger;
    let highest = 0;
    for (let row = 1; row <= messages; row++) highest = Math.max(highest, message.index.get(row));
    const rows = new Int32Array(highest + 1);
    for (let row = 1; row <= messages; row++) {
      const index = message.index.get(row);
      if (index === 0 || message.told.get(row) === Told.lost) continue;
      const other = rows[index] ?? 0;
      if (other !== 0)
        this.#givenTwice.push(
          `index ${index}: ${this.#ledger.nameOf(other)} and ${this.#ledger.nameOf(row)}`,
        );
      rows[index] = row;
    }
    this.#judgeSequence('enqueued', rows, message.begun, message.ended);
    const firsts = rows.map((row) => {
      for (let at = message.last.get(row); at !== 0; at = delivery.before.get(at))
        if (delivery.attempt.get(at) === (this.#law.onlyDequeues ? DEQUEUED : 1)) return at;
      return 0;
    });
    this.#judgeSequence('delivered', firsts, delivery.asked, delivery.got);
    this.#boundTakes(firsts);
  }

  /** By index: who began after another one was done comes behind it. */
  #judgeSequence(
    what: string,
    rows: Int32Array,
    begun: Column<Float64Array>,
    ended: Column<Float64Array>,
  ): void {
    let soonest = Number.POSITIVE_INFINITY;
    let higher = 0;
    for (let index = rows.length - 1; index > 0; index--) {
      const row = rows[index] ?? 0;
      if (row === 0) continue;
      if (begun.get(row) > soonest)
        this.#disorder.push(`index ${index} was ${what} after ${higher} had been`);
      const end = ended.get(row);
      if (end === 0 || end >= soonest) continue;
      soonest = end;
      higher = index;
    }
  }
}
