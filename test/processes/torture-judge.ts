import type { Origin } from './torture-records.js';

/** A process of a torture, and what it noted. */
export interface TortureLife {
  readonly number: number;
  readonly notes: readonly (readonly string[])[];
}

/** What is there when everybody has left. */
export interface TortureEnd {
  /** Of all records: the index, and whose it is; undefined: nobody's. */
  readonly records: readonly { readonly index: number; readonly origin: Origin | undefined }[];
  readonly consumers: readonly { readonly name: string; readonly committed: number }[];
}

export interface TortureJudgement {
  readonly wrong: readonly string[];
  readonly counts: {
    readonly transactions: number;
    readonly streams: number;
    readonly commits: number;
    /** Calls of which nobody can tell the end, and what came of them. */
    readonly happened: number;
    readonly vanished: number;
  };
}

/** Judges what lives have noted by what is there. */
export function judgeTorture(lives: readonly TortureLife[], end: TortureEnd): TortureJudgement {
  return new Judge(lives, end).run();
}

type State = 'open' | 'done' | 'lost' | 'maybe';

interface Transaction {
  readonly key: string;
  readonly count: number;
  readonly gone: readonly number[];
  state: State;
  indexes: readonly number[];
}

interface Stream {
  readonly key: string;
  state: State;
  index: number;
  isDeleted: boolean;
}

interface Reading {
  readonly got: [first: number, last: number][];
  readonly committed: [index: number, at: number][];
  /** The greatest that anybody tried to commit. */
  tried: number;
  /** Where who opened it began, and when that was. */
  readonly begun: { at: number; first: number | undefined }[];
}

class Judge {
  readonly #lives: readonly TortureLife[];
  readonly #end: TortureEnd;
  readonly #wrong: string[] = [];
  readonly #transactions = new Map<string, Transaction>();
  readonly #streams = new Map<string, Stream>();
  readonly #readings = new Map<string, Reading>();
  readonly #origins = new Map<number, Origin>();
  readonly #places = new Map<string, number>();
  #happened = 0;
  #vanished = 0;

  constructor(lives: readonly TortureLife[], end: TortureEnd) {
    this.#lives = lives;
    this.#end = end;
  }

