import { bytes, floats, integers } from './soak-columns.js';

/** What was told of a message's enqueueing. */
export const Told = { nothing: 0, open: 1, ok: 2, lost: 3, maybe: 4 } as const;
/** What came of a delivery. */
export const Outcome = { open: 0, acking: 1, acked: 2, nacking: 3, late: 4 } as const;
/** Attempt of a delivery that removed the message at once. */
export const DEQUEUED = 0;

/** A process, from its start to its end. */
export interface Life {
  readonly number: number;
  readonly name: string;
  /** Rows of its messages, by their number. */
  readonly messages: number[];
  /** Calls that were made and not ended, by number. */
  readonly asks: Map<number, Ask>;
  /** Rows of its deliveries that are not ended, by index and attempt. */
  readonly held: Map<string, number>;
  /** When it began to close, each time. */
  readonly closings: number[];
  /** When it was killed. */
  killedAt: number | undefined;
  /** How many messages it may have had in calls that nobody can tell the end of. */
  readonly doubtful: { dequeue: number; claim: number };
}

interface Ask {
  readonly how: 'claim' | 'dequeue';
  readonly max: number;
  readonly at: number;
}

/**
 * What all processes of a soak have noted, compact enough for millions of messages: a row for each message and for each
 * delivery, from 1 on. Notes of different processes come in any order.
 */
export class Ledger {
  readonly lives: Life[] = [];
  readonly problems: string[] = [];
  readonly counts = {
    acknowledged: 0,
    deliveries: 0,
    redelivered: 0,
    deleted: 0,
    verified: 0,
    late: 0,
    lost: 0,
  };
  /** When somebody was stopped, who may have had a lock of the system's. */
  readonly stops: { from: number; to: number }[] = [];
  messages = 0;
  deliveries = 0;
  readonly message = {
    life: integers(),
    number: integers(),
    told: bytes(),
    /** How many of its batch stand before it, and how many are in it. */
    place: bytes(),
    batch: bytes(),
    index: floats(),
    begun: floats(),
    ended: floats(),
    /** The row of the delivery that was noted last. */
    last: integers(),
  };
  readonly delivery = {
    life: integers(),
    attempt: integers(),
    asked: floats(),
    got: floats(),
    outcome: bytes(),
    endedAt: floats(),
    /** The row of another of the same message. */
    before: integers(),
  };
  /** Deletions that were begun, by index: how many, how many are known to have removed it, and when that was known. */
  readonly deletions = new Map<number, { begun: number; removed: number; at: number }>();

  born(name: string): Life {
    const life: Life = {
      number: this.lives.length,
      name,
      messages: [],
      asks: new Map(),
      held: new Map(),
      closings: [],
      killedAt: undefined,
      doubtful: { dequeue: 0, claim: 0 },
    };
    this.lives.push(life);
    return life;
  }

  problem(what: string): void {
    this.problems.push(what);
  }

  nameOf(row: number): string {
    return `${this.message.life.get(row)}-${this.message.number.get(row)}`;
  }

  /** Takes a line of a life's notes. */
  note(life: Life, words: readonly string[]): void {
    const [word, ...rest] = words;
    const numbers = rest.map(Number);
    const [a = 0, b = 0, c = 0, d = 0] = numbers;
    switch (word) {
      case 'try':
        this.#tried(life, a, b, c);
        return;
      case 'ok':
        this.#told(life, a, b, Told.ok, c, d);
        return;
      case 'lost':
        this.#told(life, a, b, Told.lost, 0, 0);
        return;
      case 'maybe':
        this.#told(life, a, b, Told.maybe, 0, 0);
        return;
      case 'ask':
        life.asks.set(a, { how: rest[1] === 'claim' ? 'claim' : 'dequeue', max: c, at: d });
        return;
      case 'got':
        this.#got(life, a, b, rest.slice(2));
        return;
      case 'doubt':
        this.#doubt(life, a);
        return;
      case 'acking':
        this.#ended(life, a, b, Outcome.acking, 0);
        return;
      case 'acked':
        this.#ended(life, a, b, Outcome.acked, c);
        return;
      case 'nacking':
        this.#ended(life, a, b, Outcome.nacking, 0);
        return;
      case 'late':
        this.counts.late += 1;
        this.#ended(life, a, b, Outcome.late, c);
        return;
      case 'unsure':
        // As if it had been given back: whoever has it next, or nobody, is right.
        life.doubtful.dequeue += 1;
        this.#ended(life, a, b, Outcome.nacking, 0);
        return;
      case 'deleting':
        this.#deletion(a).begun += 1;
        return;
      case 'spared':
        this.#deletion(a).begun -= 1;
        return;
      case 'deleted':
        this.#deleted(a, b, c);
        return;
      case 'saw':
        this.#saw(a, rest[1] ?? '');
        return;
      case 'closing':
        life.closings.push(a);
        return;
      case 'verified':
        this.counts.verified += 1;
        return;
      default:
        this.problem(`${life.name}: ${words.join(' ')}`);
    }
  }

  #row(life: number, number: number): number {
    const messages = this.lives[life]?.messages;
    if (messages === undefined) {
      this.problem(`a message of a life that never was: ${life}-${number}`);
      return 0;
    }
    let row = messages[number];
    if (row === undefined) {
      this.messages += 1;
      row = this.messages;
      messages[number] = row;
      this.message.life.set(row, life);
      this.message.number.set(row, number);
    }
    return row;
  }

  #rowOf(name: string): number {
    const [life = -1, number = -1] = name.split('-').map(Number);
    return this.#row(life, number);
  }

  #tried(life: Life, from: number, count: number, at: number): void {
    for (let n = 0; n < count; n++) {
      const row = this.#row(life.number, from + n);
      this.message.told.set(row, Told.open);
      this.message.place.set(row, n);
      this.message.batch.set(row, count);
      this.message.begun.set(row, at);
    }
  }

  #told(life: Life, from: number, count: number, told: number, first: number, at: number): void {
    for (let n = 0; n < count; n++) {
      const row = this.#row(life.number, from + n);
      if (this.message.told.get(row) !== Told.open) this.problem(`${this.nameOf(row)} was told twice`);
      this.message.told.set(row, told);
      if (told === Told.lost) this.counts.lost += 1;
      if (told !== Told.ok) continue;
      this.counts.acknowledged += 1;
      this.message.ended.set(row, at);
      this.#stands(row, first + n);
    }
  }

  /** Somebody says where a message stands. */
  #stands(row: number, index: number): void {
    const known = this.message.index.get(row);
    if (known !== 0 && known !== index)
      this.problem(`${this.nameOf(row)} stands at index ${known} and at ${index}`);
    this.message.index.set(row, index);
  }

  #got(life: Life, call: number, at: number, words: readonly string[]): void {
    const ask = life.asks.get(call);
    if (ask === undefined) {
      this.problem(`${life.name}: call ${call} ended and never began`);
      return;
    }
    life.asks.delete(call);
    if (words.length / 3 > ask.max) this.problem(`${life.name}: more than ${ask.max} in call ${call}`);
    let last = 0;
    for (let n = 0; n + 2 < words.length; n += 3) {
      const index = Number(words[n]);
      const attempt = Number(words[n + 1]);
      const row = this.#rowOf(words[n + 2] ?? '');
      if (index !== 0) {
        this.#stands(row, index);
        if (index <= last) this.problem(`${life.name}: index ${index} behind ${last} in one call`);
        last = index;
      }
      this.#delivered(life, row, attempt, ask.at, at);
      if (index !== 0) life.held.set(`${index} ${attempt}`, this.deliveries);
    }
  }

  #delivered(life: Life, row: number, attempt: number, asked: number, got: number): void {
    this.deliveries += 1;
    this.counts.deliveries += 1;
    const { delivery, deliveries: at, message } = this;
    delivery.life.set(at, life.number);
    delivery.attempt.set(at, attempt);
    delivery.asked.set(at, asked);
    delivery.got.set(at, got);
    const before = message.last.get(row);
    if (before !== 0) this.counts.redelivered += 1;
    delivery.before.set(at, before);
    message.last.set(row, at);
  }

  #doubt(life: Life, call: number): void {
    const ask = life.asks.get(call);
    life.asks.delete(call);
    if (ask !== undefined) life.doubtful[ask.how] += ask.max;
  }

  #ended(life: Life, index: number, attempt: number, outcome: number, at: number): void {
    const key = `${index} ${attempt}`;
    const row = life.held.get(key);
    if (row === undefined) {
      this.problem(`${life.name}: ended a claim that it never had: ${key}`);
      return;
    }
    if (outcome === Outcome.acked || outcome === Outcome.late) life.held.delete(key);
    this.delivery.outcome.set(row, outcome);
    this.delivery.endedAt.set(row, at);
  }

  #deletion(index: number): { begun: number; removed: number; at: number } {
    let deletion = this.deletions.get(index);
    if (deletion === undefined) {
      deletion = { begun: 0, removed: 0, at: 0 };
      this.deletions.set(index, deletion);
    }
    return deletion;
  }

  #deleted(index: number, count: number, at: number): void {
    const deletion = this.#deletion(index);
    if (count === 0) {
      deletion.begun -= 1;
      return;
    }
    deletion.removed += 1;
    deletion.at = at;
    this.counts.deleted += 1;
    if (deletion.removed > 1) this.problem(`index ${index} was deleted twice`);
  }

  #saw(index: number, name: string): void {
    this.#stands(this.#rowOf(name), index);
  }
}