  run(): TortureJudgement {
    for (const life of this.#lives) this.#hear(life);
    for (const { index, origin } of this.#end.records) this.#find(index, origin);
    const deleters = new Map<number, Transaction[]>();
    for (const one of this.#transactions.values())
      for (const index of one.gone) deleters.set(index, [...(deleters.get(index) ?? []), one]);
    for (const one of this.#transactions.values()) this.#judgeTransaction(one, deleters);
    for (const one of this.#streams.values()) this.#judgeStream(one);
    for (const [name, reading] of this.#readings) this.#judgeReading(name, reading);
    const doneOf = (all: Map<string, { state: State }>): number =>
      [...all.values()].filter(({ state }) => state === 'done').length;
    return {
      wrong: this.#wrong,
      counts: {
        transactions: doneOf(this.#transactions),
        streams: doneOf(this.#streams),
        commits: [...this.#readings.values()].reduce((sum, { committed }) => sum + committed.length, 0),
        happened: this.#happened,
        vanished: this.#vanished,
      },
    };
  }

  #hear({ number: life, notes }: TortureLife): void {
    let reading: Reading | undefined;
    for (const [word = '', ...rest] of notes) {
      const [a = 0, b = 0] = rest.map(Number);
      const key = `${life} ${a}`;
      const one = this.#transactions.get(key) ?? this.#streams.get(key);
      if (word === 'begin') {
        const gone = rest.slice(2).map(Number);
        this.#transactions.set(key, { key, count: b, gone, state: 'open', indexes: [] });
      } else if (word === 'stream')
        this.#streams.set(key, { key, state: 'open', index: 0, isDeleted: false });
      else if (word === 'done' && one !== undefined)
        Object.assign(one, { state: word, indexes: rest.slice(1).map(Number) });
      else if (word === 'streamed' && one !== undefined) Object.assign(one, { state: 'done', index: b });
      else if (word === 'deleting' && one !== undefined) Object.assign(one, { isDeleted: true });
      else if ((word === 'lost' || word === 'maybe') && one !== undefined) one.state = word;
      else if (word === 'consumer') reading = this.#readingOf(rest[0] ?? '');
      else if (word === 'opening') reading?.begun.push({ at: a, first: undefined });
      else if (word === 'got' && reading !== undefined) {
        reading.got.push([a, b]);
        const begun = reading.begun.at(-1);
        if (begun !== undefined) begun.first ??= a;
      } else if (word === 'commit' && reading !== undefined) reading.tried = Math.max(reading.tried, a);
      else if (word === 'committed') reading?.committed.push([a, b]);
      else if (word !== 'closing' && word !== 'verified')
        this.#wrong.push(`life ${life}: ${[word, ...rest].join(' ')}`);
    }
  }

  #readingOf(name: string): Reading {
    const known = this.#readings.get(name) ?? { got: [], committed: [], tried: 0, begun: [] };
    this.#readings.set(name, known);
    return known;
  }

  #find(index: number, origin: Origin | undefined): void {
    if (origin === undefined) {
      this.#wrong.push(`the record ${index} is nobody's`);
      return;
    }
    const { kind, life, number } = origin;
    const name = kind === 'part' ? `${life} ${number} ${origin.part}` : `${life} ${number}`;
    if (this.#places.has(name)) this.#wrong.push(`${name} is there twice`);
    this.#places.set(name, index);
    this.#origins.set(index, origin);
    const count = kind === 'part' ? this.#transactions.get(`${life} ${number}`)?.count : undefined;
    const isKnown = kind === 'part' ? origin.part < (count ?? 0) : this.#streams.has(name);
    if (!isKnown) this.#wrong.push(`${name} was never written`);
  }

  /** All of it happened or nothing: what it wrote is there unless another one took it away, and what it deleted is gone. */
  #judgeTransaction(one: Transaction, deleters: ReadonlyMap<number, readonly Transaction[]>): void {
    const { key, count, gone, state, indexes } = one;
    let [did, didNot] = [0, 0];
    for (let part = 0; part < count; part++) {
      const at = this.#places.get(`${key} ${part}`);
      const index = indexes[part];
      if (state === 'done' && index !== (indexes[0] ?? 0) + part) this.#wrong.push(`${key} is torn apart`);
      if (at !== undefined && index !== undefined && at !== index)
        this.#wrong.push(`${key} ${part} stands at ${at} and not at ${index}`);
      if (index !== undefined && deleters.has(index)) continue;
      if (at === undefined) didNot += 1;
      else did += 1;
    }
    for (const index of gone) {
      if ((deleters.get(index)?.length ?? 0) > 1) continue;
      if (this.#origins.has(index)) didNot += 1;
      else did += 1;
    }
    if (state === 'done' && didNot > 0) this.#wrong.push(`${key} was done, and ${didNot} of it was not`);
    if (state === 'lost' && did > 0) this.#wrong.push(`${key} was LOCK_LOST, and ${did} of it was done`);
    if (state === 'done' || state === 'lost') return;
    if (did > 0 && didNot > 0) this.#wrong.push(`${key}: ${did} of it was done and ${didNot} not`);
    this.#count(did > 0);
  }

  /** Whole, which whose it is has shown, or not there. */
  #judgeStream({ key, state, index, isDeleted }: Stream): void {
    const at = this.#places.get(key);
    if (state === 'open' || state === 'maybe') this.#count(at !== undefined);
    if (state === 'lost' && at !== undefined) this.#wrong.push(`the stream ${key} is there after LOCK_LOST`);
    if (state !== 'done') return;
    if (at === undefined && !isDeleted) this.#wrong.push(`the stream ${key} is gone`);
    if (at !== undefined && at !== index)
      this.#wrong.push(`the stream ${key} stands at ${at}, not at ${index}`);
  }

  #count(happened: boolean): void {
    if (happened) this.#happened += 1;
    else this.#vanished += 1;
  }

  /** Never behind the last commit that was acknowledged, also for who opens it later, and nothing is passed over. */
  #judgeReading(name: string, { got, committed, tried, begun }: Reading): void {
    const end = this.#end.consumers.find((one) => one.name === name)?.committed ?? 0;
    const most = committed.reduce((most, [index]) => Math.max(most, index), 0);
    if (end < most) this.#wrong.push(`${name} stands at ${end}, and ${most} was committed`);
    if (end > tried) this.#wrong.push(`${name} stands at ${end}, and nobody committed more than ${tried}`);
    const inOrder = [...committed].sort((a, b) => a[1] - b[1]);
    let [place, before] = [0, 0];
    for (const { at, first } of [...begun].sort((a, b) => a.at - b.at)) {
      for (let next = inOrder[place]; next !== undefined && next[1] < at; next = inOrder[place]) {
        before = Math.max(before, next[0]);
        place += 1;
      }
      if (first !== undefined && first <= before)
        this.#wrong.push(`${name} began at ${first}, and ${before} had been committed`);
    }
    const spans = [...got].sort((a, b) => a[0] - b[0]);
    let [at, reached] = [0, 0];
    for (const { index } of this.#end.records) {
      if (index > end) break;
      for (let span = spans[at]; span !== undefined && span[0] <= index; span = spans[at]) {
        reached = Math.max(reached, span[1]);
        at += 1;
      }
      if (index > reached) this.#wrong.push(`${name} passed over ${index}`);
    }
  }
}
